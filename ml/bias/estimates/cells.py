"""Sums that all metrics are made of: per row, per (slice, cluster) cell, per slice and per resample.

Everything downstream (metrics, tests, intervals) is computed from the cells, so rows are read once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ml.bias.slices.membership import Membership

Floats = NDArray[np.float64]
# Cells per block: with 200 resamples a block of weights is 6 MB, which stays in the cache.
_BLOCK = 4096


def sum_by(owner: NDArray[np.intp], values: Floats, size: int) -> Floats:
    """Sum of ``values`` by owner, from 0 to ``size`` - 1."""
    return np.bincount(owner, weights=values, minlength=size).astype(np.float64, copy=False)


class RowStatistics(Protocol):
    """What a task says of each row: its outcome, and further values that are added up by name."""

    @property
    def y(self) -> Floats:
        """The outcome, shape (rows,)."""

    def columns(self) -> dict[str, Floats]:
        """The additive statistics, by the name of their sum."""


@dataclass(frozen=True)
class RowValues:
    """Statistics of rows that are simply given."""

    y: Floats
    values: dict[str, Floats]

    def columns(self) -> dict[str, Floats]:
        """The additive statistics, by the name of their sum."""
        return self.values


@dataclass(frozen=True)
class RowErrors:
    """Errors of each row with a known outcome; hours, sign = predicted - true.

    A positive error promises too late an end, a negative one too early an end. ``covered`` (1 when the
    outcome lies between p10 and p90) is None when the predictions have no interval.
    """

    y: Floats
    error: Floats
    log_y: Floats
    log_error: Floats
    covered: Floats | None

    @classmethod
    def of(
        cls, y_true: Floats, y_pred: Floats, p10: Floats | None = None, p90: Floats | None = None
    ) -> RowErrors:
        """Errors in hours and in log(1 + hours); a negative prediction counts as zero in the log."""
        log_y = np.log1p(y_true)
        covered = None
        if p10 is not None and p90 is not None:
            covered = ((p10 <= y_true) & (y_true <= p90)).astype(float)
        return cls(y_true, y_pred - y_true, log_y, np.log1p(np.maximum(y_pred, 0)) - log_y, covered)

    def at(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> RowErrors:
        """The errors of some rows."""
        covered = None if self.covered is None else self.covered[rows]
        return RowErrors(self.y[rows], self.error[rows], self.log_y[rows], self.log_error[rows], covered)

    def columns(self) -> dict[str, Floats]:
        """The additive statistics, by the name of their sum."""
        found = {
            "mae": np.abs(self.error),
            "mse": self.error**2,
            "mean_error": self.error,
            "mae_log": np.abs(self.log_error),
            "mean_error_log": self.log_error,
        }
        return found if self.covered is None else {**found, "coverage": self.covered}


@dataclass(frozen=True)
class Cells:
    """Sums per (slice, cluster) that occur together, ordered by slice.

    Attributes
    ----------
    slice, cluster : arrays of int, shape (cells,)
    start : array of int, shape (slices + 1,)
        Cells of slice ``s`` are ``start[s]:start[s + 1]``.
    names : tuple of str
        Columns of ``sums``: "n", the row statistics, then "y" and "yy", both about the slice's mean.
    sums : array, shape (cells, len(names))
    """

    slice: NDArray[np.intp]
    cluster: NDArray[np.intp]
    start: NDArray[np.intp]
    names: tuple[str, ...]
    sums: Floats

    @property
    def n_slices(self) -> int:
        """Number of slices, empty ones included."""
        return len(self.start) - 1

    def column(self, name: str) -> Floats:
        """One column of ``sums``."""
        return self.sums[:, self.names.index(name)]

    def per_slice(self, values: Floats) -> Floats:
        """Sum cell values over each slice."""
        return sum_by(self.slice, values, self.n_slices)

    def totals(self) -> Floats:
        """Sums per slice, shape (slices, len(names))."""
        return np.stack([self.per_slice(column) for column in self.sums.T], axis=1)


def build_cells(membership: Membership, errors: RowStatistics, clusters: NDArray[np.intp]) -> Cells:
    """Sum the rows' statistics over the (slice, cluster) pairs.

    Parameters
    ----------
    membership : Membership
    errors : RowStatistics
    clusters : array of int
        Cluster of each row, from 0; rows of one cluster are not independent of each other.
    """
    rows, owners = membership.matrix.indices, membership.slice_of_pair
    n_slices, n_clusters = len(membership.slice), int(clusters.max()) + 1
    if n_clusters == len(clusters):
        cell_slice, cell_cluster, position = owners, clusters[rows], None
    else:
        keys, position = np.unique(owners * n_clusters + clusters[rows], return_inverse=True)
        cell_slice, cell_cluster = np.divmod(keys, n_clusters)

    sizes = np.bincount(owners, minlength=n_slices)
    about_mean = errors.y[rows]
    means = sum_by(owners, about_mean, n_slices) / np.maximum(sizes, 1)
    centre = means[owners]
    about_mean = about_mean - centre
    about_mean[np.abs(about_mean) <= 1e-12 * np.abs(centre)] = 0  # a constant outcome has no spread at all
    statistics = {name: column[rows] for name, column in errors.columns().items()}
    statistics |= {"y": about_mean, "yy": about_mean**2}

    sums = np.empty((len(cell_slice), 1 + len(statistics)))
    sums[:, 0] = 1 if position is None else np.bincount(position, minlength=len(cell_slice))
    for number, column in enumerate(statistics.values(), start=1):
        sums[:, number] = column if position is None else sum_by(position, column, len(cell_slice))
    start = np.searchsorted(cell_slice, np.arange(n_slices + 1))
    return Cells(cell_slice, cell_cluster, start, ("n", *statistics), sums)


def resampled_totals(cells: Cells, weights: NDArray[np.uint8]) -> Floats:
    """Sums per slice in each resample: shape (slices, replicates, len(cells.names)).

    Parameters
    ----------
    cells : Cells
    weights : array of uint8, shape (clusters, replicates)
        Times each cluster is drawn (see `ml.stats.bootstrap.poisson_weights`).
    """
    totals = np.zeros((cells.n_slices, weights.shape[1], len(cells.names)))
    for block in range(0, len(cells.slice), _BLOCK):
        end = min(block + _BLOCK, len(cells.slice))
        drawn = weights[cells.cluster[block:end]].astype(np.float64)
        for s in range(cells.slice[block], cells.slice[end - 1] + 1):
            first, last = max(cells.start[s], block), min(cells.start[s + 1], end)
            if first < last:
                totals[s] += drawn[first - block : last - block].T @ cells.sums[first:last]
    return totals


def metrics_from_totals(names: tuple[str, ...], totals: Floats) -> dict[str, Floats]:
    """Metrics from sums; the last axis of ``totals`` follows ``names``. NaN where there is no row.

    R² of a constant outcome is 1 when it is predicted exactly and 0 otherwise, as in scikit-learn.
    """
    sums = dict(zip(names, np.moveaxis(totals, -1, 0), strict=True))
    n = sums["n"]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = {name: sums[name] / n for name in names if name not in {"n", "y", "yy", "mse"}}
        found["rmse"] = np.sqrt(sums["mse"] / n)
        spread = sums["yy"] - sums["y"] ** 2 / n
        constant = spread <= 1e-12 * sums["yy"]
        found["r2"] = np.where(constant, np.where(sums["mse"] == 0, 1.0, 0.0), 1 - sums["mse"] / spread)
    found["r2"] = np.where(n > 0, found["r2"], np.nan)
    return found


def ratio(names: tuple[str, ...], totals: Floats, top: str, over: str) -> Floats:
    """One sum over another; the last axis of ``totals`` follows ``names``. NaN over nothing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(
            totals[..., names.index(over)] > 0,
            totals[..., names.index(top)] / totals[..., names.index(over)],
            np.nan,
        )


def spread(resampled: Floats) -> Floats:
    """Standard deviation along the last axis, of what is known; NaN with fewer than two resamples."""
    known = ~np.isnan(resampled)
    n = known.sum(axis=-1)
    mean = np.where(known, resampled, 0).sum(axis=-1) / np.maximum(n, 1)
    squares = np.where(known, (resampled - mean[..., None]) ** 2, 0).sum(axis=-1)
    return np.where(n >= 2, np.sqrt(squares / np.maximum(n - 1, 1)), np.nan)


def slice_medians(membership: Membership, values: Floats) -> Floats:
    """Median of ``values`` in each slice; NaN for an empty one."""
    order = np.argsort(values, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    # One sort of integers orders all slices at once: slice first, rank within it second.
    keys = np.sort(membership.slice_of_pair * len(order) + rank[membership.matrix.indices])
    ordered = values[order][keys % max(len(order), 1)]
    start, n = membership.matrix.indptr[:-1], membership.n
    medians = np.full(len(n), np.nan)
    filled = n > 0
    low, high = start[filled] + (n[filled] - 1) // 2, start[filled] + n[filled] // 2
    medians[filled] = (ordered[low] + ordered[high]) / 2
    return medians
