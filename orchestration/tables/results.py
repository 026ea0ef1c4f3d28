"""What models are and how good they are, of all domains: the schemas `ml` and `history`."""

from orchestration.tables.table import INTERVAL, RUN, Columns, Table

MODEL: Columns = {
    "task": ("varchar", "regression (hours), binary (a scorer of 0/1 outcomes) or ranking."),
    "model": ("varchar", "Name of the model."),
}
SPLIT: Columns = {
    "split": (
        "varchar",
        "validation or test: later than all that the model learned from. Of figures also "
        "origin_1, … (earlier rolling origins; of scorers and rankers of batches, earlier cuts) and origins, "
        "their mean (of hours with that of validation).",
    ),
}
FIGURE: Columns = {
    "metric": (
        "varchar",
        "Name of the metric; errors are in hours, or of log(1 + hours) where the name ends in _log.",
    ),
    "value": ("double", "Value of the metric."),
    **INTERVAL,
    "n": ("bigint", "Rows that the metric is over."),
}
METRIC: Columns = {**RUN, **MODEL, **SPLIT, **FIGURE}
CELL: Columns = {
    "observed_after_days": ("double", "Age of the tickets when they were seen, open, in days."),
    "horizon_days": ("double", "Days from the creation within which a ticket is closed or not."),
}


RESULTS = (
    Table(
        "ml.runs",
        "The runs whose models are current. Grain: one row per run and domain.",
        {
            **RUN,
            "snapshot_id": ("varchar", "The training snapshot that the run learned from."),
            "started_at": ("timestamp", "When the training began (UTC)."),
            "finished_at": ("timestamp", "When the training ended (UTC)."),
            "git_sha": ("varchar", "Commit of the code that ran; unknown outside a git checkout."),
            "engine": ("varchar", "What started the run: dagster or the command line."),
            "seed": ("bigint", "Seed of everything that is drawn."),
            "status": ("varchar", "How the run ended."),
        },
    ),
    Table(
        "ml.promotions",
        "Every change of the champion, the oldest first. Grain: one row per change.",
        {
            "promoted_at": ("timestamp", "When it was made (UTC)."),
            "domain": RUN["domain"],
            "task": MODEL["task"],
            "action": ("varchar", "promotion, or rollback to an earlier champion."),
            "from_version": ("varchar", "Version of the champion before; null for the first one."),
            "to_version": ("varchar", "Version of the champion from then on."),
            "model": MODEL["model"],
            "run_id": RUN["run_id"],
            "snapshot_id": ("varchar", "The training snapshot that it learned from."),
            "who": ("varchar", "Who made it."),
            "why": ("varchar", "Why."),
            "gate": ("varchar", "What the bias gate said of it."),
            "figures": (
                "json",
                "Comparison with the champion before on the same test rows (JSON): error of log hours of "
                "both, the paired gain (positive: the new one is better) with its 95 % interval, and n.",
            ),
        },
    ),
    Table(
        "ml.models",
        "The current models of every domain and task. Grain: one row per model.",
        {
            "model_version": ("varchar", "Version of the model: changes with data, settings and code."),
            **RUN,
            **MODEL,
            "path": ("varchar", "File of the model within the run folder."),
            "sha256": ("varchar", "Hash of that file, checked when it is loaded."),
            "params": ("json", "Parameters that the model was trained with (JSON)."),
            "feature_list": ("varchar[]", "Features that the model reads, in order."),
            "alias": ("varchar", "champion: the one that is served; challenger: any other."),
        },
    ),
    Table(
        "ml.model_metrics",
        "Every metric of every current model. Grain: one row per model, split and metric.",
        METRIC,
    ),
    Table(
        "ml.horizon_metrics",
        "How well a model of the remaining time tells which tickets, open at an age, are closed within a "
        "horizon, beside the repository's own rate (_group_rate); of models of the hours, by how much the "
        "chances at creation are above the share that came true in each repository (level_error_in:…). "
        "Grain: one row per model, split, age, horizon and metric.",
        {**RUN, **MODEL, **SPLIT, **CELL, **FIGURE},
    ),
    Table(
        "ml.predictions",
        "Predictions for validation and test. Grain: one row per model, split, item and observation time.",
        {
            **RUN,
            **MODEL,
            "item_id": ("varchar", "The item: ticket, candidate, alert or cluster."),
            "event_at": ("timestamp", "Observation time T, for which the item is predicted (UTC)."),
            **SPLIT,
            "y_true": ("double", "The truth: hours, 0/1 or a grade; null where it is not known."),
            "y_pred": ("double", "The prediction: hours, or the probability or score."),
            "p10": ("double", "10th percentile of the predicted hours; null for scorers and rankers."),
            "p90": ("double", "90th percentile of the predicted hours; null for scorers and rankers."),
        },
    ),
    Table(
        "history.model_metrics",
        "The same metrics of all runs. Grain: one row per run, model, split and metric.",
        METRIC,
    ),
)
