"""Bias of a domain's scorers and rankers: measured in their run folder, loaded into the schema `bias`."""

from collections.abc import Iterable, Sequence

import pandas as pd

from orchestration.defs.resources import Project
from orchestration.defs.runs import read_current_run, read_dataset
from orchestration.store.results import load_bias

GAP_COLUMNS = [
    "model",
    "dimension",
    "gap_metric",
    "n_slices",
    "n_assessable",
    "best_slice",
    "worst_slice",
    "relative_gap",
    "shrunk_gap",
    "verdict",
]


def measure_domain(
    project: Project, domain: str, tasks: Sequence[str] = ("binary", "ranking")
) -> dict[str, pd.DataFrame]:
    """Measure and load the bias of the current scorers and rankers of a domain; the tables by name.

    Raises
    ------
    ValueError
        The training relation has no slices.
    """
    from ml.reports.scoring_bias import scoring_bias_tables, write_scoring_bias

    run = read_current_run(project, domain, tasks)
    tables = write_scoring_bias(read_dataset(run.snapshot), run.evaluations, run.folder)
    if tables is None:
        raise ValueError(f"The training relation of {domain} has no slice_* column to measure bias by.")
    with project.database() as database:
        load_bias(database, run.folder, domain, scoring_bias_tables(run.evaluations), tasks)
    return tables


def rows_of_test(measured: Iterable[dict[str, pd.DataFrame]], name: str) -> pd.DataFrame:
    """The rows of one table that are about the test part."""
    rows = pd.concat([tables[name] for tables in measured], ignore_index=True)
    return rows[rows["split"] == "test"]
