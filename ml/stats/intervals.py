"""From a figure's values over resamples of the clusters to the figure with its interval."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.stats.bootstrap import poisson_weights
from ml.stats.figure import INTERVAL, Figure

# A percentile interval of very few clusters is far too narrow (Cameron, Gelbach and Miller 2008).
MIN_CLUSTERS = 5
MIN_DRAWS = 20
# Weights of this many rows and resamples are in memory at once.
_BLOCK = 4_000_000


@dataclass(frozen=True, eq=False)
class Resamples:
    """How often each row counts: once in the estimate itself, and as its cluster is drawn in a resample.

    Parameters
    ----------
    table : ndarray, shape (clusters, 1 + replicates)
        The first column is ones.
    codes : ndarray of int, shape (n,)
        The cluster of every row.
    """

    table: NDArray[np.uint8]
    codes: NDArray[np.intp]

    @classmethod
    def of(cls, clusters: NDArray[np.object_], replicates: int, seed: int) -> Resamples:
        """Draw the clusters, named by the rows' ``clusters``; 0 replicates for the estimate alone."""
        codes, names = pd.factorize(clusters.astype(str))
        table = np.ones((len(names), 1), dtype=np.uint8)
        if replicates > 0 and len(names):
            table = np.hstack([table, poisson_weights(names, replicates, seed)])
        return cls(table, codes)

    def at(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the weights of some rows, shape (rows, 1 + replicates)."""
        return self.table[self.codes[rows]].astype(np.float64)

    def blocks(self) -> Iterator[NDArray[np.float64]]:
        """Yield the weights of all rows, a few columns at a time."""
        width = max(1, _BLOCK // max(1, len(self.codes)))
        for start in range(0, self.table.shape[1], width):
            yield self.table[:, start : start + width][self.codes].astype(np.float64)

    def clusters(self, rows: NDArray[np.intp] | None = None) -> int:
        """Return how many clusters some rows come from; all rows without an argument."""
        return len(np.unique(self.codes if rows is None else self.codes[rows]))


def figure_of(split: str, name: str, values: NDArray[np.float64], n: int, clusters: int) -> Figure:
    """Return a figure with its percentile interval (Efron 1979).

    Parameters
    ----------
    split, name : str
    values : ndarray, shape (1 + replicates,)
        The estimate, then the figure of every resample; a resample without a defined value is left out.
    n : int
        Rows behind the figure.
    clusters : int
        Clusters behind it: below `MIN_CLUSTERS` there is no interval.
    """
    draws = values[1:][np.isfinite(values[1:])]
    is_enough = len(draws) >= MIN_DRAWS and clusters >= MIN_CLUSTERS
    low, high = np.quantile(draws, INTERVAL) if is_enough else (np.nan, np.nan)
    value, low, high = (float(v) if np.isfinite(v) else None for v in (values[0], low, high))
    return Figure(split, name, value, low, high, n)
