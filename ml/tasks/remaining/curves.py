"""From the chance to end in each period ahead to chances over any time ahead, and to quantiles.

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
    """The cumulative hazard of n rows from their observation on.

    Parameters
    ----------
    age : ndarray, shape (n,)
        Days from the item's start to the observation.
    edges : ndarray, shape (k + 1,)
        Days from the observation, ascending from 0.
    total : ndarray, shape (n, k + 1)
        Cumulative hazard at the edges, from 0.
    """

    age: Values
    edges: Values
    total: Values

    @classmethod
    def of(cls, age: Values, edges: Sequence[float], chance: Values, last: int) -> Curves:
        """Make curves of the chances to end in each period, shape (n, k), given that it is reached.

        Periods after the ``last`` one that is known are like it, each for its length in logs: what is not
        ended by then ends ever more slowly.
        """
        grid = np.asarray(edges, dtype=float)
        hazard = -np.log1p(-np.clip(chance, 0.0, 1.0 - 1e-9))
        length = np.diff(np.log1p(grid))
        hazard[:, last + 1 :] = hazard[:, [last]] * length[last + 1 :] / length[last]
        total = np.zeros((len(age), len(grid)))
        np.cumsum(hazard, axis=1, out=total[:, 1:])
        return cls(age, grid, total)

    def at(self, rows: NDArray[np.intp]) -> Curves:
        """Return the curves of ``rows`` only."""
        return Curves(self.age[rows], self.edges, self.total[rows])

    def anchored(self, edge: int, chance: Values) -> Curves:
        """Return curves with a ``chance`` to end by an edge, shape (n,), and the same hazards after it."""
        old, new = self.total[:, [edge]], -np.log1p(-np.clip(chance[:, None], 0.0, 1.0 - 1e-9))
        total = np.empty_like(self.total)
        # As shares of what was said by then: rounding must not lift them above it.
        share = self.total[:, : edge + 1] / np.maximum(old, np.finfo(float).tiny)
        total[:, : edge + 1] = share * new
        total[:, edge:] = self.total[:, edge:] - old + new
        return Curves(self.age, self.edges, total)

    def ended_within(self, days: Values | float) -> Values:
        """Return P(ended within ``days`` from now), shape (n,); ``days`` of shape (n,) or one for all."""
        until = np.broadcast_to(np.asarray(days, dtype=float), self.age.shape)
        upper = np.clip(np.searchsorted(self.edges, until, side="left"), 1, len(self.edges) - 1)
        low, high = self._period(upper)
        part = (until - self.edges[upper - 1]) / (self.edges[upper] - self.edges[upper - 1])
        # Rounding must not lift the end of a period above the begin of the next one.
        return -np.expm1(-np.minimum(low + np.clip(part, 0.0, 1.0) * (high - low), high))

    def quantile(self, share: Values | float) -> Values:
        """Return the days from now by which a ``share`` has ended, shape (n,).

        At most the last edge: what is later than anybody was watched is not known any closer.
        """
        wanted = np.broadcast_to(np.asarray(share, dtype=float), self.age.shape)
        goal = -np.log1p(-np.minimum(wanted, 1.0 - 1e-12))
        upper = np.clip((self.total < goal[:, None]).sum(axis=1), 1, len(self.edges) - 1)
        low, high = self._period(upper)
        with np.errstate(invalid="ignore", divide="ignore"):
            part = np.where(high > low, (goal - low) / (high - low), 1.0)
        begin = self.edges[upper - 1]
        return np.asarray(begin + np.clip(part, 0.0, 1.0) * (self.edges[upper] - begin))

    def _period(self, upper: NDArray[np.intp]) -> tuple[Values, Values]:
        """Return the hazard so far at both ends of each row's period."""
        row = np.arange(len(self.age))
        return self.total[row, upper - 1], self.total[row, upper]
