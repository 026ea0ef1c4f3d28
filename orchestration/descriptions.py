"""What every published table and column means; readers of the file find it as comments on both."""

from collections.abc import Mapping

from orchestration.facts import FACTS

# A table's own sentence, and one per column.
Description = tuple[str, Mapping[str, str]]

_RUN = {
    "run_id": "Name of the run, which is that of its folder.",
    "domain": "tickets, assignees, alerts or alert_clusters.",
}
_MODEL = {
    "task": "regression (hours), binary (a scorer of 0/1 outcomes) or ranking.",
    "model": "Name of the model.",
}
_SPLIT = {"split": "validation or test: later than all that the model learned from."}
_INTERVAL = {
    "ci_low": "Lower end of the 95 % bootstrap interval; null where there is too little data for one.",
    "ci_high": "Upper end of the 95 % bootstrap interval; null where there is too little data for one.",
}
_METRIC = {
    **_RUN,
    **_MODEL,
    **_SPLIT,
    "metric": "Name of the metric; errors are in hours, or of log(1 + hours) where the name ends in _log.",
    "value": "Value of the metric.",
    **_INTERVAL,
    "n": "Rows that the metric is over.",
}
_TICKET = {
    "item_id": "The ticket as repository#number.",
    "repository": "Repository as owner/name.",
    "number": "Number of the ticket within its repository.",
}
_REASONS = "The features that moved the score most, strongest first, with what each contributed (log-odds)."
_QUARTILES = {
    "min": "Smallest value, as text, cut to 200 characters.",
    "q25": "First quartile (approximate; numbers and times only).",
    "median": "Median (approximate; numbers and times only).",
    "q75": "Third quartile (approximate; numbers and times only).",
    "max": "Largest value, as text, cut to 200 characters.",
}

