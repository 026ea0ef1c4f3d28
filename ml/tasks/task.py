"""One way to learn: what a task declares of itself, what its training does, and what a training leaves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import pandas as pd

from ml.data.dataset import Dataset
from ml.data.parts.splits import Split
from ml.models import ModelSpec, Params, TaskName, find
from ml.stats.figure import Figure, HorizonFigure, apart

Progress = Callable[[str], None]
# What a trial tells of itself on the way, (score so far, step): it may raise to end the trial.
Report = Callable[[float, int], None]


@dataclass(frozen=True, eq=False)
class Objective:
    """What a search varies, and what its trials are scored by; nothing here ever reads the test part.

    Parameters
    ----------
    metric : str
    direction : {"minimize", "maximize"}
    defaults : dict
        The parameters of the first trial, and the ground of all others.
    space : callable (trial) -> params, or None
        What the family lets vary; None for nothing.
    score : callable (params, report) -> float
    """

    metric: str
    direction: Literal["minimize", "maximize"]
    defaults: Params
    space: Callable[[Any], Params] | None
    score: Callable[[Params, Report], float]


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted model: what serves, its parameters, and what predicts the validation part.

    Parameters
    ----------
    estimator : estimator
        Fitted on everything that was known when the test part began.
    params : dict
    best_iteration : int or None
        Rounds kept by stopping early; None for a family without rounds.
    on_validation : object
        What a bench needs to predict validation rows by a model that never saw them.
    learning_curve : sequence of float
        How good it was after every round, by what stops it; empty where no rounds are stopped.
    """

    estimator: Any
    params: Params
    best_iteration: int | None
    on_validation: Any
    learning_curve: Sequence[float] = ()


class Bench(Protocol):
    """A dataset that is labelled, split and encoded for one family: what trainings and searches work on."""

    @property
    def feature_list(self) -> list[str]:
        """Names of what the model reads."""

    def objective(self) -> Objective:
        """Return what a search for the family's parameters is scored by."""

    def fit(self, params: Params) -> Fitted:
        """Fit on the training part, stop and calibrate by what precedes the test part, and fit again on it.

        The given parameters stand over the family's defaults.
        """

    def cross_validate(self, fitted: Fitted) -> list[float | None]:
        """Return one score per fold before the test part; empty where there are none."""

    def predictions(self, fitted: Fitted) -> pd.DataFrame:
        """Return the prediction table of the validation and the test rows, in the order of the items."""

    def figures(self, fitted: Fitted, predictions: pd.DataFrame) -> list[Figure]:
        """Evaluate a prediction table, with intervals."""

    def native(self, fitted: Fitted) -> tuple[str, bytes] | None:
        """Return suffix and content of the library's own file; None when it has none."""

    def report(
        self, fitted: Fitted, metrics: list[Figure], cv_scores: list[float | None]
    ) -> dict[str, Any] | None:
        """Return what the model's own report says beside the record; None without one."""


