"""The whole fitted model that a run saves: encoder, medians, intervals and horizon probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from ml.errors import TooLittleDataError
from ml.models import ModelSpec
from ml.store.trusted import loadable
from ml.tasks.calibration import LevelCalibration, ResidualIntervals
from ml.tasks.importance import importance_of

# What every family needs to fit.
LEAST_ROWS = 2
# Of the hours: an end that is not known yet teaches the regressor nothing and the chances something. On the
# open corpus every share from .15 to .5 is better than none at every origin whose rows were watched long.
TIMING_SHARE = 0.3


def horizon_column(days: float) -> str:
    """Name of the prediction column of a horizon, ``p_within_7d``."""
    return f"p_within_{days:g}d"


@loadable
class SeedMean(BaseEstimator):
    """The mean of fits that differ in their seed only: what one draw of rows and columns did by chance.

    Parameters
    ----------
    members : list of regressors
    """

    def __init__(self, members: list[Any]) -> None:
        self.members = members

    def predict(self, x: NDArray[Any]) -> NDArray[np.float64]:
        """Return the mean of the members' answers, shape (n,)."""
        return np.mean([np.asarray(one.predict(x), dtype=float) for one in self.members], axis=0)

    def fit(self, x: object = None, y: object = None) -> Self:
        """Do nothing: the members come fitted."""
        return self


@loadable
class TimingHead(BaseEstimator):
    """P(ended within H) for every horizon, learned from all rows old enough, ended or not.

    Parameters
    ----------
    regressors : list
        One squared-loss regressor of the 0/1 label per horizon: its mean is the probability.
    horizons : list of float
        Days.
    """

    def __init__(self, regressors: list[Any], horizons: list[float]) -> None:
        self.regressors = regressors
        self.horizons = horizons

    def score(self, x: NDArray[Any]) -> NDArray[np.float64]:
        """Return one score per horizon, shape (n, horizons), near the probability."""
        return np.stack([np.asarray(r.predict(x), dtype=float) for r in self.regressors], axis=1)

    def log_median(self, score: NDArray[np.float64], log_limit: float) -> NDArray[np.float64]:
        """Return log1p(hours) at which the chances, joined by lines from 0 to ``log_limit``, reach a half.

        Parameters
        ----------
        score : ndarray, shape (n, horizons)
        log_limit : float
            Where every item is taken to have ended.
        """
        ends = np.log1p(24.0 * np.asarray(self.horizons))
        at = np.r_[0.0, ends, max(log_limit, ends[-1])]
        rising = np.maximum.accumulate(np.clip(score, 0.0, 1.0), axis=1)
        chance = np.hstack([np.zeros((len(score), 1)), rising, np.ones((len(score), 1))])
        after = np.argmax(chance >= 0.5, axis=1)
        rows, before = np.arange(len(score)), after - 1
        low, high = chance[rows, before], chance[rows, after]
        return at[before] + (0.5 - low) / (high - low) * (at[after] - at[before])


def timing_of(fitted: Sequence[Any], horizons: Sequence[float]) -> TimingHead:
    """Return the timing head of what `fit_horizon` fitted for every horizon.

    Raises
    ------
    TooLittleDataError
        There are too few rows for the first one.
    """
    regressors = list(fitted)
    if regressors[0] is None:
        raise TooLittleDataError(
            f"Fewer than {LEAST_ROWS} rows are old enough for the first horizon: give a longer history."
        )
    for position, regressor in enumerate(regressors):
        # No row is that old: the longest horizon that is known stands in.
        regressors[position] = regressors[position - 1] if regressor is None else regressor
    return TimingHead(regressors, [float(days) for days in horizons])