TABLES: dict[str, Description] = {
    "ml.runs": (
        "The runs whose models are current. Grain: one row per run and domain.",
        {
            **_RUN,
            "snapshot_id": "The training snapshot that the run learned from.",
            "started_at": "When the training began (UTC).",
            "finished_at": "When the training ended (UTC).",
            "git_sha": "Commit of the code that ran; unknown outside a git checkout.",
            "engine": "What started the run: dagster or the command line.",
            "seed": "Seed of everything that is drawn.",
            "status": "How the run ended.",
        },
    ),
    "ml.models": (
        "The current models of every domain and task. Grain: one row per model.",
        {
            "model_version": "Version of the model: changes with data, settings and code.",
            **_RUN,
            **_MODEL,
            "path": "File of the model within the run folder.",
            "sha256": "Hash of that file, checked when it is loaded.",
            "params": "Parameters that the model was trained with (JSON).",
            "feature_list": "Features that the model reads, in order.",
            "alias": "champion: the one that is served; challenger: any other.",
        },
    ),
    "ml.model_metrics": (
        "Every metric of every current model. Grain: one row per model, split and metric.",
        _METRIC,
    ),
    "history.model_metrics": (
        "The same metrics of all runs. Grain: one row per run, model, split and metric.",
        _METRIC,
    ),
    "ml.predictions": (
        "Predictions for validation and test. Grain: one row per model, split, item and observation time.",
        {
            **_RUN,
            **_MODEL,
            "item_id": "The item: ticket, candidate, alert or cluster.",
            "event_at": "Observation time T, for which the item is predicted (UTC).",
            **_SPLIT,
            "y_true": "The truth: hours, 0/1 or a grade; null where it is not known.",
            "y_pred": "The prediction: hours, or the probability or score.",
            "p10": "10th percentile of the predicted hours; null for scorers and rankers.",
            "p90": "90th percentile of the predicted hours; null for scorers and rankers.",
        },
    ),
    "tickets.predictions": (
        "What the champion says of the open tickets, seen from their creation. Grain: one row per ticket.",
        {
            **_TICKET,
            "predicted_hours": "Predicted hours from creation to resolution.",
            "p10": "10th percentile of the predicted hours.",
            "p90": "90th percentile of the predicted hours.",
            **{
                f"p_within_{days}d": f"Probability of being closed within {days} days of the creation."
                for days in FACTS["horizons_days"]
            },
            "model_version": "Version of the champion.",
            "scored_at": "When the ticket was scored (UTC).",
            "reason": "Why there is no prediction; null where there is one.",
        },
    ),
    "tickets.assignee_candidates": (
        "Who is most likely to take an open ticket. Grain: one row per ticket and person.",
        {
            **_TICKET,
            "login": "The person.",
            "rank": "Place in the ticket's list, 1 first.",
            "probability": "Probability that this person takes the ticket.",
            "reasons": _REASONS,
            "observed_at": "When the question is asked: what was known by then is used (UTC).",
            "model_version": "Version of the model.",
        },
    ),
    "alerts.scores": (
        "The alerts of the newest batch, scored. Grain: one row per alert.",
        {
            "item_id": "The alert.",
            "batch_id": "Batch as 'processing date/window in days'.",
            "event_at": "Observation time T, midnight of the processing date (UTC).",
            "probability": "Probability that the alert is reported.",
            "is_flagged": "Whether the probability reaches the scorer's threshold.",
            "rank": "Place in the order of review within the batch, 1 first.",
            "is_held_above_cut": "A critical alert that is held above the cut; the ranker put it below.",
            "reasons": _REASONS,
            "scorer_version": "Version of the scorer, which gives the probability.",
            "ranker_version": "Version of the ranker, which gives the order.",
        },
    ),
    "feature_store.feature_registry": (
        "Which features exist. Grain: one row per feature view and feature.",
        {
            "feature_view": "The dbt model that makes the feature.",
            "feature": "Name of the feature.",
            "dtype": "Its type in DuckDB.",
            "entity": "Whose value it is.",
            "owner": "Who answers for the view.",
            "description": "What it says, with its unit.",
            "ttl": "How old a value may be before it counts as unknown.",
            "sql_hash": "Hash of the view's SQL and of all that it reads.",
            "version": "Counts the changes of that hash, from 1.",
        },
    ),
    "feature_store.feature_stats": (
        "What the features look like. Grain: one row per training snapshot and feature.",
        {
            "snapshot_id": "The training snapshot.",
            "feature": "Name of the feature.",
            "dtype": "Its type in DuckDB.",
            "n": "Rows.",
            "null_share": "Share of rows without a value (0 to 1).",
            "n_distinct": "Different values (approximate).",
            "mean": "Mean, of numbers.",
            "std": "Standard deviation, of numbers.",
            **_QUARTILES,
        },
    ),
    "feature_store.training_snapshots": (
        "What models were trained on. Grain: one row per snapshot.",
        {
            "snapshot_id": "Content hash of the snapshot, which names its folder.",
            "domain": _RUN["domain"],
            "sha256": "The same hash.",
            "rows": "Rows of the training relation.",
            "n_features": "Features of the training relation.",
            "feature_versions": "Version of each feature view at the time (JSON).",
            "git_sha": "Commit of the code that took it; unknown outside a git checkout.",
            "path": "Its folder below the snapshots.",
            "created_at": "When it was taken (UTC).",
        },
    ),
}

_BIAS = {
    "slice_metrics": "Error of each model in each slice",
    "summary": "Best and worst slice and the gap of each model and dimension",
    "distribution": "How the training relation is spread over the slices",
    "composition": "Whether a slice's gap is the model's or the mix's",
    "intersections": "Combinations of slices that are worse than each of their parts",
    "over_time": "The gap of the flagged and the worst slices, month by month",
    "mitigation": "What each method of mitigation changed in the worst slice",
    "score_metrics": "Metrics of each scorer in each slice",
    "ranking_metrics": "Metrics of each ranking over the lists of one slice",
    "ranking_exposure": "How much attention each slice gets in the first places, and what its grades deserve",
    "ranking_concentration": "How unevenly the first place falls to people, beside how it truly fell",
}


def descriptions() -> dict[str, Description]:
    """The published tables, by `schema.table`; those of the bias say themselves what their columns mean."""
    from ml.bias.tables import columns, table_names

    bias = {
        name: (f"{_BIAS[name]}.", {**_RUN, **{c.name: c.comment for c in columns(name)}})
        for name in table_names()
    }
    return {
        **TABLES,
        **{f"bias.{name}": described for name, described in bias.items()},
        "history.bias_summary": (f"{_BIAS['summary']}, of all runs.", bias["summary"][1]),
    }
