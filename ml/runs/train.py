"""Training of one model, and of all the models of a run with their files."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
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
from ml.store.files import json_text, sha256_of, version_of, write_atomically
from ml.store.record import Evaluation
from ml.store.trusted import dump_trusted
from ml.tasks.duration import Workbench
from ml.tasks.duration_model import DurationModel

logger = logging.getLogger(__name__)

__all__ = ["TrainedModel", "TrainingConfig", "read_evaluation", "train", "train_models", "up_to_date"]

TASK = "regression"
CACHE_FOLDER = ".prepared"
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
        Copied into ``run.json``.

    Returns
    -------
    list of Evaluation
        In the order of ``names``.
    """
    config, folder = config or TrainingConfig(), Path(run_dir)
    tell = progress or (lambda model, stage: None)
    for name in names:
        find(name)
    evaluations: list[Evaluation] = []
    split: Split | None = None
    run = _RunFile(folder, dataset, config, git_sha, engine)
    for name in names:
        current = up_to_date(folder, name, dataset, config)
        if current is not None:
            tell(name, "skipped")
            evaluations.append(current)
            continue
        if split is None:
            split = split_by_time(dataset, config.validation, config.test, config.min_timeline_labels)
            run.write("running")
        prepared = None
        started = time.perf_counter()
        if find(name).inputs == "features":
            tell(name, "prepare")
            prepared = prepare(dataset, split, config.preprocessing, folder.parent / CACHE_FOLDER)
        waited = _lap(started)
        trained = train(dataset, split, name, config, prepared, tell)
        trained.seconds["prepare"] = round(trained.seconds["prepare"] + waited, 3)
        evaluations.append(_save(trained, dataset, folder, config))
        tell(name, "done")
    # A run that was killed after its last model is finished by the next one, which trains nothing.
    if split is not None or run.is_unfinished:
        run.write("succeeded")
    return evaluations


def up_to_date(run_dir: Path, model: str, dataset: Dataset, config: TrainingConfig) -> Evaluation | None:
    """Return the evaluation of ``model`` in the folder when it is of this snapshot and configuration."""
    path = run_dir / f"eval_{model}.json"
    if not path.is_file():
        return None
    evaluation = read_evaluation(path)
    same = evaluation.snapshot_id == dataset.snapshot_id and evaluation.config_hash == config.hash_for(model)
    return evaluation if same and whole(run_dir, evaluation) else None


def whole(run_dir: Path, evaluation: Evaluation) -> bool:
    """Say whether every file of the model is in the folder as it was written."""
    return all(
        (run_dir / name).is_file() and sha256_of((run_dir / name).read_bytes()) == sha256
        for name, sha256 in evaluation.files.items()
    )


def encoded_rows(
    dataset: Dataset, split: Split, spec: ModelSpec, config: TrainingConfig, run_dir: Path
) -> NDArray[Any]:
    """Return the rows of a run as the family sees them, from the run's cache where they are there."""
    prepared = None
    if spec.inputs == "features":
        prepared = prepare(dataset, split, config.preprocessing, run_dir.parent / CACHE_FOLDER)
    return _encode(dataset, split, spec, config, prepared)[1]


def read_evaluation(path: Path) -> Evaluation:
    """Read one ``eval_{model}.json``; a damaged one raises ValueError."""
    try:
        return Evaluation.from_dict(json.loads(path.read_text()))
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is damaged ({error}): remove it and train the model again.") from error


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


def _save(trained: TrainedModel, dataset: Dataset, folder: Path, config: TrainingConfig) -> Evaluation:
    """Write the model's files, the evaluation last: its presence says that the rest is whole."""
    name = trained.spec.name
    files = {f"{name}.skops": dump_trusted(trained.model)}
    if trained.spec.native is not None:
        suffix, data = trained.spec.native(trained.model.regressor)
        files[f"{name}{suffix}"] = data
    stream = io.BytesIO()
    trained.predictions.to_parquet(stream, index=False)
    files[f"predictions_{name}.parquet"] = stream.getvalue()
    for file, data in files.items():
        write_atomically(folder / file, data)
    hashes = {file: sha256_of(data) for file, data in files.items()}
    evaluation = Evaluation(
        model_version=version_of(name, dataset.snapshot_id, hashes[f"predictions_{name}.parquet"]),
        run_id=folder.name,
        domain=dataset.config.name,
        task=TASK,
        model=name,
        snapshot_id=dataset.snapshot_id,
        config_hash=config.hash_for(name),
        seed=config.seed,
        params=trained.params,
        feature_list=dataset.features,
        best_iteration=trained.best_iteration,
        metrics=trained.metrics,
        files=hashes,
        seconds=trained.seconds,
    )
    write_atomically(folder / f"eval_{name}.json", json_text(evaluation.to_dict()))
    return evaluation


class _RunFile:
    """``run.json`` of a folder: written when training begins and when it ends."""

    def __init__(
        self, folder: Path, dataset: Dataset, config: TrainingConfig, git_sha: str | None, engine: str
    ) -> None:
        self.path = folder / "run.json"
        known = json.loads(self.path.read_text()) if self.path.is_file() else {}
        self.is_unfinished = known.get("status") == "running"
        settings = json.dumps(asdict(config), sort_keys=True)
        self.content = {
            "run_id": folder.name,
            "domain": dataset.config.name,
            "snapshot_id": dataset.snapshot_id,
            "config_hash": hashlib.sha256(settings.encode()).hexdigest()[:16],
            "started_at": known.get("started_at") or _now(),
            "git_sha": git_sha if git_sha is not None else known.get("git_sha"),
            "engine": engine,
            "seed": config.seed,
            "settings": asdict(config),
        }

    def write(self, status: str) -> None:
        finished = None if status == "running" else _now()
        content = {**self.content, "status": status, "finished_at": finished}
        write_atomically(self.path, json_text(content))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _lap(started: float) -> float:
    return round(time.perf_counter() - started, 3)
