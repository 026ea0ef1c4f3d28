"""How far apart the quantiles of a curve must be taken for intervals to hold what they promise lately.

What the curves cannot know of the months ahead makes their intervals too narrow on every later origin, though
their chances may be right on the whole. So intervals are widened, never narrowed, by what the last origin
shows (split conformal prediction, Lei et al. 2018, under censoring); chances and medians stay as they are.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from ml.store.trusted import loadable
from ml.tasks.remaining.calibration import AgeCalibration

Values = NDArray[np.float64]
# The interval that is published.
ENDS = (0.1, 0.9)


@loadable
class AgeSpread(BaseEstimator):
    """Where a curve is asked for the ends of an interval: per band of age where ends suffice, else of all.

    Parameters
    ----------
    min_ends : int
        Ends that are learned from.
    """

    def __init__(self, min_ends: int = 300) -> None:
        self.min_ends = min_ends

    def fit(self, draw: Values, ended: NDArray[np.bool_], age: Values) -> Self:
        """Learn from rows that the curves were not learned from, shape (n,) each."""
        self.bands_ = AgeCalibration(self.min_ends).fit(draw, ended, age)
        # All as one band.
        self.pooled_ = AgeCalibration(self.min_ends).fit(draw, ended, np.zeros(len(age)))
        return self

    def ends(self, age: Values) -> tuple[Values, Values]:
        """Return the shares at which the curves of rows reach the ends of their interval, shape (n,) each."""
        keys = self.bands_.keys_of(age)
        pooled = self.pooled_.keys_of(np.zeros(len(age)))
        found = []
        for share in ENDS:
            asked = np.full(len(age), share)
            own, all_ = self.bands_.uncalibrated(asked, keys), self.pooled_.uncalibrated(asked, pooled)
            found.append(np.where(keys != "", own, all_))
        return np.minimum(found[0], ENDS[0]), np.maximum(found[1], ENDS[1])

    def outward(self, share: Values, age: Values) -> Values:
        """Return where curves are asked for a ``share``, shape (n,): the median stays where it is."""
        return self._bent(share, age, outward=True)

    def inward(self, share: Values, age: Values) -> Values:
        """Return the share whose quantile is where the curves stand at ``share``, shape (n,)."""
        return self._bent(share, age, outward=False)

    def _bent(self, share: Values, age: Values, outward: bool) -> Values:
        low, high = self.ends(age)
        promised = (0.0, ENDS[0], 0.5, ENDS[1], 1.0)
        asked = (np.zeros_like(low), low, np.full_like(low, 0.5), high, np.ones_like(low))
        result = np.empty(len(share))
        pairs = np.stack(asked, axis=1)
        for own in np.unique(pairs, axis=0):
            rows = (pairs == own).all(axis=1)
            result[rows] = np.interp(share[rows], *((promised, own) if outward else (own, promised)))
        return result
