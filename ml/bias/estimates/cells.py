"""Sums that all metrics are made of: per row, per (slice, cluster) cell, per slice and per resample.

Everything downstream (metrics, tests, intervals) is computed from the cells, so rows are read once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.bias.slices.membership import Membership

Floats = NDArray[np.float64]
# Sums that every set of rows has: their number, and the outcome about its slice's mean.
ROWS, OUTCOME, OUTCOME_SQUARED = "n", "y", "yy"
# Cells per block: with 200 resamples a block of weights is 6 MB, which stays in the cache.
_BLOCK = 4096


def sum_by(owner: NDArray[np.intp], values: Floats, size: int) -> Floats:
    """Sum of ``values`` by owner, from 0 to ``size`` - 1."""
    return np.bincount(owner, weights=values, minlength=size).astype(np.float64, copy=False)


@dataclass(frozen=True)
class Cells:
    """Sums per (slice, cluster) that occur together, ordered by slice.

    Attributes
    ----------
    slice, cluster : arrays of int, shape (cells,)
    start : array of int, shape (slices + 1,)
        Cells of slice ``s`` are ``start[s]:start[s + 1]``.
    names : tuple of str
        Columns of ``sums``: `ROWS`, the row statistics, then `OUTCOME` and `OUTCOME_SQUARED` if wanted.
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


def build_cells(
    membership: Membership,
    statistics: Mapping[str, Floats],
    clusters: NDArray[np.intp],
    outcome: Floats | None = None,
) -> Cells:
    """Sum the rows' statistics over the (slice, cluster) pairs.

    Parameters
    ----------
    membership : Membership
    statistics : mapping of str to array, shape (rows,)
    clusters : array of int
        Cluster of each row, from 0; rows of one cluster are not independent of each other.
    outcome : array, shape (rows,), optional
        Added up as `OUTCOME` and `OUTCOME_SQUARED`, both about the mean of the slice.
    """
    rows, owners = membership.matrix.indices, membership.slice_of_pair
    n_slices, n_clusters = len(membership.slice), int(clusters.max()) + 1
    if n_clusters == len(clusters):
        cell_slice, cell_cluster, position = owners, clusters[rows], None
    else:
        keys, position = np.unique(owners * n_clusters + clusters[rows], return_inverse=True)
        cell_slice, cell_cluster = np.divmod(keys, n_clusters)

    columns = {name: values[rows] for name, values in statistics.items()}
    if outcome is not None:
        centred = _about_mean(outcome[rows], owners, n_slices)
        columns |= {OUTCOME: centred, OUTCOME_SQUARED: centred**2}
    sums = np.empty((len(cell_slice), 1 + len(columns)))
    sums[:, 0] = 1 if position is None else np.bincount(position, minlength=len(cell_slice))
    for number, column in enumerate(columns.values(), start=1):
        sums[:, number] = column if position is None else sum_by(position, column, len(cell_slice))
    start = np.searchsorted(cell_slice, np.arange(n_slices + 1))
    return Cells(cell_slice, cell_cluster, start, (ROWS, *columns), sums)


def _about_mean(values: Floats, owners: NDArray[np.intp], n_slices: int) -> Floats:
    """Values about the mean of their slice; a constant outcome has no spread at all."""
    sizes = np.bincount(owners, minlength=n_slices)
    centre = (sum_by(owners, values, n_slices) / np.maximum(sizes, 1))[owners]
    centred = values - centre
    centred[np.abs(centred) <= 1e-12 * np.abs(centre)] = 0
    return centred


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
