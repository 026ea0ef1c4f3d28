"""Bias per slice of every model of the current run."""

from typing import Any

import dagster as dg
import pandas as pd

from orchestration.defs.metadata import markdown_table, picture
from orchestration.defs.resources import Project
from orchestration.defs.runs import read_current_run, read_dataset
from orchestration.results import load_bias


@dg.asset(deps=["trained_models"], group_name="bias", kinds={"duckdb"})
def bias_metrics(project: Project) -> dg.MaterializeResult:
    """Error of every model in every slice, with intervals and q-values, in the schema `bias`."""
    from ml.bias_reports import TABLES, write_bias_reports

    run = read_current_run(project)
    tables = write_bias_reports(read_dataset(run.snapshot), run.evaluations, run.folder)
    if tables is None:
        raise ValueError("The training relation has no slice_* column: there is nothing to measure bias by.")
    with project.database() as database:
        load_bias(database, run.folder, TABLES)
    return dg.MaterializeResult(metadata=_metadata(tables.summary, tables.slice_metrics))


def _metadata(summary: pd.DataFrame, slices: pd.DataFrame) -> dict[str, Any]:
    """The gaps of the test part, and a picture of the worst slices of the most flagged dimension."""
    from ml.plots import error_per_slice

    test = summary[summary["split"] == "test"]
    shown = [
        "model",
        "dimension",
        "n_slices",
        "n_assessable",
        "best_slice",
        "worst_slice",
        "relative_gap",
        "flagged",
    ]
    measured = slices[(slices["split"] == "test") & ~slices["is_outcome"]]
    return {
        "dagster/row_count": len(slices),
        "flagged_dimensions": int(test["flagged"].sum()),
        "flagged_slices": int(slices.loc[slices["split"] == "test", "flagged"].sum()),
        "summary": dg.MetadataValue.md(markdown_table(test[shown])),
        "mae_log_per_slice": picture(error_per_slice(measured), "MAE of log hours per repository"),
    }
