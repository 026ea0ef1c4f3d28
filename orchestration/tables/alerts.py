"""The published tables of the alerts."""

from orchestration.tables.table import INTERVAL, REASONS, Table

ALERT_SCORES = Table(
    "alerts.scores",
    "The alerts of the newest batch, or of those that were asked for, scored. Grain: one row per alert.",
    {
        "item_id": ("varchar", "The alert."),
        "batch_id": ("varchar", "Batch as 'processing date/window in days'."),
        "event_at": ("timestamp", "Observation time T, midnight of the processing date (UTC)."),
        "probability": ("double", "Probability that the alert is reported."),
        "is_flagged": ("boolean", "Whether the probability reaches the scorer's threshold."),
        "probability_rank": ("bigint", "Place within the batch by probability, 1 first."),
        "rank": ("bigint", "Place in the order of review within the batch, by the ranker, 1 first."),
        "must_review": (
            "boolean",
            "A critical alert: it is reviewed beside the first ones, whatever its place.",
        ),
        "is_held_above_cut": (
            "boolean",
            "A critical alert that only must_review brings into the review: its rank is below the cut.",
        ),
        "may_be_known": (
            "boolean",
            "The models may have learned from the alert's batch: of a new one they know less.",
        ),
        "reasons": REASONS,
        "scorer_version": ("varchar", "Version of the scorer, which gives the probability."),
        "ranker_version": ("varchar", "Version of the ranker, which gives the order."),
    },
)
ALERT_ORDERS = Table(
    "alerts.review_orders",
    "How good the orders of review are on the test batches. Grain: one row per order and metric.",
    {
        "review_order": (
            "varchar",
            "By probability, by rank, or must_review_first: critical alerts, then rank.",
        ),
        "metric": ("varchar", "precision@20, ndcg@10 (means over batches) or average_precision."),
        "value": ("double", "Value of the metric."),
        **INTERVAL,
        "n": ("bigint", "Alerts behind it."),
    },
)
