"""From the chance to end in each period of life to chances over any time ahead, and to quantiles.

Within a period the hazard is constant (Friedman 1982). Every curve begins at 0 when the row is observed and
never falls, so that chances rise with the time ahead, quantiles never cross, and no end is in the past.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Curves:
    """The cumulative hazard of n rows from the age that each is observed at.

    Parameters
    ----------
    age : ndarray, shape (n,)
        Days.
    edges : ndarray, shape (k + 1,)
        Days of age, ascending from 0.
    total : ndarray, shape (n, k + 1)
        Cumulative hazard at the edges; 0 up to the row's age.
    """

    age: Values
    edges: Values
    total: Values

    @classmethod
    def of(cls, age: Values, edges: Sequence[float], chance: Values, last: int) -> Curves:
        """Make curves of the chances to end in each period, shape (n, k), given that it is reached.

        Of the period in which a row is observed only the part that lies ahead counts. Periods after the
        ``last`` one that is known are like it, each for its length in logs: old items end ever more slowly.
        """
        grid = np.asarray(edges, dtype=float)
        # What is older than all periods is treated as being at the begin of the last one.
        age = np.clip(age, 0.0, grid[-2])
        hazard = -np.log1p(-np.clip(chance, 0.0, 1.0 - 1e-9))
        length = np.diff(np.log1p(grid))
        hazard[:, last + 1 :] = hazard[:, [last]] * length[last + 1 :] / length[last]
        ahead = np.clip((grid[None, 1:] - age[:, None]) / np.diff(grid)[None, :], 0.0, 1.0)
        total = np.zeros((len(age), len(grid)))
        np.cumsum(hazard * ahead, axis=1, out=total[:, 1:])
        return cls(age, grid, total)

    def ended_within(self, days: Values | float) -> Values:
        """Return P(ended within ``days`` from now), shape (n,); ``days`` of shape (n,) or one for all."""
        until = self.age + days
        upper = np.clip(np.searchsorted(self.edges, until, side="left"), 1, len(self.edges) - 1)
        low, high, begin = self._period(upper)
        width = self.edges[upper] - begin
        with np.errstate(invalid="ignore", divide="ignore"):
            part = np.where(width > 0, (until - begin) / width, 0.0)
        # Rounding must not lift the end of a period above the begin of the next one.
        return -np.expm1(-np.minimum(low + np.clip(part, 0.0, 1.0) * (high - low), high))

    def quantile(self, share: Values | float) -> Values:
        """Return the days from now by which a ``share`` has ended, shape (n,).

        At most the days to the last edge: what is later than anybody was watched is not known any closer.
        """
        wanted = np.broadcast_to(np.asarray(share, dtype=float), self.age.shape)
        goal = -np.log1p(-np.minimum(wanted, 1.0 - 1e-12))
        upper = np.clip((self.total < goal[:, None]).sum(axis=1), 1, len(self.edges) - 1)
        low, high, begin = self._period(upper)
        with np.errstate(invalid="ignore", divide="ignore"):
            part = np.where(high > low, (goal - low) / (high - low), 1.0)
        at = begin + np.clip(part, 0.0, 1.0) * np.maximum(self.edges[upper] - begin, 0.0)
        return np.maximum(at - self.age, 0.0)

    def _period(self, upper: NDArray[np.intp]) -> tuple[Values, Values, Values]:
        """Return the hazard so far at both ends of each row's period, and the begin of the part ahead."""
        row = np.arange(len(self.age))
        begin = np.maximum(self.edges[upper - 1], self.age)
        return self.total[row, upper - 1], self.total[row, upper], begin
