"""Training of declared tasks into a run folder; what is up to date there is read, not trained again."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from orchestration.declarations import Task
from orchestration.defs.configs import RemainingRun, ScoringRun, TrainingRun, check_run_id, horizon_of
from orchestration.defs.resources import Project
from orchestration.store.snapshots import current_snapshot

if TYPE_CHECKING:
    from ml.data.dataset import Dataset
    from ml.store.record import Evaluation
    from ml.tasks.duration.task import TrainingConfig
    from ml.tasks.remaining.settings import RemainingConfig
    from ml.tasks.scoring.settings import ScoringConfig


def train(
    project: Project, tasks: Sequence[Task], run: Any, context: dg.AssetExecutionContext
) -> tuple[Path, list["Evaluation"]]:
    """Train tasks of one kind and training set on its newest snapshot; their folder and evaluations.

    Raises
    ------
    TooLittleDataError
        There are too few rows for a task.
    ValueError
        There is no snapshot, or the configuration cannot be meant.
    """
    from ml.runs.train import train_models
    from ml.tasks import task_of

    def tell(model: str, stage: str) -> None:
        context.log.info("%s: %s", model, stage)

    settings, first = project.settings(), tasks[0]
    dataset = dataset_of(project, first)
    folder = settings.runs_dir / run_name(first, run, dataset.snapshot_id)
    with settings.backend.in_force():
        return folder, train_models(
            dataset,
            [task.name for task in tasks],
            folder,
            harness_settings(first, run, tuned_file(settings.runs_dir, first)),
            tell,
            task=task_of(first.kind),
            git_sha=project.git_sha(),
            engine="dagster",
            party=context.run.run_id,
        )


def snapshot_version(project: Project, task: Task) -> dict[str, str]:
    """The newest snapshot of what a task learns from, by the name of its asset."""
    newest = current_snapshot(project.settings().snapshots_dir, task.learns_from.name)
    return {task.learns_from.snapshot: newest.name}


def dataset_of(project: Project, task: Task) -> "Dataset":
    """The newest snapshot of what a task learns from."""
    return read_dataset(current_snapshot(project.settings().snapshots_dir, task.learns_from.name))


# Two: what is trained on several domains in turn reads each of them once.
@lru_cache(maxsize=2)
def read_dataset(snapshot: Path) -> "Dataset":
    """The snapshot in memory; read once for all models of a process, since it never changes."""
    from ml.data.dataset import Dataset

    dataset = Dataset.from_dir(snapshot)
    if dataset.snapshot_id != snapshot.name:
        raise ValueError(
            f"The snapshot {snapshot} does not hold what its name says: it was changed, or taken by an "
            "earlier version; take it again with --select '*training_snapshot', or run the whole pipeline."
        )
    dataset.seal(snapshot)
    return dataset


def run_name(task: Task, run: Any, snapshot_id: str) -> str:
    """Name of the run's folder: given by the user, or made of what decides its results."""
    if given := getattr(run, "run_id", ""):
        return check_run_id(given)
    settings = run.model_dump(exclude={"models", "run_id"})
    decides = json.dumps([settings, horizon_of(task, run)], sort_keys=True)
    digest = hashlib.sha256(decides.encode()).hexdigest()
    return f"{task.learns_from.name}-{snapshot_id[:8]}-{digest[:6]}"


def harness_settings(task: Task, run: Any, tuned: Path) -> Any:
    """The settings that the harness trains a task with."""
    if task.kind == "remaining":
        return remaining_config(task, run)
    return training_config(run) if task.has_rivals else scoring_config(task, run, tuned)


def training_config(run: TrainingRun) -> "TrainingConfig":
    """The harness's settings for a duration model."""
    from ml.tasks.duration.task import TrainingConfig

    return TrainingConfig(trials=run.trials, seconds=run.seconds, subset_size=run.subset_size, seed=run.seed)


def remaining_config(task: Task, run: RemainingRun) -> "RemainingConfig":
    """The harness's settings for a model of the remaining time."""
    from ml.tasks.remaining.settings import RemainingConfig

    return RemainingConfig(params=task.params, **run.model_dump())


def scoring_config(task: Task, run: ScoringRun, tuned: Path) -> "ScoringConfig":
    """The harness's settings for a scorer or ranker; `tuned` is read only when the run says so.

    Raises
    ------
    ValueError
        The run wants tuned parameters and there are none.
    """
    from ml.search.settings import read_config

    if run.use_tuned and not tuned.is_file():
        raise ValueError(
            f"There are no tuned parameters of {task.name}: materialize tuned_parameters/{task.name} first, "
            "or train without use_tuned."
        )
    config = read_config(
        tuned if run.use_tuned else None,
        horizon_days=horizon_of(task, run),
        validation_groups=run.validation_groups,
        test_groups=run.test_groups,
        cv_folds=run.cv_folds,
        forward_cuts=run.forward_cuts,
        replicates=run.replicates,
        seed=run.seed,
    )
    return replace(config, params={**task.params, **config.params})


def tuned_file(runs_dir: Path, task: Task) -> Path:
    """Where `tuned_parameters` of a task are written."""
    return runs_dir / "tuned" / task.name / "best_params.yaml"
