"""Bias of a domain's current models: measured in their run folders, loaded into the schema `bias`."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from ml.store.run_folder import RunFolder
from orchestration.declarations import Domain
from orchestration.defs.executor import HOLDS_DATABASE
from orchestration.defs.metadata import markdown_table
from orchestration.defs.resources import Project
from orchestration.defs.runs import Run, read_current_runs
from orchestration.defs.unchanged import unless_unchanged
from orchestration.store.results import load_bias

GAP_COLUMNS = [
    "model", "dimension", "gap_metric", "n_slices", "n_assessable", "best_slice", "worst_slice",
    "relative_gap", "shrunk_gap", "verdict",
]  # fmt: skip
Tables = dict[str, pd.DataFrame]


def bias_asset(
    domain: Domain,
    tasks: Sequence[str],
    *,
    name: str,
    after: Sequence[str],
    description: str,
    show: Callable[[Tables, Sequence[Run]], dict[str, Any]],
    learned_from: Sequence[str] | None = None,
    is_published: bool = True,
) -> dg.AssetsDefinition:
    """The asset that measures the bias of a domain's current models.

    Parameters
    ----------
    domain : Domain
    tasks : sequence of {"regression", "binary", "ranking"}
        Those of its tasks that are measured.
    name, description : str
        Of the asset, and what it says of itself.
    after : sequence of str
        The assets that it follows.
    show : callable (tables, runs) -> metadata
        What it shows of the test part beside the gaps, given its tables and the runs that were measured.
    learned_from : sequence of str or None
        The training sets of the models that are measured; None for all of the domain's.
    is_published : bool
        False where a later asset decides whether readers get it.
    """

    training_sets = learned_from or [one.name for one in domain.training_sets]

    @dg.asset(
        name=name,
        deps=[dg.AssetKey.from_user_string(one) for one in after],
        group_name="bias",
        kinds={"duckdb"},
        description=description,
        op_tags=HOLDS_DATABASE,
    )
    @unless_unchanged(files=lambda project, said: _tables_of(project, said["run_folders"].value))
    def bias(project: Project) -> dg.MaterializeResult:
        runs = {name: read_current_runs(project, name, tasks) for name in training_sets}
        tables = together(measure(project, name, tasks, own) for name, own in runs.items())
        if is_published:
            project.publish(domain)
        test = {name: rows[rows["split"] == "test"] for name, rows in tables.items() if "split" in rows}
        gaps = test["summary"]
        shown = [column for column in GAP_COLUMNS if column in gaps]
        return dg.MaterializeResult(
            metadata={
                "run_folders": dg.MetadataValue.json(
                    sorted({run.folder.name for own in runs.values() for run in own})
                ),
                "flagged_gaps": int(gaps["flagged"].sum()),
                "dagster/column_schema": project.column_schema("bias.summary"),
                **{f"columns of bias.{table}": project.column_schema(f"bias.{table}") for table in tables},
                "summary": dg.MetadataValue.md(markdown_table(gaps[shown])),
                **show(test, [run for own in runs.values() for run in own]),
            }
        )

    return bias


def _tables_of(project: Project, runs: Iterable[str]) -> list[Path]:
    """The tables of the bias report in the folders of some runs."""
    folders = [RunFolder(project.settings().runs_dir / run) for run in runs]
    return [folder.table_file(name) for folder in folders for name in folder.tables()]


def measure(project: Project, domain: str, tasks: Sequence[str], runs: Sequence[Run]) -> Tables:
    """Measure the bias of a domain's current models folder by folder, and load it; the tables by name."""
    tables = together(measure_run(run) for run in runs)
    with project.database() as database:
        load_bias(database, domain, tasks, [run.folder for run in runs], list(tables))
    return tables


def measure_run(run: Run) -> Tables:
    """Measure the bias of the current models in one folder; the tables by name.

    Raises
    ------
    ValueError
        The training relation has no slices.
    """
    from ml.reports.bias import write_bias

    found: Tables | None = write_bias(run.dataset, run.evaluations, run.folder)
    if found is None:
        raise ValueError(
            f"The training relation of {run.dataset.config.name} has no slice_* column to measure bias by."
        )
    return found


def together(measured: Iterable[Tables]) -> Tables:
    """The rows of several measurements, table by table."""
    parts: dict[str, list[pd.DataFrame]] = {}
    for tables in measured:
        for name, rows in tables.items():
            parts.setdefault(name, []).append(rows)
    return {name: pd.concat(rows, ignore_index=True) for name, rows in parts.items()}
