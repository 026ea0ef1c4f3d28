"""Regression and ranking metrics of one set of rows, as pure functions of arrays."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from ml.bias.slices.inputs import finite_vector, same_length


def regression_metrics(y_true: ArrayLike, y_pred: ArrayLike) -> dict[str, float]:
    """``{mae, rmse, r2, count}`` in the unit of ``y_true``; R² as in scikit-learn, NaN for a single row."""
    truth, predicted = finite_vector(y_true, "y_true"), finite_vector(y_pred, "y_pred")
    same_length(y_true=truth, y_pred=predicted)
    error = predicted - truth
    return {
        "mae": float(np.abs(error).mean()),
        "rmse": math.sqrt(float((error**2).mean())),
        "r2": r_squared(truth, predicted),
        "count": len(truth),
    }


def r_squared(truth: np.ndarray, predicted: np.ndarray) -> float:
    """1 - residual / total sum of squares; of a constant truth, 1 if it is predicted exactly, else 0."""
    if len(truth) < 2:
        return math.nan
    residual = float(((truth - predicted) ** 2).sum())
    total = float(((truth - truth.mean()) ** 2).sum())
    if total == 0:
        return 1.0 if residual == 0 else 0.0
    return 1 - residual / total


def recommendation_metrics(y_true: ArrayLike, y_pred: ArrayLike, k: int | None = None) -> dict[str, float]:
    """``{ndcg, mrr, mae, count}`` of one ranked list.

    Parameters
    ----------
    y_true : array
        Relevance, not negative; above 0 is relevant.
    y_pred : array
        Scores; the highest is ranked first.
    k : int, optional
        Cut of NDCG; default the whole list.
    """
    relevance, score = finite_vector(y_true, "y_true"), finite_vector(y_pred, "y_pred")
    same_length(y_true=relevance, y_pred=score)
    return {
        "ndcg": ndcg(relevance, score, k),
        "mrr": reciprocal_rank(relevance, score),
        "mae": float(np.abs(relevance - score).mean()),
        "count": len(relevance),
    }


def ndcg(relevance: ArrayLike, score: ArrayLike, k: int | None = None) -> float:
    """Normalised discounted cumulative gain with linear gain (Järvelin & Kekäläinen 2002).

    Items with equal scores share their gain evenly over their ranks (McSherry & Najork 2008), so that the
    value does not depend on the order of the rows. A list without anything relevant gives 0.
    """
    gain, score = finite_vector(relevance, "y_true"), finite_vector(score, "y_pred")
    same_length(y_true=gain, y_pred=score)
    if (gain < 0).any():
        raise ValueError(f"y_true must not be negative (relevance), got {gain.min()}")
    if k is not None and k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    discount = 1 / np.log2(np.arange(len(gain)) + 2.0)
    if k is not None:
        discount[k:] = 0
    ideal = float(np.sort(gain)[::-1] @ discount)
    if ideal == 0:
        return 0.0
    _, tie = np.unique(-score, return_inverse=True)
    mean_gain = np.bincount(tie, weights=gain) / np.bincount(tie)
    return float(mean_gain[np.sort(tie)] @ discount) / ideal


def reciprocal_rank(relevance: ArrayLike, score: ArrayLike) -> float:
    """1 / rank of the first relevant item (its expected rank among equal scores); 0 without any."""
    gain, score = finite_vector(relevance, "y_true"), finite_vector(score, "y_pred")
    same_length(y_true=gain, y_pred=score)
    if not (gain > 0).any():
        return 0.0
    best = score[gain > 0].max()
    above, equal = int((score > best).sum()), score == best
    # Expected rank of the first relevant one among t equal scores, r of them relevant: (t + 1) / (r + 1).
    first = (int(equal.sum()) + 1) / (int((gain[equal] > 0).sum()) + 1)
    return 1 / (above + first)
