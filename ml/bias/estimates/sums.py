"""Rows of one model and split, added up by slice and cluster: whatever is measured is made of these sums."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ml.bias.config import BiasConfig
from ml.bias.estimates.cells import ROWS, Cells, Floats, build_cells, resampled_totals, sum_by
from ml.bias.estimates.comparison import Comparison, Sides, compare_with_complement
from ml.bias.slices.membership import Membership
from ml.stats.bootstrap import percentile_interval, poisson_weights


@dataclass(frozen=True)
class Statistic:
    """A number of every row that is added up.

    Parameters
    ----------
    name : str
    of : callable (rows) -> array of shape (rows,), or None
        From the task's rows; None where they have nothing of the kind.
    """

    name: str
    of: Callable[[Any], Floats | None]


@dataclass(frozen=True, eq=False)
class Sums:
    """What was added up.

    Attributes
    ----------
    membership : Membership
    rows : the task's rows, as the statistics take them
    values : mapping of str to array, shape (rows,)
        The statistics that the rows have, by name.
    clusters : array of int, shape (rows,)
    weights : array of uint8, shape (clusters, replicates)
    cells : Cells
    totals : array, shape (slices, names of the cells)
    resampled : array, shape (slices, replicates, names of the cells)
    """

    membership: Membership
    rows: Any
    values: Mapping[str, Floats]
    clusters: NDArray[np.intp]
    weights: NDArray[np.uint8]
    cells: Cells
    totals: Floats
    resampled: Floats
    _made: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        membership: Membership,
        rows: Any,
        statistics: Iterable[Statistic],
        clusters: ArrayLike,
        config: BiasConfig,
        outcome: Floats | None = None,
    ) -> Sums:
        """Add up; ``clusters`` names the cluster of every row, ``outcome`` as for `build_cells`."""
        found = {statistic.name: statistic.of(rows) for statistic in statistics}
        values = {name: value for name, value in found.items() if value is not None}
        codes, keys = pd.factorize(pd.Series(clusters), use_na_sentinel=False)
        cells = build_cells(membership, values, codes, outcome)
        weights = poisson_weights(keys, config.replicates, config.seed)
        resampled = resampled_totals(cells, weights)
        return cls(membership, rows, values, codes, weights, cells, cells.totals(), resampled)

    def by_name(self, totals: Floats) -> dict[str, Floats]:
        """Sums by name; the last axis of ``totals`` follows the names of the cells."""
        return dict(zip(self.cells.names, np.moveaxis(totals, -1, 0), strict=True))

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """What several figures need, made when the first one asks for it."""
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    def per_cluster(self, name: str) -> Floats:
        """Sum of one statistic over each cluster, all rows; of `ROWS` the number of rows."""
        size = len(self.weights)
        if name == ROWS:
            return np.bincount(self.clusters, minlength=size).astype(np.float64)
        return sum_by(self.clusters, self.values[name], size)

    def mean(self, name: str) -> float:
        """Mean of one statistic over all rows."""
        return float(self.per_cluster(name).sum() / len(self.clusters))

    def compare(self, name: str, relative: bool = False, over: str = ROWS) -> Comparison:
        """Each slice against all other rows: `compare_with_complement`."""
        sides = self.once(f"sides by {over}", lambda: Sides.of(self.cells, self.per_cluster(over), over))
        return compare_with_complement(self.cells, name, sides, self.per_cluster(name), relative)

    def rows_with(self, name: str) -> tuple[Floats, Floats]:
        """Number of rows with something of a statistic, inside and outside of each slice."""
        has = np.ones(len(self.clusters)) if name == ROWS else (self.values[name] > 0).astype(float)
        inside = np.asarray(self.membership.matrix @ has, dtype=np.float64)
        return inside, has.sum() - inside

    def clusters_with(self, name: str) -> Floats:
        """Number of clusters with something of a statistic in each slice."""
        return self.once(
            f"clusters with {name}",
            lambda: self.cells.per_slice((self.cells.column(name) > 0).astype(float)),
        )

    def large(self, config: BiasConfig, over: str = ROWS) -> NDArray[np.bool_]:
        """Where there are rows on both sides, and clusters with something of a statistic, enough."""
        n = self.membership.n
        return (
            (n >= config.min_slice_size)
            & (len(self.clusters) - n >= config.min_slice_size)
            & (self.clusters_with(over) >= config.min_clusters)
        )

    def interval(self, values: Floats, config: BiasConfig, over: str = ROWS) -> tuple[Floats, Floats]:
        """Bootstrap interval of ``values``, shape (slices, replicates).

        Too few clusters give none: of a single one every resample is a copy.
        """
        low, high = percentile_interval(values, config.confidence)
        usable = self.clusters_with(over) >= config.min_clusters
        return np.where(usable, low, np.nan), np.where(usable, high, np.nan)
