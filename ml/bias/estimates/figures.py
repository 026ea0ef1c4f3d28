"""Figures of every slice that are one sum over another, with their intervals and their comparisons.

Recall is hits over positives, precision hits over what was selected: all follow from the same cells.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ml.bias.config import BiasConfig
from ml.bias.estimates.cells import Cells, Floats, RowStatistics, build_cells, ratio, resampled_totals, sum_by
from ml.bias.estimates.comparison import Comparison, compare_with_complement, two_sided_p
from ml.bias.slices.membership import Membership
from ml.stats.bootstrap import percentile_interval, poisson_weights

# What is to a slice's disadvantage: less or more than the others have, a deviation from zero either way, or,
# for the gain over a baseline, a loss.
Worse = Literal["smaller", "larger", "either", "negative"]
# Fewer rows than this inside or outside (positives, for a recall) are too few for a share.
MIN_ROWS = 10


@dataclass(frozen=True)
class Rate:
    """One figure: the sum of the statistic ``top`` over that of ``over``.

    Parameters
    ----------
    name, top, over : str
    worse : Worse or None
        What is tested; None for a figure that slices differ in by nature.
    base : str or None
        Statistic whose mean over all rows the effect is relative to; None for this rate among the other rows.
    is_share : bool
        Both statistics are 0 or 1 in every row: the figure is a share of rows.
    least_variance : callable (value, over) -> array, or None
        Variance that the figure has at least, whatever its few clusters happen to show.
    """

    name: str
    top: str
    over: str = "n"
    worse: Worse | None = None
    base: str | None = None
    is_share: bool = False
    least_variance: Callable[[Floats, Floats], Floats] | None = None


@dataclass(frozen=True)
class Figure:
    """One figure of every slice, arrays of shape (slices,).

    ``rest`` is the same of all other rows, ``base`` what the effect is relative to, and ``enough`` says
    where there are rows and clusters enough on both sides.
    """

    name: str
    worse: Worse | None
    value: Floats
    low: Floats
    high: Floats
    rest: Floats
    base: Floats
    comparison: Comparison
    enough: NDArray[np.bool_]


def share_variance(share: Floats, n: Floats) -> Floats:
    """Variance of a share of ``n`` independent rows with one success and one failure added.

    Agresti & Caffo (2000): without them a slice of ten rows, none of which is a hit, had no variance at all.
    """
    p = (share * n + 1) / (n + 2)
    return p * (1 - p) / (n + 2)


@dataclass(frozen=True)
class Sums:
    """Rows of one model and split, added up by slice and cluster.

    Attributes
    ----------
    clusters : array of int, shape (rows,)
    weights : array of uint8, shape (clusters, replicates)
    totals : array, shape (slices, names of the cells)
    resampled : array, shape (slices, replicates, names of the cells)
    """

    membership: Membership
    rows: RowStatistics
    clusters: NDArray[np.intp]
    weights: NDArray[np.uint8]
    cells: Cells
    totals: Floats
    resampled: Floats

    @classmethod
    def of(cls, membership: Membership, rows: RowStatistics, clusters: ArrayLike, config: BiasConfig) -> Sums:
        """Add up; ``clusters`` names the cluster of every row."""
        codes, keys = pd.factorize(pd.Series(clusters), use_na_sentinel=False)
        cells = build_cells(membership, rows, codes)
        weights = poisson_weights(keys, config.replicates, config.seed)
        return cls(membership, rows, codes, weights, cells, cells.totals(), resampled_totals(cells, weights))

    def per_cluster(self, name: str) -> Floats:
        """Sum of one statistic over each cluster, all rows; of "n" the number of rows."""
        size = len(self.weights)
        if name == "n":
            return np.bincount(self.clusters, minlength=size).astype(np.float64)
        return sum_by(self.clusters, self.rows.columns()[name], size)

    def compare(self, name: str, relative: bool = False, over: str = "n") -> Comparison:
        """Each slice against all other rows: `ml.bias.comparison.compare_with_complement`."""
        all_n, all_x = self.per_cluster(over), self.per_cluster(name)
        return compare_with_complement(self.cells, name, all_n, all_x, relative, over)

    def rows_with(self, name: str) -> tuple[Floats, Floats]:
        """Number of rows with something of a statistic, inside and outside of each slice."""
        has = np.ones(len(self.clusters)) if name == "n" else (self.rows.columns()[name] > 0).astype(float)
        inside = np.asarray(self.membership.matrix @ has, dtype=np.float64)
        return inside, has.sum() - inside

    def clusters_with(self, name: str) -> Floats:
        """Number of clusters with something of a statistic in each slice."""
        return self.cells.per_slice((self.cells.column(name) > 0).astype(float))

    def interval(self, values: Floats, config: BiasConfig, name: str = "n") -> tuple[Floats, Floats]:
        """Bootstrap interval of ``values``, shape (slices, replicates).

        Too few clusters give none: of a single one every resample is a copy.
        """
        low, high = percentile_interval(values, config.confidence)
        usable = self.clusters_with(name) >= config.min_clusters
        return np.where(usable, low, np.nan), np.where(usable, high, np.nan)

    def figure(self, rate: Rate, config: BiasConfig) -> Figure:
        """Measure and compare one rate."""
        names = self.cells.names
        compared = self.compare(rate.top, over=rate.over)
        n_in = self.totals[:, names.index(rate.over)]
        n_out = self.per_cluster(rate.over).sum() - n_in
        least = share_variance if rate.is_share else rate.least_variance
        if least is not None:
            compared = _at_least(compared, least, n_in, n_out)
        value = ratio(names, self.totals, rate.top, rate.over)
        low, high = self.interval(ratio(names, self.resampled, rate.top, rate.over), config, rate.over)
        if rate.is_share:
            low, high = _never_certain(value, low, high, n_in, config.confidence)
        inside, outside = self.rows_with(rate.over)
        enough = (
            (self.membership.n >= config.min_slice_size)
            & (len(self.clusters) - self.membership.n >= config.min_slice_size)
            & (np.minimum(inside, outside) >= MIN_ROWS)
            & (self.clusters_with(rate.over) >= config.min_clusters)
            & ~np.isnan(compared.p_value)
        )
        rest = np.where(n_out > 0, compared.outside, np.nan)
        base = rest
        if rate.base is not None:
            base = np.full(len(rest), self.per_cluster(rate.base).sum() / len(self.clusters))
            enough &= base > 0
        return Figure(rate.name, rate.worse, value, low, high, rest, base, compared, enough)


def _never_certain(
    share: Floats, low: Floats, high: Floats, n: Floats, confidence: float
) -> tuple[Floats, Floats]:
    """The interval of a share that is 0 or 1, of which every resample is a copy: the exact one.

    Clopper & Pearson (1934): of n rows without a hit, the share may still be 1 - tail^(1 / n).
    """
    with np.errstate(divide="ignore"):
        slack = 1 - ((1 - confidence) / 2) ** (1 / n)
    known = ~np.isnan(low)
    return np.where(known & (share == 1), 1 - slack, low), np.where(known & (share == 0), slack, high)


def _at_least(
    compared: Comparison, variance: Callable[[Floats, Floats], Floats], n_in: Floats, n_out: Floats
) -> Comparison:
    """The comparison with standard errors no smaller than those of ``variance``."""
    with np.errstate(divide="ignore", invalid="ignore"):
        own, other = variance(compared.inside, n_in), variance(compared.outside, n_out)
    inside_error = np.fmax(compared.inside_error, np.sqrt(own))
    error = np.fmax(compared.standard_error, np.sqrt(own + other))
    tested = ~np.isnan(compared.p_value)
    p_value = np.where(tested, two_sided_p(compared.difference, error, compared.degrees), np.nan)
    return replace(compared, standard_error=error, inside_error=inside_error, p_value=p_value)
