"""Metrics as pure functions of arrays, each for many weightings of the rows at once.

Every function takes ``weights`` of shape (n, r) and returns r values, one per column: a bootstrap costs
one sort, not one per replicate. Rows are never copied per replicate. None stands for one column of ones.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Weights = NDArray[np.floating] | None


def mean_of(values: Values, weights: Weights = None) -> Values:
    """Return the weighted mean of ``values``, shape (r,)."""
    w = _columns(weights, len(values))
    with np.errstate(invalid="ignore", divide="ignore"):
        return values.astype(w.dtype) @ w / w.sum(axis=0)


def mae(y: Values, pred: Values, weights: Weights = None) -> Values:
    """Mean absolute error, in the unit of ``y``."""
    return mean_of(np.abs(pred - y), weights)


def mse(y: Values, pred: Values, weights: Weights = None) -> Values:
    """Mean squared error."""
    return mean_of((pred - y) ** 2, weights)


def rmse(y: Values, pred: Values, weights: Weights = None) -> Values:
    """Root of the mean squared error."""
    return np.sqrt(mse(y, pred, weights))


def r2(y: Values, pred: Values, weights: Weights = None) -> Values:
    """Coefficient of determination: 1 - squared error / squared deviation from the weighted mean."""
    # Centred first: the difference of two large sums would lose the digits that matter.
    centred = y - y.mean() if len(y) else y
    spread = mean_of(centred**2, weights) - mean_of(centred, weights) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(spread > 0, 1.0 - mse(y, pred, weights) / spread, np.nan)


def weighted_quantile(values: Values, q: float, weights: Weights = None) -> Values | float:
    """Quantile ``q`` of ``values``: averaged inverted CDF, so that unit weights give NumPy's median.

    Returns
    -------
    ndarray of shape (r,), or a float when ``weights`` has one dimension.
    """
    w = _columns(weights, len(values))
    order = np.argsort(values, kind="stable")
    ordered, total = values[order], np.cumsum(w[order], axis=0, dtype=np.float64)
    if len(values) == 0:
        return np.full(w.shape[1], np.nan)
    goal = q * total[-1]
    slack = 1e-9 * np.maximum(total[-1], 1.0)
    low = np.minimum((total < goal - slack).sum(axis=0), len(values) - 1)
    high = np.minimum((total <= goal + slack).sum(axis=0), len(values) - 1)
    result = np.where(total[-1] > 0, (ordered[low] + ordered[high]) / 2.0, np.nan)
    return float(result[0]) if weights is not None and weights.ndim == 1 else result


def median_ae(y: Values, pred: Values, weights: Weights = None) -> Values | float:
    """Median absolute error."""
    return weighted_quantile(np.abs(pred - y), 0.5, weights)


def pred_within(y: Values, pred: Values, share: float, weights: Weights = None) -> Values:
    """PRED(k): share of rows whose error is at most ``share`` of the true value (Conte et al. 1986)."""
    return mean_of((np.abs(pred - y) <= share * y).astype(float), weights)


def pinball(y: Values, pred: Values, q: float, weights: Weights = None) -> Values:
    """Pinball loss of the quantile ``q`` (Koenker and Bassett 1978)."""
    error = y - pred
    return mean_of(np.maximum(q * error, (q - 1.0) * error), weights)


def coverage(y: Values, low: Values, high: Values, weights: Weights = None) -> Values:
    """Share of rows inside their interval, bounds included."""
    return mean_of(((y >= low) & (y <= high)).astype(float), weights)


def auc(y: Values, score: Values, weights: Weights = None) -> Values:
    """Area under the ROC curve, ties counted half; NaN where a class has no weight."""
    positive, negative = _by_score(y, score, weights, descending=False)
    below = np.cumsum(negative, axis=0) - negative
    with np.errstate(invalid="ignore", divide="ignore"):
        pairs = positive.sum(axis=0) * negative.sum(axis=0)
        return np.where(pairs > 0, (positive * (below + negative / 2.0)).sum(axis=0) / pairs, np.nan)


def average_precision(y: Values, score: Values, weights: Weights = None) -> Values:
    """Average precision: precision at each score, weighted by the gain in recall."""
    positive, negative = _by_score(y, score, weights, descending=True)
    hits, seen = np.cumsum(positive, axis=0), np.cumsum(positive + negative, axis=0)
    total = positive.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(seen > 0, hits / seen, 0.0)
        return np.where(total > 0, (positive * precision).sum(axis=0) / total, np.nan)


def brier(y: Values, probability: Values, weights: Weights = None) -> Values:
    """Brier score: mean squared error of a probability."""
    return mse(y, probability, weights)


def calibration_error(y: Values, probability: Values, weights: Weights = None, bins: int = 10) -> Values:
    """Expected calibration error over equally wide bins (Naeini et al. 2015)."""
    w = _columns(weights, len(y))
    code = np.minimum((probability * bins).astype(int), bins - 1)
    member = np.eye(bins, dtype=w.dtype)[code]
    gaps = np.abs((member * (y - probability)[:, None].astype(w.dtype)).T @ w)
    with np.errstate(invalid="ignore", divide="ignore"):
        return gaps.sum(axis=0) / w.sum(axis=0)


def concordance(hours: Values, pred: Values, known: NDArray[np.bool_], weights: Weights = None) -> Values:
    """Harrell's concordance index with right censoring, in O(n log² n).

    A pair counts when the shorter time is a known end; a censored time equal to a known one is longer.
    Ties of the prediction count half (Harrell et al. 1996).

    Notes
    -----
    With integer time ranks, every pair of unequal ranks has one highest bit in which they differ. Per bit,
    rows are sorted by (higher bits, prediction) and one running sum counts the pairs of all replicates. The
    libraries of survival analysis take no weights of replicates, or compare all pairs.
    """
    w = _columns(weights, len(hours)).astype(np.float64)
    # A censored time sorts just after an end at the same time.
    _, rank = np.unique(np.stack([hours, ~known], axis=1), axis=0, return_inverse=True)
    _, level = np.unique(pred, return_inverse=True)
    rank, level = rank.ravel().astype(np.int64), level.ravel().astype(np.int64)
    concordant, comparable = np.zeros(w.shape[1]), np.zeros(w.shape[1])
    for bit in range(int(rank.max(initial=0)).bit_length()):
        block = rank >> (bit + 1)
        key = block * (level.max() + 1) + level
        order = np.argsort(key, kind="stable")
        late = ((rank[order] >> bit) & 1).astype(bool)
        total = np.zeros((len(order) + 1, w.shape[1]))
        np.cumsum(np.where(late[:, None], w[order], 0.0), axis=0, out=total[1:])
        early = ~late & known[order]
        keys, blocks = key[order], block[order]
        block_end = np.searchsorted(blocks, blocks[early], side="right")
        block_start = np.searchsorted(blocks, blocks[early], side="left")
        tie_start = np.searchsorted(keys, keys[early], side="left")
        tie_end = np.searchsorted(keys, keys[early], side="right")
        mine = w[order][early]
        # Above the tie: half of (after its start + after its end) counts ties as half.
        concordant += (mine * (total[block_end] - (total[tie_start] + total[tie_end]) / 2.0)).sum(axis=0)
        comparable += (mine * (total[block_end] - total[block_start])).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(comparable > 0, concordant / comparable, np.nan)


def _columns(weights: Weights, n: int) -> NDArray[np.floating]:
    if weights is None:
        return np.ones((n, 1))
    return weights[:, None] if weights.ndim == 1 else weights


def _by_score(
    y: Values, score: Values, weights: Weights, descending: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weight of positives and of negatives per distinct score, shapes (scores, r), in order of score."""
    w = _columns(weights, len(y))
    order = np.argsort(-score if descending else score, kind="stable")
    ordered = score[order]
    first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(y) else np.zeros(0, dtype=int)
    is_positive = y[order][:, None] > 0
    sorted_weights = w[order].astype(np.float64)
    if len(y) == 0:
        return sorted_weights, sorted_weights
    positive = np.add.reduceat(np.where(is_positive, sorted_weights, 0.0), first, axis=0)
    negative = np.add.reduceat(np.where(is_positive, 0.0, sorted_weights), first, axis=0)
    return positive, negative
