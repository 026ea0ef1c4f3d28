"""What is learned of alerts: which are reported, in which order to review them, and which clusters matter."""

from orchestration.declarations import Task, TrainingSet

RULE_ORDER = {"baselines": {"baseline": ["rule_confidence", "severity_rank"]}}
ALERTS = TrainingSet("alerts", "train_alerts", "label_alerts", "alert_snapshot", RULE_ORDER)
CLUSTERS = TrainingSet(
    "alert_clusters", "train_alert_clusters", "label_alert_clusters", "alert_cluster_snapshot", RULE_ORDER
)
SCORER = Task(
    name="alert_scorer",
    learns_from=ALERTS,
    kind="scorer",
    description="The chance that an alert is reported, learned from whole batches; `alert_scores` asks it.",
)
RANKER = Task(
    name="alert_ranker",
    learns_from=ALERTS,
    kind="ranker",
    description="The order in which the alerts of a batch are reviewed, for `rank` in `alerts.scores`.",
)
CLUSTER_SCORER = Task(
    name="alert_cluster_scorer",
    learns_from=CLUSTERS,
    kind="cluster",
    description="The chance that any alert of a cluster is reported, learned from clusters of whole batches.",
)
TASKS = (SCORER, RANKER, CLUSTER_SCORER)