@dataclass(frozen=True, eq=False)
class Trained:
    """What the training of one model leaves: all that a run keeps of it.

    Parameters
    ----------
    task : str
        "regression", "binary" or "ranking", as in every table.
    model : str
        Name of the family.
    estimator : estimator
        What is saved and serves.
    params : dict
    feature_list : list of str
    best_iteration : int or None
    predictions : DataFrame
        ``item_id, event_at, split, y_true, y_pred, p10, p90`` and the task's own columns.
    metrics : list of Figure
    horizon_metrics : list of HorizonFigure
        Figures of rows that were observed after some days, about a horizon.
    learning_curve : list of float
        See `Fitted`.
    importance : dict of str to float
        See `ml.tasks.importance`.
    seconds : dict of stage to float
    native : (suffix, bytes) or None
        The library's own file.
    report : dict or None
        The model's own report, plain values for JSON.
    cv_scores : list of float or None
        One per fold before the test part; None for a fold without a defined score.
    """

    task: TaskName
    model: str
    estimator: Any
    params: Params
    feature_list: list[str]
    best_iteration: int | None
    predictions: pd.DataFrame
    metrics: list[Figure]
    seconds: dict[str, float]
    native: tuple[str, bytes] | None = None
    report: dict[str, Any] | None = None
    cv_scores: list[float | None] = field(default_factory=list)
    horizon_metrics: list[HorizonFigure] = field(default_factory=list)
    learning_curve: list[float] = field(default_factory=list)
    importance: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Task:
    """What is learned, declared once: labels, target, groups, split, fit, figures, and how it is judged.

    Parameters
    ----------
    kind : {"duration", "remaining", "scorer", "late", "ranker", "cluster"}
        What people call it.
    name : {"regression", "binary", "ranking"}
        What the tables call it, and by which `ml.bias` picks the metrics that its models are judged by. A
        cluster scorer is a scorer whose rows are clusters, a late scorer one of what has not ended within a
        horizon.
    settings : type
        The dataclass of its settings; an instance without arguments is the default.
    labelled : callable (dataset, settings) -> Dataset
        The same items with the labels that are learned.
    split : callable (dataset, settings) -> Split
        The parts in time. Of durations every timeline is split by its items; of scorers and rankers whole
        groups are kept together.
    bench : callable (dataset, split, spec, settings, cache_dir, rows) -> Bench
        Targets, encoding, fit and figures. Durations are censored and have two heads (hours, and the chance
        to end within each horizon) and are served by `DurationModel.predict`; scorers and rankers see whole
        groups in time, have one head, and are served by `ScoringModel.score_new`.
    family : str
        The family that learns it when none is named.
    """

    kind: Literal["duration", "remaining", "scorer", "late", "ranker", "cluster"]
    name: TaskName
    settings: type[Any]
    labelled: Callable[[Dataset, Any], Dataset]
    split: Callable[[Dataset, Any], Split]
    bench: Callable[[Dataset, Split, ModelSpec, Any, Path | None, int | None], Bench]
    family: str

    def prepare(
        self,
        dataset: Dataset,
        settings: Any = None,
        family: str | None = None,
        *,
        cache_dir: Path | None = None,
        rows: int | None = None,
    ) -> Bench:
        """Label, split and encode a dataset for a family.

        Parameters
        ----------
        dataset : Dataset
        settings : object or None
            An instance of the task's settings.
        family : str or None
            None for the task's own.
        cache_dir : Path or None
            Folder where encoded rows are kept for other models and runs.
        rows : int or None
            For a search on about so many rows only.

        Raises
        ------
        ValueError
            When the family does not serve the task, or labels, groups or features do not fit it.
        """
        spec, chosen = find(family or self.family, self.name), settings or self.settings()
        labelled = self.labelled(dataset, chosen)
        return self.bench(labelled, self.split(labelled, chosen), spec, chosen, cache_dir, rows)

    def train(
        self,
        dataset: Dataset,
        settings: Any = None,
        family: str | None = None,
        *,
        search: Callable[[Objective], Params] | None = None,
        progress: Progress | None = None,
        cache_dir: Path | None = None,
    ) -> Trained:
        """Train, calibrate and evaluate one model; the test part is touched once, for the figures.

        Parameters
        ----------
        dataset, settings, family, cache_dir
            As in `prepare`.
        search : callable (objective) -> params, or None
            What chooses parameters before the fit; None for the defaults and those of the settings.
        progress : callable (stage) or None
            Called when a stage begins: "prepare", "tune", "fit", "cross-validate", "evaluate".
        """
        from threadpoolctl import threadpool_limits

        tell = progress or (lambda stage: None)
        seconds: dict[str, float] = {}

        @contextmanager
        def stage(name: str) -> Iterator[None]:
            tell(name)
            started = time.perf_counter()
            yield
            seconds[name.replace("-", "_")] = round(time.perf_counter() - started, 3)

        # One thread per fit: threads of linear algebra inside threads of fits wait for each other, and the
        # last digits would depend on the number of cores.
        with threadpool_limits(1, user_api="blas"):
            with stage("prepare"):
                bench = self.prepare(dataset, settings, family, cache_dir=cache_dir)
            with stage("tune"):
                params = {} if search is None else search(bench.objective())
            with stage("fit"):
                fitted = bench.fit(params)
            with stage("cross-validate"):
                cv_scores = bench.cross_validate(fitted)
            with stage("evaluate"):
                predictions = bench.predictions(fitted)
                figures = bench.figures(fitted, predictions)
        metrics, of_horizons = apart(figures)
        report = bench.report(fitted, metrics, cv_scores)
        return Trained(
            task=self.name,
            model=family or self.family,
            estimator=fitted.estimator,
            params=fitted.params,
            feature_list=bench.feature_list,
            best_iteration=fitted.best_iteration,
            predictions=predictions,
            metrics=metrics,
            seconds=seconds,
            native=bench.native(fitted),
            # Of what was given: labels of a horizon make other content, which no folder is named by.
            report=None if report is None else {"snapshot_id": dataset.snapshot_id, **report},
            cv_scores=cv_scores,
            horizon_metrics=of_horizons,
            learning_curve=[round(float(value), 6) for value in fitted.learning_curve],
            importance=fitted.estimator.importance(),
        )
