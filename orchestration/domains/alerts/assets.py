"""Alerts after dbt: their snapshots and tasks, and the scores of the newest batch."""

import dagster as dg
from pydantic import Field

from orchestration.defs.resources import Project
from orchestration.defs.runs import read_dataset
from orchestration.defs.scored_assets import model_asset, snapshot_asset, tuned_parameters_asset
from orchestration.defs.scored_tasks import ScoredTask, ScoringRun, train_or_read
from orchestration.domains.alerts.serving import load_scores, score_newest_batch
from orchestration.store.feature_store import current_snapshot
from orchestration.store.results import load_training

RULE_ORDER = {"baseline": ["rule_confidence", "severity_rank"]}
ALERTS = {"name": "alerts", "baselines": RULE_ORDER}
CLUSTERS = {"name": "alert_clusters", "baselines": RULE_ORDER}

TASKS = {
    task.name: task
    for task in (
        ScoredTask(
            name="alert_scorer",
            domain="alerts",
            snapshot="alert_snapshot",
            kind="scorer",
            description="The chance that an alert is reported.",
        ),
        ScoredTask(
            name="alert_ranker",
            domain="alerts",
            snapshot="alert_snapshot",
            kind="ranker",
            description="The order in which the alerts of a batch are reviewed.",
        ),
        ScoredTask(
            name="alert_cluster_scorer",
            domain="alert_clusters",
            snapshot="alert_cluster_snapshot",
            kind="cluster",
            description="The chance that any alert of a cluster is reported.",
        ),
    )
}


class Serving(ScoringRun):
    """Which models score, those trained with the same fields, and how many alerts are reviewed."""

    review_cut: int = Field(default=20, ge=1, description="Critical alerts are never ranked below this.")


@dg.asset(deps=[["models", name] for name in TASKS], group_name="selection", kinds={"duckdb"})
def alert_scores(config: Serving, project: Project) -> dg.MaterializeResult:
    """Every alert of the newest batch, scored once: probability, reasons, rank and model versions."""
    from ml.store.run_folder import RunFolder

    found = {name: train_or_read(project, task, config) for name, task in TASKS.items()}
    (folder, scorer), (_, ranker) = found["alert_scorer"], found["alert_ranker"]
    items = read_dataset(current_snapshot(project.settings().snapshots_dir, "alerts")).items
    scores = score_newest_batch(
        items,
        RunFolder(folder).model("alert_scorer"),
        RunFolder(folder).model("alert_ranker"),
        (scorer.model_version, ranker.model_version),
        config.review_cut,
    )
    with project.database() as database:
        for name, (run, _) in found.items():
            load_training(database, run, [name], is_served=True)
        load_scores(database, scores)
    project.publish("alerts", "alert_clusters")
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(scores),
            "batch": str(scores["batch_id"].iloc[0]),
            "flagged": int(scores["is_flagged"].sum()),
            "held_above_cut": int(scores["is_held_above_cut"].sum()),
            "model_version": scorer.model_version,
        }
    )


alert_snapshots = [
    snapshot_asset("alert_snapshot", "train_alerts", "label_alerts", ALERTS),
    snapshot_asset("alert_cluster_snapshot", "train_alert_clusters", "label_alert_clusters", CLUSTERS),
]
alert_models = [model_asset(task) for task in TASKS.values()]
alert_tuning = [tuned_parameters_asset(task) for task in TASKS.values()]
alert_assets = [*alert_snapshots, *alert_models, *alert_tuning, alert_scores]
