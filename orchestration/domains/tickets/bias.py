"""Bias per slice of every model of the current run."""

from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from orchestration.defs.metadata import markdown_table, picture
from orchestration.defs.resources import Project
from orchestration.defs.runs import DOMAIN, read_current_run, read_dataset
from orchestration.store.results import load_bias

SHOWN = [
    "model",
    "dimension",
    "n_slices",
    "n_assessable",
    "best_slice",
    "worst_slice",
    "relative_gap",
    "shrunk_gap",
    "verdict",
]


@dg.asset(deps=["trained_models"], group_name="bias", kinds={"duckdb"})
def bias_metrics(project: Project) -> dg.MaterializeResult:
    """Error of every model in every slice, with intervals, q-values and reasons, in the schema `bias`."""
    from ml.reports.bias import TABLES, write_bias_reports
    from ml.runs.select import ranked

    run = read_current_run(project)
    tables = write_bias_reports(read_dataset(run.snapshot), run.evaluations, run.folder)
    if tables is None:
        raise ValueError("The training relation has no slice_* column: there is nothing to measure bias by.")
    with project.database() as database:
        load_bias(database, run.folder, DOMAIN, TABLES)
    best = ranked(run.evaluations)[0].model
    return dg.MaterializeResult(metadata=_metadata(tables.summary, tables.slice_metrics, best, run.folder))


def _metadata(summary: pd.DataFrame, slices: pd.DataFrame, best: str, folder: Path) -> dict[str, Any]:
    """The report, the gaps of the test part, and a picture of the best model's widest dimension."""
    from ml.reports.plots import error_per_slice

    test = summary[summary["split"] == "test"]
    own = test[(test["model"] == best) & ~test["is_outcome"]]
    widest = own.sort_values(["flagged", "shrunk_gap"], ascending=False, kind="stable")["dimension"].iloc[0]
    measured = slices[(slices["split"] == "test") & (slices["model"] == best) & ~slices["pooled"]]
    return {
        "dagster/row_count": len(slices),
        "flagged_dimensions": int(test["flagged"].sum()),
        "flagged_slices": int(slices.loc[slices["split"] == "test", "flagged"].sum()),
        "report": dg.MetadataValue.path(str(folder / "bias.html")),
        "report_link": dg.MetadataValue.url((folder / "bias.html").as_uri()),
        "best_model": dg.MetadataValue.md(markdown_table(own[SHOWN])),
        "error_per_slice": picture(
            error_per_slice(measured, widest), f"MAE of log hours by {widest}, {best}"
        ),
        "summary": dg.MetadataValue.md(markdown_table(test[SHOWN])),
    }
