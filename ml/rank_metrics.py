"""Metrics of an order, as pure functions for many weightings of the rows at once, like `ml.metrics`.

Metrics per group are means over groups: a group weighs what its first row weighs.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ml.metrics import Values, Weights

Groups = NDArray[np.object_]


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
    _check_k(k)

    def one(rows: NDArray[np.intp], order: NDArray[np.intp]) -> float:
        gain = relevance[rows] if is_linear else 2.0 ** relevance[rows] - 1.0
        discount = 1.0 / np.log2(np.arange(2, 2 + min(k, len(rows))))
        ideal = float(np.sort(gain)[::-1][:k] @ discount)
        return float(gain[order][:k] @ discount) / ideal if ideal > 0 else np.nan

    return _mean_over_groups(one, score, groups, weights)


def reciprocal_rank(y: Values, score: Values, groups: Groups, weights: Weights = None) -> Values:
    """MRR: mean over groups of 1 / position of the first positive row; groups without one are left out."""

    def one(rows: NDArray[np.intp], order: NDArray[np.intp]) -> float:
        hits = np.flatnonzero(y[rows][order] > 0)
        return 1.0 / (1.0 + hits[0]) if len(hits) else np.nan

    return _mean_over_groups(one, score, groups, weights)


def precision_at(y: Values, score: Values, groups: Groups, k: int, weights: Weights = None) -> Values:
    """Precision@k, mean over groups; a group smaller than ``k`` is judged over its own size."""
    _check_k(k)
    return _mean_over_groups(
        lambda rows, order: float((y[rows][order][:k] > 0).mean()), score, groups, weights
    )


def top_k_hit(y: Values, score: Values, groups: Groups, k: int, weights: Weights = None) -> Values:
    """Share of groups with a positive row among the first ``k``; groups without one are left out."""
    _check_k(k)

    def one(rows: NDArray[np.intp], order: NDArray[np.intp]) -> float:
        ordered = y[rows][order] > 0
        return float(ordered[:k].any()) if ordered.any() else np.nan

    return _mean_over_groups(one, score, groups, weights)


def review_share(y: Values, score: Values, recall: float, weights: Weights = None) -> Values:
    """Share of the rows to review, best score first, to find ``recall`` of the positives, shape (r,)."""
    if not 0 < recall <= 1:
        raise ValueError(f"recall must be above 0 and at most 1, not {recall}.")
    w = np.ones((len(y), 1)) if weights is None else np.asarray(weights, dtype=np.float64)
    w = (w[:, None] if w.ndim == 1 else w)[np.argsort(-score, kind="stable")]
    found = np.cumsum(w * (y[np.argsort(-score, kind="stable")] > 0)[:, None], axis=0)
    seen = np.cumsum(w, axis=0)
    if len(y) == 0:
        return np.full(w.shape[1], np.nan)
    # A little slack: 0.8 of 5 positives is 4, whatever the last digit of the product says.
    at = (found < recall * found[-1] - 1e-9).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(found[-1] > 0, np.take_along_axis(seen, at[None, :], axis=0)[0] / seen[-1], np.nan)


def rank_in_group(score: Values, groups: Groups) -> NDArray[np.int64]:
    """Return the position of every row within its group, 1 for the highest score; ties in order of rows."""
    ranks = np.empty(len(score), dtype=np.int64)
    for rows in _rows_by_group(groups):
        ranks[rows[np.argsort(-score[rows], kind="stable")]] = np.arange(1, len(rows) + 1)
    return ranks


def _mean_over_groups(
    one: Callable[[NDArray[np.intp], NDArray[np.intp]], float],
    score: Values,
    groups: Groups,
    weights: Weights,
) -> Values:
    members = _rows_by_group(groups)
    values = np.array([one(rows, np.argsort(-score[rows], kind="stable")) for rows in members])
    w = np.ones((len(score), 1)) if weights is None else np.asarray(weights, dtype=np.float64)
    w = w[:, None] if w.ndim == 1 else w
    defined = ~np.isnan(values) if len(values) else np.zeros(0, dtype=bool)
    if not defined.any():
        return np.full(w.shape[1], np.nan)
    per_group = w[[rows[0] for rows in members]][defined]
    with np.errstate(invalid="ignore", divide="ignore"):
        return values[defined] @ per_group / per_group.sum(axis=0)


def _rows_by_group(groups: Groups) -> list[NDArray[np.intp]]:
    if len(groups) == 0:
        return []
    _, code = np.unique(groups.astype(str), return_inverse=True)
    order = np.argsort(code, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(code[order])) + 1)


def _check_k(k: int) -> None:
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}.")
