"""What a published table is, and the columns that several of them have."""

from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from orchestration.settings import DBT_PROJECT_DIR

# Type in SQL, and meaning.
Columns = Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Table:
    """A table `schema.table`."""

    name: str
    meaning: str
    columns: Columns

    @property
    def ddl(self) -> str:
        """The statements that make the table and its schema where they are not there yet."""
        columns = ", ".join(f'"{name}" {dtype}' for name, (dtype, _) in self.columns.items())
        return (
            f"create schema if not exists {self.name.split('.')[0]};"
            f"create table if not exists {self.name} ({columns});"
        )


def made_by_dbt(name: str, file: str) -> Table:
    """A table that a dbt model makes: what it is stands in the yml of the model.

    Parameters
    ----------
    name : str
        `schema.model`.
    file : str
        The yml, below the models.
    """
    described = yaml.safe_load((DBT_PROJECT_DIR / "models" / file).read_text())
    (model,) = described["models"]
    columns = {column["name"]: (column["data_type"], column["description"]) for column in model["columns"]}
    return Table(name, model["description"], columns)


RUN: Columns = {
    "run_id": ("varchar", "Name of the run, which is that of its folder."),
    "domain": ("varchar", "tickets, remaining, response, assignees, alerts or alert_clusters."),
}
INTERVAL: Columns = {
    "ci_low": (
        "double",
        "Lower end of the 95 % bootstrap interval; null where there is too little data for one.",
    ),
    "ci_high": (
        "double",
        "Upper end of the 95 % bootstrap interval; null where there is too little data for one.",
    ),
}
REASONS = (
    "struct(feature varchar, contribution double)[]",
    "The features that moved the score most, strongest first, with what each contributed (log-odds).",
)

TICKET: Columns = {
    "item_id": ("varchar", "The ticket as repository#number."),
    "repository": ("varchar", "Repository as owner/name."),
    "number": ("bigint", "Number of the ticket within its repository."),
}
