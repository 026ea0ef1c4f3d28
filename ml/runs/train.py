"""Training of one model, and of all the models of a run with their files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from ml.data.dataset import Dataset
from ml.models import find
from ml.search.budget import tune
from ml.store.key import key_of
from ml.store.record import Evaluation
from ml.store.run_folder import RunFolder, now, original_name
from ml.tasks import DURATION
from ml.tasks.duration import TrainingConfig

__all__ = ["TrainingConfig", "train_models"]

Progress = Callable[[str, str], None]


def train_models(
    dataset: Dataset,
    names: Sequence[str],
    run_dir: str | Path,
    config: TrainingConfig | None = None,
    progress: Progress | None = None,
    *,
    git_sha: str | None = None,
    engine: str = "local",
) -> list[Evaluation]:
    """Train the models ``names`` into a run folder; what is up to date there is read, not trained again.

    Parameters
    ----------
    dataset : Dataset
    names : sequence of str
    run_dir : path
        ``{runs_dir}/{run_id}``; the encoded rows are kept beside it for the other models and runs.
    config : TrainingConfig or None
    progress : callable (model, stage) or None
        Stages are those of `ml.tasks.task.Task.train`, then "done" or, for what is up to date, "skipped".
    git_sha, engine : str
        Copied into the record.

    Returns
    -------
    list of Evaluation
        In the order of ``names``.
    """
    config, folder = config or TrainingConfig(), RunFolder(run_dir)
    tell = progress or (lambda model, stage: None)
    for name in names:
        find(name)
    with folder.at_work():
        _refuse_other_data(folder, names, dataset)
        evaluations: list[Evaluation] = []
        for name in names:
            key = training_key(dataset, name, config)
            current = folder.current(name, key)
            if current is not None:
                tell(name, "skipped")
                evaluations.append(current)
                continue
            begun = now()
            trained = DURATION.train(
                dataset,
                config,
                name,
                search=lambda objective: tune(objective, config.trials, config.seconds, config.seed).params,
                progress=partial(tell, name),
                cache_dir=folder.cache,
            )
            record = Evaluation(
                run_id=folder.run_id,
                domain=dataset.config.name,
                task=trained.task,
                model=name,
                snapshot_id=dataset.snapshot_id,
                key=key,
                seed=config.seed,
                settings=asdict(config),
                params=trained.params,
                feature_list=trained.feature_list,
                best_iteration=trained.best_iteration,
                metrics=trained.metrics,
                seconds=trained.seconds,
                started_at=begun,
                finished_at=now(),
                git_sha=git_sha,
                engine=engine,
            )
            evaluations.append(folder.save(record, trained.estimator, trained.predictions, trained.native))
            tell(name, "done")
    return evaluations


def training_key(dataset: Dataset, model: str, config: TrainingConfig) -> str:
    """Return the key of a model: it is up to date as long as nothing changes it."""
    return key_of(data=dataset.snapshot_id, task=DURATION.name, model=model, settings=asdict(config))


def _refuse_other_data(folder: RunFolder, names: Sequence[str], dataset: Dataset) -> None:
    """One run name is one snapshot: what a folder has of another one must all be trained again."""
    for there in folder.evaluations():
        mine = there.domain == dataset.config.name and original_name(there.model) not in names
        if mine and there.snapshot_id != dataset.snapshot_id:
            raise ValueError(
                f"The run {folder.run_id!r} has the model {there.model!r} of other data: "
                "train it again, too, or choose another run name."
            )
