"""Tasks on tickets beside the hours: whether one will be closed within a horizon."""

from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from orchestration.defs.resources import Project
from orchestration.defs.runs import DOMAIN
from orchestration.feature_store import current_snapshot

if TYPE_CHECKING:
    from ml.scoring import ScoringConfig


class LateScoring(dg.Config):
    """How the late scorer is trained."""

    horizon_days: float = Field(
        default=7, gt=0, description="Closed within so many days of creation, or not."
    )
    validation_share: float = Field(default=0.1, gt=0, lt=1, description="Of each repository's tickets.")
    test_share: float = Field(default=0.2, gt=0, lt=1, description="Of each repository's tickets.")
    replicates: int = Field(default=100, ge=0, description="Bootstrap resamples; 0 for no intervals.")
    seed: int = Field(default=0, ge=0)


def late_config(run: LateScoring) -> "ScoringConfig":
    """The harness's settings: by time on every repository's own timeline, no folds, which ignore time."""
    from ml.scoring import ScoringConfig

    return ScoringConfig(
        validation_groups=run.validation_share,
        test_groups=run.test_share,
        cv_folds=0,
        replicates=run.replicates,
        seed=run.seed,
    )


@dg.asset(key=["models", "late_scorer"], deps=["training_snapshot"], group_name="models")
def late_scorer(config: LateScoring, project: Project) -> dg.MaterializeResult:
    """The chance that a ticket is closed within the horizon; every ticket that is old enough has a label."""
    from ml.binary import BINARY
    from ml.dataset import Dataset
    from ml.horizon_labels import within_horizon
    from ml.scoring_files import figures_text, train_into_folder

    settings = project.settings()
    tickets = Dataset.from_dir(current_snapshot(settings.snapshots_dir, DOMAIN))
    dataset = within_horizon(tickets, config.horizon_days)
    folder = settings.runs_dir / f"{DOMAIN}-late-{dataset.snapshot_id[:8]}"
    evaluation = train_into_folder(
        dataset,
        BINARY,
        "late_scorer",
        folder,
        late_config(config),
        git_sha=project.git_sha(),
        engine="dagster",
    )
    shown = ("auc", "average_precision", "brier", "calibration_error")
    return dg.MaterializeResult(
        metadata={
            **{metric: evaluation.value("test", metric) for metric in shown},
            "horizon_days": config.horizon_days,
            "figures": dg.MetadataValue.md(f"```\n{figures_text(evaluation.metrics)}\n```"),
            "model_version": evaluation.model_version,
            "run_folder": dg.MetadataValue.path(str(folder)),
        }
    )
