"""Metrics of an order, as pure functions for many weightings of the rows at once, like `ml.stats.metrics`.

Metrics per group are means over groups: a group weighs what its first row weighs. All groups are measured
in one pass over the rows, without a loop. Where scores tie, every metric is its mean over all orders of the
tied rows (McSherry and Najork 2008): neither names nor the order of the rows decide anything.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ml.stats.metrics import Values, Weights


class Grouping:
    """Which rows belong together; made once for all the orders that are measured.

    Parameters
    ----------
    names : array, shape (n,)
        Group of every row.

    Attributes
    ----------
    codes : ndarray of int, shape (n,)
    first_rows : ndarray of int, shape (g,)
        The first row of every group, groups in the order of their names.
    sizes : ndarray of int, shape (g,)
    """

    def __init__(self, names: ArrayLike) -> None:
        texts = np.asarray(names, dtype=object).astype(str)
        self.codes, distinct = pd.factorize(texts, sort=True)
        self.sizes = np.bincount(self.codes, minlength=len(distinct))
        self.first_rows = np.full(len(distinct), len(texts))
        np.minimum.at(self.first_rows, self.codes, np.arange(len(texts)))
        self._starts = np.cumsum(self.sizes) - self.sizes

    def places(self, score: Values) -> NDArray[np.int64]:
        """Return every row's place in its group, 0 for the highest score; ties in order of rows."""
        order = np.lexsort((-np.asarray(score, dtype=np.float64), self.codes))
        places = np.empty(len(order), dtype=np.int64)
        places[order] = np.arange(len(order)) - self._starts[self.codes[order]]
        return places

    def shared(self, values: Values, score: Values) -> Values:
        """Return every row's share of ``values``: their mean over the rows of its group with its score."""
        _, level = np.unique(score, return_inverse=True)
        tie, _ = pd.factorize(self.codes * (level.max(initial=0) + 1) + level)
        return (np.bincount(tie, weights=values) / np.bincount(tie))[tie]

    def sums(self, values: Values) -> Values:
        """Return the sum of every group, shape (g,)."""
        return np.bincount(self.codes, weights=values, minlength=len(self.sizes)).astype(np.float64)

    def mean(self, values: Values, weights: Weights = None) -> Values:
        """Mean over groups of ``values``, shape (g,); NaN ones are left out. Shape (r,)."""
        w = np.ones((len(self.codes), 1)) if weights is None else np.asarray(weights, dtype=np.float64)
        w = w[:, None] if w.ndim == 1 else w
        return mean_of_groups(values, w[self.first_rows])


Groups = NDArray[np.object_] | Grouping


def mean_of_groups(values: Values, weights: NDArray[np.floating]) -> Values:
    """Mean of ``values``, shape (g,), for every column of ``weights``, (g, r); NaN values are left out."""
    defined = ~np.isnan(values)
    if not defined.any():
        return np.full(weights.shape[1], np.nan)
    own = weights[defined].astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return values[defined] @ own / own.sum(axis=0)


def ndcg_by_group(
    relevance: Values,
    score: Values,
    grouping: Grouping,
    k: int,
    *,
    is_linear: bool = False,
    empty: float = np.nan,
) -> Values:
    """NDCG@k of every group, shape (g,); see `ndcg`."""
    _check_k(k)
    gain = relevance if is_linear else 2.0**relevance - 1.0
    reached = grouping.sums(gain * grouping.shared(_discount(grouping.places(score), k), score))
    ideal = grouping.sums(gain * _discount(grouping.places(gain), k))
    return np.where(ideal > 0, reached / np.where(ideal > 0, ideal, 1.0), empty)


def reciprocal_rank_by_group(
    y: Values, score: Values, grouping: Grouping, *, empty: float = np.nan
) -> Values:
    """1 / position of the first positive row of every group, shape (g,)."""
    above, tied, positive = _first_hit(y, score, grouping)
    expected, none_yet = np.zeros(len(tied)), np.ones(len(tied))
    for step in range(int(tied.max(initial=0))):
        left = tied - step
        with np.errstate(invalid="ignore", divide="ignore"):
            here = np.where(left > 0, none_yet * positive / left, 0.0)
        expected += here / (above + step + 1)
        none_yet = none_yet - here
    return np.where(positive > 0, expected, empty)


