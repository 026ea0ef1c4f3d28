"""The training of models into a run folder: one loop for all tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from ml.backend import cluster_of_rows
from ml.data.dataset import Dataset
from ml.models import find, registry
from ml.search.budget import tune
from ml.store.key import key_of
from ml.store.record import Evaluation, now
from ml.store.run_folder import RunFolder, original_name
from ml.tasks import DURATION, Task
from ml.tasks.task import Objective

Progress = Callable[[str, str], None]


def train_models(
    dataset: Dataset,
    names: Sequence[str],
    run_dir: str | Path,
    settings: Any = None,
    progress: Progress | None = None,
    *,
    task: Task = DURATION,
    git_sha: str | None = None,
    engine: str = "local",
    party: str = "",
) -> list[Evaluation]:
    """Train the models ``names`` into a run folder; what is up to date there is read, not trained again.

    Parameters
    ----------
    dataset : Dataset
    names : sequence of str
        A model that is called as a family is of that family, another one of the task's own.
    run_dir : path
        ``{runs_dir}/{run_id}``; the encoded rows are kept beside it for the other models and runs.
    settings : object or None
        An instance of the task's settings; those of one that has ``trials`` and ``seconds`` are searched for.
    progress : callable (model, stage) or None
        Stages are those of `ml.tasks.task.Task.train`, then "done" or, for what is up to date, "skipped".
    task : Task
    git_sha, engine : str
        Copied into the record.
    party : str
        Processes that name the same one train models beside each other in the folder.

    Returns
    -------
    list of Evaluation
        In the order of ``names``.

    Raises
    ------
    ValueError
        When the folder has models of other data, or another process is at work in it.
    """
    folder, chosen = RunFolder(run_dir), settings or task.settings()
    tell = progress or (lambda model, stage: None)
    families = {name: _family(name, task) for name in names}
    evaluations: list[Evaluation] = []
    with folder.at_work(party):
        _refuse_other_data(folder, names, dataset)
        for name, family in families.items():
            key = training_key(dataset.snapshot_id, task, chosen, name)
            current = folder.current(name, key)
            if current is not None:
                tell(name, "skipped")
                evaluations.append(current)
                continue
            begun = now()
            trained = task.train(
                dataset,
                chosen,
                family,
                search=_search(chosen, registry(task.name)[family].search_pays),
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
                seed=chosen.seed,
                settings=asdict(chosen),
                params=trained.params,
                feature_list=trained.feature_list,
                best_iteration=trained.best_iteration,
                metrics=trained.metrics,
                horizon_metrics=trained.horizon_metrics,
                learning_curve=trained.learning_curve,
                importance=trained.importance,
                seconds=trained.seconds,
                started_at=begun,
                finished_at=now(),
                git_sha=git_sha,
                engine=engine,
                fitted_by=_row_engine(family, task),
            )
            saved = folder.save(
                record, trained.estimator, trained.predictions, trained.native, trained.report
            )
            evaluations.append(saved)
            tell(name, "done")
    return evaluations


def training_key(snapshot_id: str, task: Task, settings: Any, name: str) -> str:
    """Return the key of a training: of data, task, settings, model, and the code that is run."""
    decides = {"data": snapshot_id, "task": task.kind, "settings": asdict(settings)}
    family = _family(name, task)
    if engine := _row_engine(family, task):  # other last digits than in one process
        decides["fitted_by"] = engine
    return key_of(**decides, model=name, family=family)


def _row_engine(family: str, task: Task) -> str:
    """What spreads the rows of a family's fits over the cluster in force; empty where they stay together."""
    return registry(task.name)[family].row_engine if cluster_of_rows() is not None else ""


def _family(name: str, task: Task) -> str:
    """The family of a model; of durations every model is a family by its own name."""
    if task is DURATION:
        return find(name).name
    return name if name in registry(task.name) else task.family


def _search(settings: Any, pays: bool) -> Callable[[Objective], dict[str, Any]] | None:
    """What looks for parameters before the fit, where that pays and the settings give it a budget."""
    if not pays or not getattr(settings, "trials", 0):
        return None
    return lambda objective: tune(objective, settings.trials, settings.seconds, settings.seed)


def _refuse_other_data(folder: RunFolder, names: Sequence[str], dataset: Dataset) -> None:
    """One run name is one snapshot: what a folder has of another one must all be trained again."""
    for there in folder.evaluations():
        mine = there.domain == dataset.config.name and original_name(there.model) not in names
        if mine and there.snapshot_id != dataset.snapshot_id:
            raise ValueError(
                f"The run {folder.run_id!r} has the model {there.model!r} of other data: "
                "train it again, too, or choose another run name."
            )
