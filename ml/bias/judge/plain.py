"""Regression and ranking metrics of one set of rows; those without truth or prediction are only counted."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from ml.bias.slices.inputs import finite_vector, known_pairs, same_length
from ml.stats.metrics import r2
from ml.stats.rank_metrics import Grouping, ndcg_by_group, reciprocal_rank_by_group

N_MISSING = "n_missing"


def regression_metrics(y_true: ArrayLike, y_pred: ArrayLike) -> dict[str, float]:
    """``{mae, rmse, r2, count}`` in the unit of ``y_true``; R² is NaN where all truths are the same.

    Where rows were left out, ``n_missing`` says how many.
    """
    truth, predicted, known = known_pairs(y_true, y_pred)
    error = predicted - truth
    figures = {
        "mae": float(np.abs(error).mean()),
        "rmse": math.sqrt(float((error**2).mean())),
        "r2": float(r2(truth, predicted)[0]),
        "count": len(truth),
    }
    return figures | left_out(known)


def recommendation_metrics(y_true: ArrayLike, y_pred: ArrayLike, k: int | None = None) -> dict[str, float]:
    """``{ndcg, mrr, mae, count}`` of one ranked list.

    Where rows were left out, ``n_missing`` says how many.

    Parameters
    ----------
    y_true : array
        Relevance, not negative; above 0 is relevant.
    y_pred : array
        Scores; the highest is ranked first.
    k : int, optional
        Cut of NDCG; default the whole list.
    """
    relevance, score, known = known_pairs(y_true, y_pred)
    figures = {
        "ndcg": ndcg(relevance, score, k),
        "mrr": reciprocal_rank(relevance, score),
        "mae": float(np.abs(relevance - score).mean()),
        "count": len(relevance),
    }
    return figures | left_out(known)


def left_out(known: np.ndarray) -> dict[str, float]:
    """How many rows were left out, where any were."""
    return {} if known.all() else {N_MISSING: int((~known).sum())}


def ndcg(relevance: ArrayLike, score: ArrayLike, k: int | None = None) -> float:
    """NDCG of one list with linear gain, ties averaged (`ml.stats.rank_metrics`); 0 with nothing relevant."""
    gain, score = _one_list(relevance, score)
    if (gain < 0).any():
        raise ValueError(f"y_true must not be negative (relevance), got {gain.min()}")
    if k is not None and k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    one = Grouping(np.zeros(len(gain), dtype=np.int64))
    return float(ndcg_by_group(gain, score, one, k or len(gain), is_linear=True, empty=0.0)[0])


def reciprocal_rank(relevance: ArrayLike, score: ArrayLike) -> float:
    """1 / rank of the first relevant item, ties averaged (`ml.stats.rank_metrics`); 0 without any."""
    gain, score = _one_list(relevance, score)
    one = Grouping(np.zeros(len(gain), dtype=np.int64))
    return float(reciprocal_rank_by_group(gain, score, one, empty=0.0)[0])


def _one_list(relevance: ArrayLike, score: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    gain, order = finite_vector(relevance, "y_true"), finite_vector(score, "y_pred")
    same_length(y_true=gain, y_pred=order)
    return gain, order
