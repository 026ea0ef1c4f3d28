"""What a model family declares of itself: for each task that it can serve, how it is built and fitted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ml.encoding.matrix import Inputs
    from ml.models.fitted_scorer import FittedScorer

Params = dict[str, Any]
Values = NDArray[np.float64]
Loss = Literal["absolute", "squared"]
TaskName = Literal["regression", "binary", "ranking"]
Validation = tuple[NDArray[Any], Values, Values]


def _nothing_to_search(trial: Any) -> Params:
    return {}


def _fit_plainly(
    estimator: Any, x: NDArray[Any], y: Values, weight: Values, validation: Validation | None
) -> None:
    estimator.fit(x, y, sample_weight=weight)


def _fit_each(estimators: Sequence[Any], x: NDArray[Any], y: Values, weight: Values) -> Sequence[Any]:
    for estimator in estimators:
        _fit_plainly(estimator, x, y, weight, None)
    return estimators


@dataclass(frozen=True, eq=False)
class Rows:
    """Encoded rows with their truths; ``groups`` are the lists that a ranker orders.

    Parameters
    ----------
    x : ndarray, shape (n, d)
    y : ndarray, shape (n,)
        0/1 or grades.
    groups : ndarray, shape (n,)
    weight : ndarray, shape (n,)
    names : sequence of str
        Names of the d columns.
    """

    x: NDArray[np.float32]
    y: Values
    groups: NDArray[np.object_]
    weight: Values
    names: Sequence[str]

    def at(self, rows: NDArray[Any]) -> Rows:
        """Return the rows chosen by positions or by a mask."""
        return Rows(self.x[rows], self.y[rows], self.groups[rows], self.weight[rows], self.names)


@dataclass(frozen=True, eq=False)
class Watch:
    """Rows by which a growing model is stopped; they are judged, never fitted.

    Parameters
    ----------
    rows : Rows
    judge : callable (scores) -> float
        Of the scores of ``rows`` in their order; larger is better.
    patience : int
        Rounds without a better judgement before it stops.
    """

    rows: Rows
    judge: Callable[[Values], float]
    patience: int = 50


@dataclass(frozen=True)
class ScoringFamily:
    """How a family learns 0/1 labels, or grades within groups.

    Parameters
    ----------
    fit : callable (rows, params, seed, watch) -> FittedScorer
        ``watch`` is None or what stops the fit early; a family without rounds ignores it.
    defaults : mapping
        Parameters that every fit starts from.
    search_space : callable (trial) -> params
        What a search may vary; empty for nothing.
    inputs : {"features", "gaps"}
        Numbers scaled and gaps filled, or numbers as they are with gaps as NaN.
    rounds : str or None
        The parameter that counts rounds, such as trees; None for a family without them.
    least_rounds : int
        Where folds of a few groups say when to stop, it is no sooner than after so many rounds.
    """

    fit: Callable[[Rows, Mapping[str, Any], int, Watch | None], FittedScorer]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    search_space: Callable[[Any], Params] = _nothing_to_search
    inputs: Inputs = "features"
    rounds: str | None = None
    least_rounds: int = 1

    @property
    def is_searched(self) -> bool:
        """Whether there is anything to tune."""
        return self.search_space is not _nothing_to_search


def no_regression(params: Mapping[str, Any], seed: int, loss: Loss) -> Any:
    """Stand for the ``build`` of a family that does not learn durations."""
    raise ValueError("This family does not learn durations: choose one that does.")


@dataclass(frozen=True)
class ModelSpec:
    """A family: how its regressors are built, searched and fitted, and how it scores where it can.

    Parameters
    ----------
    name : str
    build : callable (params, seed, loss) -> estimator
        A new, unfitted scikit-learn regressor. ``loss`` is "absolute" for medians, "squared" for means.
        Left out by a family that does not learn durations.
    search_space : callable (trial) -> params
        What the tuner may vary; empty for nothing.
    search_pays : bool
        Whether a training searches before it fits; one that is asked for always does.
    defaults : mapping
        Parameters that every build starts from.
    timing : mapping
        What the timing head takes beside the defaults: a mean of 0 and 1 wants other settings than a
        median of logs, and is not searched.
    timing_seeds : int
        Fits of each chance that are averaged; more than one pays where a fit draws rows and columns.
    complexity : int
        Order of simplicity, the simplest family lowest: of models that cannot be told apart the simpler one
        is chosen; equal ones by name.
    inputs : {"features", "gaps", "group"}
        The encoded matrix, the one with gaps as NaN, or only the group's name.
    is_floor : bool
        The baseline itself: its fit is not corrected for censoring.
    fit : callable (estimator, x, y, weight, validation) -> None
        Fits in place; ``validation`` (x, y, weight) is for early stopping and may be ignored.
    fit_alike : callable (estimators, x, y, weight) -> estimators
        Fits several that differ in their seed alone, as ``fit`` would without validation.
    best_iteration : callable (estimator) -> int or None
        Trees kept by early stopping, None where there is no such thing.
    learning_curve : callable (estimator) -> sequence of float
        The error of the rows for early stopping after every tree; empty where there is no such thing.
    native : callable (estimator) -> (suffix, bytes) or None
        The library's own file format.
    row_engine : str
        What fits it where the rows of a fit are spread over a cluster; empty where they cannot be.
    scoring : mapping of "binary", "ranking" and "hazard" to ScoringFamily
        How it learns 0/1 labels, grades, and ends in periods of time; empty for a family that cannot.
    """

    name: str
    build: Callable[[Mapping[str, Any], int, Loss], Any] = no_regression
    search_space: Callable[[Any], Params] = _nothing_to_search
    defaults: Mapping[str, Any] = field(default_factory=dict)
    timing: Mapping[str, Any] = field(default_factory=dict)
    timing_seeds: int = 1
    search_pays: bool = True
    complexity: int = 9
    inputs: Inputs = "features"
    is_floor: bool = False
    fit: Callable[[Any, NDArray[Any], Values, Values, Validation | None], None] = _fit_plainly
    fit_alike: Callable[[Sequence[Any], NDArray[Any], Values, Values], Sequence[Any]] = _fit_each
    best_iteration: Callable[[Any], int | None] = lambda estimator: None
    learning_curve: Callable[[Any], Sequence[float]] = lambda estimator: ()
    native: Callable[[Any], tuple[str, bytes]] | None = None
    row_engine: str = ""
    scoring: Mapping[str, ScoringFamily] = field(default_factory=dict)

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks that the family can serve."""
        return (*(("regression",) if self.build is not no_regression else ()), *self.scoring)

    @property
    def is_searched(self) -> bool:
        """Whether its regressors have anything to tune."""
        return self.search_space is not _nothing_to_search
