"""Scorers and rankers of any domain: how a task is declared, configured and trained."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import dagster as dg
from pydantic import Field

from orchestration.defs.resources import Project
from orchestration.defs.runs import read_dataset
from orchestration.store.feature_store import current_snapshot

if TYPE_CHECKING:
    from ml.store.record import Evaluation
    from ml.tasks.scoring import ScoringConfig


class ScoringRun(dg.Config):
    """How a scorer or ranker is trained: by default on whole groups in time."""

    validation_groups: float = Field(default=0.22, description="Groups for validation; below 1, a share.")
    test_groups: float = Field(default=0.27, description="Groups for the test; below 1, a share.")
    cv_folds: int = Field(default=5, ge=0, description="Stratified folds of groups; 0 for none.")
    replicates: int = Field(default=500, ge=0, description="Bootstrap resamples; 0 for no intervals.")
    use_tuned: bool = Field(default=False, description="Take the best parameters of `tuned_parameters`.")
    seed: int = Field(default=0, ge=0)


class TimelineRun(ScoringRun):
    """The same on timelines of their own: shares of each, and no folds, which ignore time."""

    validation_groups: float = Field(default=0.1, gt=0, lt=1, description="Share of each timeline.")
    test_groups: float = Field(default=0.2, gt=0, lt=1, description="Share of each timeline.")
    cv_folds: int = Field(default=0, ge=0, description="Stratified folds of groups; 0 for none.")
    replicates: int = Field(default=100, ge=0, description="Bootstrap resamples; 0 for no intervals.")


class Tuning(dg.Config):
    """The budget of a search."""

    trials: int = Field(default=3, ge=1, description="Trials in all; those of earlier runs count.")
    rows: int | None = Field(default=None, ge=1, description="Search on about so many rows; all if empty.")
    seed: int = Field(default=0, ge=0)


class SmallTuning(Tuning):
    """A search that is over in seconds on a large domain."""

    trials: int = Field(default=2, ge=1, description="Trials in all; those of earlier runs count.")
    rows: int | None = Field(default=1000, ge=1, description="Search on about so many rows; all if empty.")


@dataclass(frozen=True)
class ScoredTask:
    """One model: what is learned from which snapshot.

    Attributes
    ----------
    name : str
        Of the model, and of its assets `models/{name}` and `tuned_parameters/{name}`.
    domain : str
        Name of the snapshot's domain.
    snapshot : str
        The asset that takes it.
    kind : {"scorer", "ranker", "cluster"}
        The type that the harness knows it by.
    description : str
        Of the asset.
    horizon_days : float or None
        When the labels are settled, counted from an item's start; None: they are used as given.
    params : mapping
        Parameters of LightGBM over the kind's defaults; tuned ones have precedence.
    run, tuning : type
        How it is trained and tuned, with the defaults; a field `horizon_days` overrules the task's.
    """

    name: str
    domain: str
    snapshot: str
    kind: Literal["scorer", "ranker", "cluster"]
    description: str
    horizon_days: float | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    run: type[ScoringRun] = ScoringRun
    tuning: type[Tuning] = Tuning

    def horizon(self, config: ScoringRun | Tuning) -> float | None:
        """The horizon of a run or search."""
        return getattr(config, "horizon_days", self.horizon_days)


def tuned_file(runs_dir: Path, task: ScoredTask) -> Path:
    """Where `tuned_parameters` of a model are written."""
    return runs_dir / "tuned" / task.name / "best_params.yaml"


def scoring_config(task: ScoredTask, run: ScoringRun, tuned: Path) -> "ScoringConfig":
    """The harness's settings for a run's configuration; `tuned` is read only when the run says so.

    Raises
    ------
    ValueError
        The run wants tuned parameters and there are none.
    """
    from ml.cli.scoring import read_config

    if run.use_tuned and not tuned.is_file():
        raise ValueError(
            f"There are no tuned parameters of {task.name}: materialize tuned_parameters/{task.name} first, "
            "or train without use_tuned."
        )
    config: ScoringConfig = read_config(
        tuned if run.use_tuned else None,
        horizon_days=task.horizon(run),
        validation_groups=run.validation_groups,
        test_groups=run.test_groups,
        cv_folds=run.cv_folds,
        replicates=run.replicates,
        seed=run.seed,
    )
    return replace(config, params={**task.params, **config.params})


def run_name(task: ScoredTask, run: ScoringRun, snapshot_id: str) -> str:
    """Name of the run's folder: made of what decides its result."""
    settings = {name: getattr(run, name) for name in task.run.model_fields}
    decides = json.dumps([settings, task.horizon(run)], sort_keys=True)
    return f"{task.domain}-{snapshot_id[:8]}-{hashlib.sha256(decides.encode()).hexdigest()[:6]}"


def train_or_read(project: Project, task: ScoredTask, run: ScoringRun) -> tuple[Path, "Evaluation"]:
    """Train a model on its domain's newest snapshot unless it is up to date; its folder and evaluation."""
    from ml.runs.train import train_models
    from ml.tasks import task_of

    settings = project.settings()
    dataset = read_dataset(current_snapshot(settings.snapshots_dir, task.domain))
    config = scoring_config(task, run, tuned_file(settings.runs_dir, task))
    folder = settings.runs_dir / run_name(task, run, dataset.snapshot_id)
    (evaluation,) = train_models(
        dataset,
        [task.name],
        folder,
        config,
        task=task_of(task.kind),
        git_sha=project.git_sha(),
        engine="dagster",
    )
    return folder, evaluation
