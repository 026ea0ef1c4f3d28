"""The mirror of the promotions elsewhere, where a setting asks for it."""

import dagster as dg

from orchestration.defs.executor import PRIORITY
from orchestration.defs.resources import Project
from orchestration.defs.unchanged import journal_of_promotions, unless_unchanged


@dg.asset(deps=["best_model"], group_name="selection", op_tags={PRIORITY: "0"})
@unless_unchanged(
    also=lambda project, config: [
        journal_of_promotions(project, config), project.settings().mlflow_tracking_uri
    ]
)  # fmt: skip
def registry_mirror(project: Project) -> dg.MaterializeResult:
    """The promoted models in an MLflow registry, the champion by alias; off without MLFLOW_TRACKING_URI."""
    from ml.runs.mirror import mirror

    settings = project.settings()
    is_on = bool(settings.mlflow_tracking_uri)
    added = mirror(settings.runs_dir, settings.mlflow_tracking_uri) if is_on else 0
    return dg.MaterializeResult(metadata={"is_on": is_on, "versions_added": added})
