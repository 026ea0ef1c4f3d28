"""Alerts after dbt: snapshots, models, the scores of the newest batch, and for whom they are wrong."""

from collections.abc import Sequence
from typing import Any

import dagster as dg
from pydantic import Field

from orchestration.defs.bias import Tables, bias_asset
from orchestration.defs.configs import ScoringRun, unheeded
from orchestration.defs.executor import HOLDS_DATABASE
from orchestration.defs.metadata import markdown_table, picture
from orchestration.defs.models import model_asset
from orchestration.defs.resources import Project
from orchestration.defs.runs import Run, served_model, served_predictions
from orchestration.defs.snapshots import snapshot_assets
from orchestration.defs.training import read_dataset
from orchestration.defs.tuning import tuned_parameters_asset
from orchestration.defs.unchanged import unless_unchanged
from orchestration.domains.alerts.domain import DOMAIN
from orchestration.domains.alerts.orders import load_orders, measure_orders
from orchestration.domains.alerts.serving import chosen_batches, load_scores, score_batches
from orchestration.domains.alerts.tasks import ALERTS, RANKER, SCORER
from orchestration.store.snapshots import current_snapshot
from orchestration.tables import ALERT_SCORES


class Serving(ScoringRun):
    """Which alerts are reviewed. The models are the current ones: the other fields are theirs to heed."""

    review_cut: int = Field(
        default=20, ge=1, description="Last rank that is reviewed; critical alerts are whatever their rank."
    )
    batches: list[str] = Field(
        default=[], description="Batches to score, such as 2024-06-24/28; the newest one if empty."
    )


@dg.asset(
    deps=[*(["models", task.name] for task in DOMAIN.tasks), ALERTS.snapshot],
    group_name="serving",
    kinds={"duckdb"},
    op_tags=HOLDS_DATABASE,
)
@unless_unchanged()
def alert_scores(
    context: dg.AssetExecutionContext, config: Serving, project: Project
) -> dg.MaterializeResult:
    """Every alert of the newest batch, judged or not, scored once by the current models, and their orders."""
    if names := unheeded(config):
        context.log.warning("Nothing is trained here: give %s to models/… instead.", ", ".join(names))
    (scorer, scored_by), (ranker, ranked_by) = served_model(project, SCORER), served_model(project, RANKER)
    items = read_dataset(current_snapshot(project.settings().snapshots_dir, ALERTS.name)).items
    scores = score_batches(
        chosen_batches(items, config.batches),
        scorer,
        ranker,
        (scored_by.model_version, ranked_by.model_version),
        config.review_cut,
    )
    orders = measure_orders(
        served_predictions(project, scored_by), served_predictions(project, ranked_by), items
    )
    with project.database() as database:
        load_scores(database, scores)
        load_orders(database, orders)
    project.publish(DOMAIN)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(scores),
            "dagster/column_schema": project.column_schema(ALERT_SCORES.name),
            "batch": ", ".join(sorted(scores["batch_id"].unique())),
            "flagged": int(scores["is_flagged"].sum()),
            "must_review": int(scores["must_review"].sum()),
            "held_above_cut": int(scores["is_held_above_cut"].sum()),
            "orders": dg.MetadataValue.md(markdown_table(orders)),
            "model_version": scored_by.model_version,
        }
    )


def show_recall(test: Tables, runs: Sequence[Run]) -> dict[str, Any]:
    """The flagged figures, and a picture of the widest gap in recall."""
    from ml.reports.plots import metric_per_slice

    metrics, gaps = test["score_metrics"], test["summary"]
    recall = gaps[gaps["gap_metric"] == "recall"]
    widest = recall.sort_values(["flagged", "shrunk_gap"], ascending=False, kind="stable")
    dimension = str(widest["dimension"].iloc[0])
    flagged = metrics.loc[metrics["flagged"], ["model", "dimension", "slice", "metric", "n", "value"]]
    drawn = metric_per_slice(metrics[~metrics["pooled"]], "recall", dimension)
    return {
        "dagster/row_count": len(metrics),
        "flagged_slices": dg.MetadataValue.md(markdown_table(flagged)),
        "recall_per_slice": picture(drawn, f"recall by {dimension}"),
    }


alert_bias = bias_asset(
    DOMAIN,
    ("binary", "ranking"),
    name="alert_bias",
    after=[f"models/{task.name}" for task in DOMAIN.tasks],
    description="For whom the alerts' models miss, wrongly flag, misjudge or rank too low, in the schema "
    "`bias`.",
    show=show_recall,
)
alert_snapshots = snapshot_assets(DOMAIN)
alert_models = [model_asset(task) for task in DOMAIN.tasks]
alert_tuning = [tuned_parameters_asset(task) for task in DOMAIN.tasks]