def top_k_hit_by_group(
    y: Values, score: Values, grouping: Grouping, k: int, *, empty: float = np.nan
) -> Values:
    """1 where a group has a positive row among its first ``k``, else 0, shape (g,)."""
    _check_k(k)
    above, tied, positive = _first_hit(y, score, grouping)
    places = np.clip(k - above, 0, tied)
    none = np.ones(len(tied))
    for step in range(int(places.max(initial=0))):
        left = tied - step
        with np.errstate(invalid="ignore", divide="ignore"):
            none = np.where(step < places, none * np.maximum(left - positive, 0) / left, none)
    return np.where(positive > 0, 1.0 - none, empty)


def precision_by_group(y: Values, score: Values, grouping: Grouping, k: int) -> Values:
    """Precision@k of every group, shape (g,); a group smaller than ``k`` is judged over its own size."""
    _check_k(k)
    is_among = grouping.shared((grouping.places(score) < k).astype(float), score)
    return grouping.sums((y > 0) * is_among) / np.minimum(k, grouping.sizes)


def ndcg(
    relevance: Values,
    score: Values,
    groups: Groups,
    k: int,
    weights: Weights = None,
    *,
    is_linear: bool = False,
) -> Values:
    """NDCG@k, mean over groups, shape (r,).

    Gains are 2^relevance - 1 (Burges et al. 2005), or with ``is_linear`` the relevance itself (Järvelin and
    Kekäläinen 2002; scikit-learn's ``ndcg_score``): figures of the two kinds must not be compared.

    A group smaller than ``k`` is judged over its own size. A group without any relevant row has no ideal
    order and is left out; NaN when all are.
    """
    own = _grouping(groups)
    return own.mean(ndcg_by_group(relevance, score, own, k, is_linear=is_linear), weights)


def review_share(y: Values, score: Values, recall: float, weights: Weights = None) -> Values:
    """Share of the rows to review, best score first, to find ``recall`` of the positives, shape (r,).

    Of t tied rows with p positives, the r-th positive is expected at the place r (t + 1) / (p + 1).
    """
    if not 0 < recall <= 1:
        raise ValueError(f"recall must be above 0 and at most 1, not {recall}.")
    w = np.ones((len(y), 1)) if weights is None else np.asarray(weights, dtype=np.float64)
    w = w[:, None] if w.ndim == 1 else w
    if len(y) == 0:
        return np.full(w.shape[1], np.nan)
    order = np.argsort(-score, kind="stable")
    first = np.flatnonzero(np.r_[True, np.diff(score[order]) != 0])
    is_positive, w = (y[order] > 0)[:, None], w[order]
    rows, weight = (np.add.reduceat(values, first, axis=0) for values in ((w > 0).astype(float), w))
    hit_rows = np.add.reduceat((is_positive & (w > 0)).astype(float), first, axis=0)
    hits = np.add.reduceat(w * is_positive, first, axis=0)
    found, seen = np.cumsum(hits, axis=0), np.cumsum(weight, axis=0)
    # A little slack: 0.8 of 5 positives is 4, whatever the last digit of the product says.
    goal = recall * found[-1] - 1e-9
    at = (found < goal).sum(axis=0)[None, :]
    rows, weight, hit_rows, hits, before_hits, before = (
        np.take_along_axis(values, at, axis=0)[0]
        for values in (rows, weight, hit_rows, hits, found - hits, seen - weight)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        wanted = np.ceil((goal - before_hits) / hits * hit_rows)
        reviewed = before + wanted * (rows + 1) / (hit_rows + 1) * weight / rows
        return np.where(found[-1] > 0, reviewed / seen[-1], np.nan)


def rank_in_group(score: Values, groups: Groups) -> NDArray[np.int64]:
    """Return the position of every row within its group, 1 for the highest score; ties in order of rows."""
    return _grouping(groups).places(score) + 1


def _grouping(groups: Groups) -> Grouping:
    return groups if isinstance(groups, Grouping) else Grouping(groups)


def _discount(places: NDArray[np.int64], k: int) -> Values:
    return np.where(places < k, 1.0 / np.log2(places + 2.0), 0.0)


def _first_hit(y: Values, score: Values, grouping: Grouping) -> tuple[Values, Values, Values]:
    """Say of every group where its first positive row is: rows above, rows tied with it, positives of these.

    No positives, and no tied rows, where a group has none.
    """
    hits = y > 0
    best = np.full(len(grouping.sizes), np.inf)
    np.minimum.at(best, grouping.codes[hits], -score[hits])
    mine = -best[grouping.codes]
    is_tied = (score == mine).astype(float)
    above, tied = grouping.sums((score > mine).astype(float)), grouping.sums(is_tied)
    return above, tied, grouping.sums(is_tied * hits)


def _check_k(k: int) -> None:
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}.")
