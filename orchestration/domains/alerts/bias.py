"""Bias per slice of the alerts' scorer, ranker and cluster scorer."""

from typing import Any

import dagster as dg
import pandas as pd

from orchestration.defs.metadata import markdown_table, picture
from orchestration.defs.resources import Project
from orchestration.defs.scored_bias import GAP_COLUMNS, measure_domain, rows_of_test

DOMAINS = ("alerts", "alert_clusters")


@dg.asset(deps=["alert_scores"], group_name="bias", kinds={"duckdb"})
def alert_bias(project: Project) -> dg.MaterializeResult:
    """For whom the alerts' models miss, wrongly flag, misjudge or rank too low, in the schema `bias`."""
    measured = [measure_domain(project, domain) for domain in DOMAINS]
    project.publish(*DOMAINS)
    return dg.MaterializeResult(
        metadata=_metadata(*(rows_of_test(measured, name) for name in ("summary", "score_metrics")))
    )


def _metadata(summary: pd.DataFrame, metrics: pd.DataFrame) -> dict[str, Any]:
    """The gaps of the test part, the flagged figures, and a picture of the widest gap in recall."""
    from ml.reports.plots import metric_per_slice

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
        "summary": dg.MetadataValue.md(markdown_table(summary[GAP_COLUMNS])),
    }
