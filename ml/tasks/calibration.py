"""From scores to probabilities and from medians to intervals, fitted on rows that the model never saw."""

from __future__ import annotations

from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.isotonic import IsotonicRegression

from ml.stats.intervals import MIN_CLUSTERS
from ml.store.trusted import loadable

Values = NDArray[np.float64]


@loadable
class ProbabilityCalibration(BaseEstimator):
    """One strictly ordered map from score to probability per column: a horizon, or the one of a scorer.

    Centred isotonic regression (Oron and Flournoy 2017): each flat block of the isotonic fit becomes one
    point at its mean score, joined by lines, so that calibration does not tie what the model ordered.
    A column with too few defined rows keeps the model's own probability.

    Parameters
    ----------
    min_rows : int
        Rows of the rarer class that a column needs to be calibrated.
    """

    def __init__(self, min_rows: int = 50) -> None:
        self.min_rows = min_rows

    def fit(self, score: Values, label: Values) -> Self:
        """Learn from scores and labels of shape (n, columns); a NaN label is undefined."""
        self.knots_: list[list[Values]] = []
        for column in range(score.shape[1]):
            defined = ~np.isnan(label[:, column])
            s, y = score[defined, column], label[defined, column]
            if min(y.sum(), len(y) - y.sum()) < self.min_rows:
                self.knots_.append([])
            else:
                self.knots_.append(list(_centred_isotonic(s, y)))
        return self

    def predict(self, score: Values) -> Values:
        """Return probabilities, shape (n, columns), that never fall from one column to the next."""
        columns = [
            np.interp(score[:, k], knots[0], knots[1]) if knots else np.clip(score[:, k], 0.0, 1.0)
            for k, knots in enumerate(self.knots_)
        ]
        return np.maximum.accumulate(np.stack(columns, axis=1), axis=1)


@loadable
class LevelCalibration(BaseEstimator):
    """One shift of the log odds per horizon: what moves between eras is the level, far more than the order.

    A curve learned in one era does not fit the next one (on our corpus a shift has the smaller calibration
    error at nearly every later origin), and a shift leaves the order of the items as it is.

    Parameters
    ----------
    strength : float
        The shift is held towards 0 as by so many rows' information.
    """

    def __init__(self, strength: float = 100.0) -> None:
        self.strength = strength

    def fit(self, score: Values, label: Values) -> Self:
        """Learn from scores that their heads never saw and labels, shape (n, columns); NaN: undefined."""
        self.shifts_: list[float] = []
        for column in range(score.shape[1]):
            defined = ~np.isnan(label[:, column])
            self.shifts_.append(self._shift(_log_odds(score[defined, column]), label[defined, column]))
        return self

    def limit(self, bounds: Values) -> Self:
        """Hold every column's shift within its bound; 0 leaves the model's own probability."""
        self.shifts_ = [float(np.clip(shift, -b, b)) for shift, b in zip(self.shifts_, bounds, strict=True)]
        return self

    def predict(self, score: Values) -> Values:
        """Return probabilities, shape (n, columns), that never fall from one column to the next."""
        return np.maximum.accumulate(self.separately(score), axis=1)

    def separately(self, score: Values) -> Values:
        """Return each column's probability by itself."""
        columns = [
            1.0 / (1.0 + np.exp(-_log_odds(score[:, k]) - shift)) if shift else np.clip(score[:, k], 0.0, 1.0)
            for k, shift in enumerate(self.shifts_)
        ]
        return np.stack(columns, axis=1)

    def _shift(self, odds: Values, y: Values) -> float:
        shift = 0.0
        for _ in range(25):
            p = 1.0 / (1.0 + np.exp(-odds - shift))
            # Newton's method on the penalised log likelihood, which is concave.
            information = float((p * (1.0 - p)).sum()) + self.strength / 4.0
            shift += (float((y - p).sum()) - self.strength / 4.0 * shift) / information
        return shift


def clearly_better(gain: Values, clusters: NDArray[np.object_]) -> bool:
    """Say whether paired gains, shape (n,), are above 0 by two standard errors.

    The error is that of a mean over clusters: rows of one share what moved there. Fewer than 5 clusters say
    nothing.
    """
    codes, names = pd.factorize(clusters.astype(str))
    if len(names) < MIN_CLUSTERS:
        return False
    mean = float(gain.mean())
    error = np.sqrt(np.square(np.bincount(codes, gain - mean)).sum()) / len(gain)
    return mean > 2.0 * float(error)


@loadable
class ResidualIntervals(BaseEstimator):
    """Split-conformal interval around a median, with the residual quantiles of similar predictions.

    Mondrian form (Vovk et al. 2005): predictions are cut into bins of equal size on the validation part.

    Parameters
    ----------
    low, high : float
        Quantiles, .1 and .9 for an 80 % interval.
    bins : int
        At most this many bins.
    min_rows : int
        Validation rows that a bin needs.
    """

    def __init__(self, low: float = 0.1, high: float = 0.9, bins: int = 5, min_rows: int = 60) -> None:
        self.low = low
        self.high = high
        self.bins = bins
        self.min_rows = min_rows

    def fit(self, pred: Values, y: Values, weight: Values | None = None) -> Self:
        """Learn residual quantiles from log predictions and log truths, shape (n,), weighted when given.

        Weights stand for rows that censoring keeps from view (weighted conformal prediction,
        Tibshirani et al. 2019).
        """
        weight = np.ones(len(y)) if weight is None else weight
        bins = int(np.clip(len(y) // self.min_rows, 1, self.bins))
        self.edges_ = np.unique(np.quantile(pred, np.arange(1, bins) / bins))
        code = np.searchsorted(self.edges_, pred, side="right")
        lows, highs = [], []
        for k in range(len(self.edges_) + 1):
            rows = code == k if (code == k).any() else np.ones(len(y), dtype=bool)
            lows.append(-_outer_quantile((pred - y)[rows], 1.0 - self.low, weight[rows]))
            highs.append(_outer_quantile((y - pred)[rows], self.high, weight[rows]))
        self.lows_, self.highs_ = np.minimum(lows, 0.0), np.maximum(highs, 0.0)
        return self

    def predict(self, pred: Values) -> tuple[Values, Values]:
        """Return the lower and upper bounds in logs, shape (n,) each, with lower <= pred <= upper."""
        code = np.searchsorted(self.edges_, pred, side="right")
        return np.maximum(pred + self.lows_[code], 0.0), pred + self.highs_[code]


def _log_odds(score: Values) -> Values:
    p = np.clip(score, 1e-3, 1.0 - 1e-3)
    return np.log(p / (1.0 - p))


def _outer_quantile(values: Values, q: float, weight: Values) -> float:
    """Weighted quantile rounded outwards: the row to be predicted counts as one more, at infinity."""
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weight[order])
    goal = q * (total[-1] + weight.mean())
    return float(values[order][min(int(np.searchsorted(total, goal)), len(values) - 1)])


def _centred_isotonic(score: Values, label: Values) -> tuple[Values, Values]:
    fitted = IsotonicRegression(y_min=0.0, y_max=1.0).fit_transform(score, label)
    level, block = np.unique(fitted, return_inverse=True)
    centre = np.bincount(block, score) / np.bincount(block)
    return centre, level
