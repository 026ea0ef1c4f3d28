"""Concentration of work: is it always the same few who are ranked first, and was it so in truth?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse, special

from ml.bias.config import BiasConfig
from ml.bias.estimates.cells import Floats, spread
from ml.bias.estimates.exposure import gini_of_segments
from ml.bias.slices.membership import Dimension, Membership, build_membership
from ml.stats.bootstrap import poisson_weights

ALL = "(all)"


@dataclass(frozen=True)
class Work:
    """Who may be given work in each list, and who is.

    Attributes
    ----------
    lists, entities : arrays of int, shape (rows,)
        List and candidate of every row, from 0.
    given : mapping of str to array, shape (rows,)
        Work of every row, by who says so.
    clusters : array, shape (lists,)
        Names of clusters of lists.
    dimensions : list of Dimension
        Over the lists.
    """

    lists: NDArray[np.intp]
    entities: NDArray[np.intp]
    given: Mapping[str, Floats]
    clusters: NDArray[np.object_]
    dimensions: list[Dimension]


def measure_concentration(work: Work, config: BiasConfig) -> pd.DataFrame:
    """Gini over all candidates of all lists, and of each slice of lists.

    0: all candidates have the same; towards 1: one has all. ``top_share`` is the share of the one with most.
    """
    n_lists = len(work.clusters)
    everyone = np.ones(n_lists, dtype=bool)
    whole = Dimension(ALL, np.array([ALL], dtype=object), sparse.csr_array(np.ones((n_lists, 1))), False)
    membership = build_membership(
        [whole, *work.dimensions], np.arange(n_lists), everyone, config.min_slice_size
    )
    codes, names = pd.factorize(pd.Series(work.clusters), use_na_sentinel=False)
    drawn = poisson_weights(names, config.replicates, config.seed)[codes]
    weights = np.hstack([np.ones((n_lists, 1)), drawn])
    n_clusters = _clusters_per_slice(membership, codes, len(names))
    assessable = (n_clusters >= config.min_clusters) & (membership.n >= config.min_slice_size)
    n_entities = np.bincount(_pairs(membership, work, np.ones(len(work.lists), dtype=bool))[0])
    tables = []
    for who, amounts in work.given.items():
        slice_of_pair, given = _given(membership, work, amounts)
        filled = np.unique(slice_of_pair)
        resampled = np.full((len(membership.slice), weights.shape[1]), np.nan)
        of_pair = given @ weights
        position = np.searchsorted(filled, slice_of_pair)
        resampled[filled] = gini_of_segments(of_pair, position, n_entities[filled])
        total = np.bincount(slice_of_pair, weights=of_pair[:, 0], minlength=len(n_entities))
        most = np.zeros(len(n_entities))
        np.maximum.at(most, slice_of_pair, of_pair[:, 0])
        gini = resampled[:, 0]
        # Resamples repeat lists, and so are all more concentrated than the lists are: their percentiles
        # would leave the value itself out, and only their spread says something.
        half = special.ndtri((1 + config.confidence) / 2) * spread(resampled[:, 1:])
        tables.append(
            pd.DataFrame(
                {
                    "dimension": membership.dimension,
                    "slice": membership.slice,
                    "who": who,
                    "n_lists": membership.n,
                    "n_clusters": n_clusters,
                    "n_entities": n_entities,
                    "n": total.round().astype(np.int64),
                    "gini": gini,
                    "ci_low": np.where(assessable, np.maximum(gini - half, 0), np.nan),
                    "ci_high": np.where(assessable, np.minimum(gini + half, 1), np.nan),
                    "top_share": np.divide(most, total, out=np.full(len(gini), np.nan), where=total > 0),
                    "assessable": assessable,
                }
            )
        )
    table = pd.concat(tables, ignore_index=True)
    return table[(table["dimension"] != ALL) | (table["slice"] == ALL)]


def _pairs(
    membership: Membership, work: Work, rows: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """The distinct (slice, candidate) pairs of some rows, by their slice; then of each such row in each slice
    of its list: the pair, the list, and the row.
    """
    of_list = sparse.csr_array(
        (np.flatnonzero(rows) + 1, (work.lists[rows], np.arange(rows.sum()))),
        shape=(len(work.clusters), int(rows.sum())),
    )
    found = (membership.matrix.astype(np.int64) @ of_list).tocoo()
    row = found.data - 1
    key = found.row * (work.entities.max() + 1) + work.entities[row]
    distinct, pair = np.unique(key, return_inverse=True)
    return distinct // (work.entities.max() + 1), pair, work.lists[row], row


def _given(membership: Membership, work: Work, amounts: Floats) -> tuple[NDArray[np.intp], sparse.csr_array]:
    """Work of every (slice, candidate) pair that has any: its slice, and a matrix (pairs, lists)."""
    slices, pair, lists, row = _pairs(membership, work, amounts > 0)
    shape = (len(slices), len(work.clusters))
    return slices, sparse.csr_array((amounts[row], (pair, lists)), shape=shape)


def _clusters_per_slice(
    membership: Membership, clusters: NDArray[np.intp], n_clusters: int
) -> NDArray[np.int64]:
    keys = np.unique(membership.slice_of_pair * n_clusters + clusters[membership.matrix.indices])
    return np.bincount(keys // n_clusters, minlength=len(membership.slice))
