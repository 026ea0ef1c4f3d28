"""From scores to probabilities and from medians to intervals, fitted on rows that the model never saw."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.isotonic import IsotonicRegression

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

    def keep_if_better(self, score: Values, label: Values, least: int = 10) -> Self:
        """Drop the map of every column that does not clearly lower the Brier score on these rows.

        Clearly: by two standard errors of the paired difference. A column with fewer than ``least`` rows
        of a class cannot be judged and keeps the model's own probability.
        """
        for column, knots in enumerate(self.knots_):
            defined = ~np.isnan(label[:, column])
            s, y = score[defined, column], label[defined, column]
            if not knots or min(y.sum(), len(y) - y.sum()) < least:
                self.knots_[column] = []
                continue
            gain = (np.clip(s, 0.0, 1.0) - y) ** 2 - (np.interp(s, knots[0], knots[1]) - y) ** 2
            if gain.mean() <= 2.0 * gain.std() / np.sqrt(len(gain)):
                self.knots_[column] = []
        return self

    def keep_same_as(self, other: ProbabilityCalibration) -> Self:
        """Drop the map of every column that has none in ``other``."""
        self.knots_ = [mine if theirs else [] for mine, theirs in zip(self.knots_, other.knots_, strict=True)]
        return self

    def predict(self, score: Values) -> Values:
        """Return probabilities, shape (n, columns), that never fall from one column to the next."""
        columns = [
            np.interp(score[:, k], knots[0], knots[1]) if knots else np.clip(score[:, k], 0.0, 1.0)
            for k, knots in enumerate(self.knots_)
        ]
        return np.maximum.accumulate(np.stack(columns, axis=1), axis=1)


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
