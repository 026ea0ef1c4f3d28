"""Training of one model, and of all the models of a run with their files."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.data.dataset import Dataset
from ml.data.splits import Split, split_by_time
from ml.encoding.matrix import Prepared, build_preprocessor, prepare
from ml.models import ModelSpec, Params, find
from ml.runs.config import TrainingConfig
from ml.search.tuning import tune
from ml.stats.figure import Metric
from ml.store.key import key_of
from ml.store.record import Evaluation
from ml.store.run_folder import RunFolder, now, original_name
from ml.tasks.duration import Workbench
from ml.tasks.duration_model import DurationModel

__all__ = ["TrainedModel", "TrainingConfig", "train", "train_models"]

TASK = "regression"
Progress = Callable[[str, str], None]


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A fitted model with its predictions (validation and test rows) and figures."""

    spec: ModelSpec
    model: DurationModel
    params: Params
    best_iteration: int | None
    predictions: pd.DataFrame
    metrics: list[Metric]
    seconds: dict[str, float]


def train(
    dataset: Dataset,
    split: Split,
    model_name: str,
    config: TrainingConfig | None = None,
    prepared: Prepared | None = None,
    progress: Progress | None = None,
) -> TrainedModel:
    """Train, calibrate and evaluate one model.

    It is fitted on the training part, tuned and stopped on the validation part, calibrated by a backtest
    within them, fitted again with the same parameters on both with what was known when the test part
    began, and scored on the test part once.

    Parameters
    ----------
    dataset : Dataset
    split : Split
    model_name : str
    config : TrainingConfig or None
    prepared : Prepared or None
        The encoded matrix, when it is there already.
    progress : callable (model, stage) or None
        Called when a stage begins.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        # One thread per fit: threads of linear algebra inside threads of fits wait for each other, and the
        # last digits would depend on the number of cores.
        return _train(dataset, split, find(model_name), config or TrainingConfig(), prepared, progress)


def _train(
    dataset: Dataset,
    split: Split,
    spec: ModelSpec,
    config: TrainingConfig,
    prepared: Prepared | None,
    progress: Progress | None,
) -> TrainedModel:
    tell = progress or (lambda model, stage: None)
    seconds: dict[str, float] = {}

    tell(spec.name, "prepare")
    started = time.perf_counter()
    encoder, x = _encode(dataset, split, spec, config, prepared)
    rows = training_rows(split, config)
    bench = Workbench(dataset, split, x, rows, config.weighting, config.seed)
    seconds["prepare"] = _lap(started)

    tell(spec.name, "tune")
    started = time.perf_counter()
    found = tune(
        spec, bench.tuning_data(spec, config.tuning_rows), config.trials, config.seconds, config.seed
    )
    seconds["tune"] = _lap(started)

    tell(spec.name, "fit")
    started = time.perf_counter()
    params = {**spec.defaults, **found.params}
    first, best_iteration = bench.fit_on_training(spec, params)
    if best_iteration is not None:
        params["n_estimators"] = best_iteration
    final = bench.fit_before_test(spec, params)
    on_validation, model = bench.calibrate(encoder, first, final, bench.backtest(spec, params))
    seconds["fit"] = _lap(started)

    tell(spec.name, "evaluate")
    started = time.perf_counter()
    predictions = bench.predictions(on_validation, model)
    metrics = bench.metrics(predictions, config.replicates)
    seconds["evaluate"] = _lap(started)
    return TrainedModel(spec, model, params, best_iteration, predictions, metrics, seconds)


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
        Stages are "prepare", "tune", "fit", "evaluate", then "done" or, for what is up to date, "skipped".
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
        split: Split | None = None
        evaluations: list[Evaluation] = []
        for name in names:
            key = training_key(dataset, name, config)
            current = folder.current(name, key)
            if current is not None:
                tell(name, "skipped")
                evaluations.append(current)
                continue
            if split is None:
                split = split_by_time(dataset, config.validation, config.test, config.min_timeline_labels)
            begun = now()
            prepared = None
            started = time.perf_counter()
            if find(name).inputs == "features":
                tell(name, "prepare")
                prepared = prepare(dataset, split, config.preprocessing, folder.cache)
            waited = _lap(started)
            trained = train(dataset, split, name, config, prepared, tell)
            trained.seconds["prepare"] = round(trained.seconds["prepare"] + waited, 3)
            record = Evaluation(
                run_id=folder.run_id,
                domain=dataset.config.name,
                task=TASK,
                model=name,
                snapshot_id=dataset.snapshot_id,
                key=key,
                seed=config.seed,
                settings=asdict(config),
                params=trained.params,
                feature_list=dataset.features,
                best_iteration=trained.best_iteration,
                metrics=trained.metrics,
                seconds=trained.seconds,
                started_at=begun,
                finished_at=now(),
                git_sha=git_sha,
                engine=engine,
            )
            native = trained.spec.native and trained.spec.native(trained.model.regressor)
            evaluations.append(folder.save(record, trained.model, trained.predictions, native))
            tell(name, "done")
    return evaluations


def training_key(dataset: Dataset, model: str, config: TrainingConfig) -> str:
    """Return the key of a model: it is up to date as long as nothing changes it."""
    return key_of(data=dataset.snapshot_id, task=TASK, model=model, settings=asdict(config))


def _refuse_other_data(folder: RunFolder, names: Sequence[str], dataset: Dataset) -> None:
    """One run name is one snapshot: what a folder has of another one must all be trained again."""
    for there in folder.evaluations():
        mine = there.domain == dataset.config.name and original_name(there.model) not in names
        if mine and there.snapshot_id != dataset.snapshot_id:
            raise ValueError(
                f"The run {folder.run_id!r} has the model {there.model!r} of other data: "
                "train it again, too, or choose another run name."
            )


def encoded_rows(
    dataset: Dataset, split: Split, spec: ModelSpec, config: TrainingConfig, folder: RunFolder
) -> NDArray[Any]:
    """Return the rows of a run as the family sees them, from the run's cache where they are there."""
    prepared = None
    if spec.inputs == "features":
        prepared = prepare(dataset, split, config.preprocessing, folder.cache)
    return _encode(dataset, split, spec, config, prepared)[1]


def _encode(
    dataset: Dataset, split: Split, spec: ModelSpec, config: TrainingConfig, prepared: Prepared | None
) -> tuple[Any, NDArray[Any]]:
    if spec.inputs == "group":
        selector = build_preprocessor(dataset, "group")
        return selector, selector.transform(dataset.items)
    prepared = prepared or prepare(dataset, split, config.preprocessing)
    return prepared.encoder, np.asarray(prepared.matrix)


def training_rows(split: Split, config: TrainingConfig) -> NDArray[np.bool_]:
    """Return the mask of the training rows in use: all, or as many as the configuration says."""
    rows = split.rows("train")
    known = np.flatnonzero(rows & split.known)
    if config.subset_size is None or len(known) <= config.subset_size:
        return rows
    chosen = np.random.default_rng(config.seed).choice(known, config.subset_size, replace=False)
    # The open rows are thinned alike, or the horizons would see far too many of them.
    others = np.flatnonzero(rows & ~split.known)
    share = config.subset_size / len(known)
    kept = np.random.default_rng(config.seed + 1).choice(others, round(share * len(others)), replace=False)
    return np.isin(np.arange(len(rows)), np.concatenate([chosen, kept]))


def _lap(started: float) -> float:
    return round(time.perf_counter() - started, 3)