def fit_horizon(
    spec: ModelSpec,
    seed: int,
    x: NDArray[Any],
    rows: NDArray[np.intp],
    label: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> Any:
    """Fit one horizon on those ``rows`` of ``x`` whose label is defined; None where there are too few.

    Parameters
    ----------
    spec : ModelSpec
    seed : int
    x : ndarray, shape (n, d)
    rows : ndarray of int, shape (k,)
        All of them training rows.
    label, weight : ndarray, shape (k,)
    """
    defined = ~np.isnan(label)
    if defined.sum() < LEAST_ROWS:
        return None
    settings = {**spec.defaults, **spec.timing}
    members = [spec.build(settings, seed + k, "squared") for k in range(spec.timing_seeds)]
    fitted = spec.fit_alike(members, x[rows[defined]], label[defined], weight[defined])
    return fitted[0] if len(fitted) == 1 else SeedMean(list(fitted))


@loadable
class DurationModel(BaseEstimator):
    """Predicts from raw item frames; all parts are fitted already.

    Parameters
    ----------
    encoder : transformer
    regressor : estimator
        Of log1p(hours), absolute loss: its answer is a median.
    timing : TimingHead
    intervals : ResidualIntervals
    calibration : LevelCalibration
    log_limit : float
        Largest log1p(hours) seen in training; predictions stay between 0 and this.
    timing_share : float
        How much of the hours is the median that the chances imply, 0 to 1; see `log_hours`.
    """

    def __init__(
        self,
        encoder: Any,
        regressor: Any,
        timing: TimingHead,
        intervals: ResidualIntervals,
        calibration: LevelCalibration,
        log_limit: float,
        timing_share: float = TIMING_SHARE,
    ) -> None:
        self.encoder = encoder
        self.regressor = regressor
        self.timing = timing
        self.intervals = intervals
        self.calibration = calibration
        self.log_limit = log_limit
        self.timing_share = timing_share

    def predict(self, items: pd.DataFrame) -> pd.DataFrame:
        """Return ``y_pred, p10, p90`` (hours) and ``p_within_{h}d`` for raw items, in their order."""
        from threadpoolctl import threadpool_limits

        # Threads would add up products in another order each time: other last digits.
        with threadpool_limits(1, user_api="blas"):
            return self.predict_encoded(self.encoder.transform(items))

    def predict_encoded(self, x: NDArray[Any]) -> pd.DataFrame:
        """Do as `predict` for rows that are encoded already, shape (n, d)."""
        score = self.timing.score(x)
        logs = log_hours(self.regressor, self.timing, x, score, self.log_limit, self.timing_share)
        return self.table(score, logs)

    def table(self, score: NDArray[np.float64], logs: NDArray[np.float64]) -> pd.DataFrame:
        """Calibrate what the heads said of n rows: scores, shape (n, horizons), and log1p(hours), (n,)."""
        low, high = self.intervals.predict(logs)
        columns = {"y_pred": np.expm1(logs), "p10": np.expm1(low), "p90": np.expm1(high)}
        probability = self.calibration.predict(score)
        for position, days in enumerate(self.timing.horizons):
            columns[horizon_column(days)] = probability[:, position]
        return pd.DataFrame(columns)

    def importance(self) -> dict[str, float]:
        """Return what the median regression relies on; see `ml.tasks.importance`."""
        return importance_of([self.regressor], self.encoder.sources())

    def fit(self, x: object = None, y: object = None) -> Self:
        """Do nothing: the parts come fitted."""
        return self


def log_hours(
    regressor: Any,
    timing: TimingHead,
    x: NDArray[Any],
    score: NDArray[np.float64],
    log_limit: float,
    timing_share: float = TIMING_SHARE,
) -> NDArray[np.float64]:
    """Return log1p(hours), shape (n,): the regressor's median and that of the chances, by ``timing_share``.

    The regressor sees known ends only, which are short ones above all; the chances are learned from every
    item that is old enough, ended or not.
    """
    logs = log_prediction(regressor, x, log_limit)
    if timing_share == 0.0:
        return logs
    return (1.0 - timing_share) * logs + timing_share * timing.log_median(score, log_limit)


def log_prediction(regressor: Any, x: NDArray[Any], log_limit: float) -> NDArray[np.float64]:
    """Return a regressor's log1p(hours), kept within what training saw."""
    return np.clip(np.asarray(regressor.predict(x), dtype=float), 0.0, log_limit)
