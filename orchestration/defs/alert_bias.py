"""Bias per slice of the alerts' scorer, ranker and cluster scorer."""

from typing import Any

import dagster as dg
import pandas as pd

from orchestration.defs.metadata import markdown_table, picture
from orchestration.defs.resources import Project
from orchestration.defs.runs import read_current_run, read_dataset
from orchestration.results import load_bias

DOMAINS = ("alerts", "alert_clusters")
SHOWN = [
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


@dg.asset(deps=["alert_scores"], group_name="bias", kinds={"duckdb"})
def alert_bias(project: Project) -> dg.MaterializeResult:
    """For whom the alerts' models miss, wrongly flag, misjudge or rank too low, in the schema `bias`."""
    from ml.scoring_bias import TASKS, scoring_bias_tables, write_scoring_bias

    measured = []
    for domain in DOMAINS:
        run = read_current_run(project, domain, TASKS)
        tables = write_scoring_bias(read_dataset(run.snapshot), run.evaluations, run.folder)
        if tables is None:
            raise ValueError(f"The training relation of {domain} has no slice_* column to measure bias by.")
        with project.database() as database:
            load_bias(database, run.folder, scoring_bias_tables(run.evaluations), TASKS)
        measured.append(tables)
    project.publish()
    return dg.MaterializeResult(
        metadata=_metadata(*(_test_rows(measured, name) for name in ("summary", "score_metrics")))
    )


def _test_rows(measured: list[dict[str, pd.DataFrame]], name: str) -> pd.DataFrame:
    rows = pd.concat([tables[name] for tables in measured], ignore_index=True)
    return rows[rows["split"] == "test"]


def _metadata(summary: pd.DataFrame, metrics: pd.DataFrame) -> dict[str, Any]:
    """The gaps of the test part, the flagged figures, and a picture of the widest gap in recall."""
    from ml.plots import metric_per_slice

    recall = summary[summary["gap_metric"] == "recall"]
    widest = recall.sort_values(["flagged", "shrunk_gap"], ascending=False, kind="stable")
    dimension = str(widest["dimension"].iloc[0])
    flagged = metrics.loc[metrics["flagged"], ["model", "dimension", "slice", "metric", "n", "value"]]
    return {
        "dagster/row_count": len(metrics),
        "flagged_gaps": int(summary["flagged"].sum()),
        "flagged_slices": dg.MetadataValue.md(markdown_table(flagged)),
        "recall_per_slice": picture(
            metric_per_slice(metrics[~metrics["pooled"]], "recall", dimension), f"recall by {dimension}"
        ),
        "summary": dg.MetadataValue.md(markdown_table(summary[SHOWN])),
    }
