"""Every figure of a scored part with its interval over groups, beside the baseline order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml import metrics as m
from ml import rank_metrics as r
from ml.bootstrap import poisson_weights
from ml.evaluation import INTERVAL, Metric

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ScoredRows:
    """Rows of one part whose truth is known.

    Parameters
    ----------
    relevance : ndarray, shape (n,)
        0/1 or grades; above 0 is positive.
    score : ndarray, shape (n,)
        Decides the order.
    probability : ndarray, shape (n,)
        Calibrated.
    baseline : ndarray, shape (n,), or None
        A score that orders as the baseline does.
    groups : ndarray, shape (n,)
        Also what the bootstrap draws.
    """

    relevance: Values
    score: Values
    probability: Values
    baseline: Values | None
    groups: NDArray[np.object_]


def scoring_metrics(
    rows: ScoredRows,
    split: str,
    threshold: float,
    ndcg_at: Sequence[int],
    precision_at: int,
    replicates: int,
    seed: int = 0,
) -> list[Metric]:
    """Compute the figures of one part; those without a defined value, as of an empty part, are None.

    ``*_baseline`` is the baseline order, ``*_gain_vs_baseline`` the paired difference (positive where the
    model is better). AUC, average precision and the shares to review are over all rows of the part,
    NDCG, MRR and precision@k are means over groups.
    """
    n = len(rows.relevance)
    w = np.ones((n, 1))
    if replicates > 0 and n:
        w = np.hstack([w, poisson_weights(rows.groups.astype(str), replicates, seed)])
    y = (rows.relevance > 0).astype(float)
    figures = _order_figures(rows.relevance, y, rows.score, rows.groups, ndcg_at, precision_at, w)
    if rows.baseline is not None:
        beside = _order_figures(rows.relevance, y, rows.baseline, rows.groups, ndcg_at, precision_at, w)
        for name, values in beside.items():
            figures[f"{name}_baseline"] = values
            sign = -1.0 if name.startswith("review_share") else 1.0
            figures[f"{name}_gain_vs_baseline"] = sign * (figures[name] - values)
    chosen = (rows.probability >= threshold).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        hits, named, positive = (values @ w for values in (y * chosen, chosen, y))
        figures["precision"] = np.where(named > 0, hits / named, np.nan)
        figures["recall"] = np.where(positive > 0, hits / positive, np.nan)
        figures["f1"] = np.where(named + positive > 0, 2 * hits / (named + positive), np.nan)
    figures["brier"] = m.brier(y, rows.probability, w)
    figures["calibration_error"] = m.calibration_error(y, rows.probability, w)
    figures["positive_rate"] = m.mean_of(y, w)
    return [_as_metric(split, name, values, n) for name, values in figures.items()]


def best_threshold(y: Values, probability: Values) -> float:
    """Return the probability with the highest F1 when rows from it on count as positive."""
    levels = np.unique(probability)
    f1 = [2 * y[probability >= t].sum() / ((probability >= t).sum() + y.sum()) for t in levels]
    return float(levels[int(np.argmax(f1))])


def _order_figures(
    relevance: Values,
    y: Values,
    score: Values,
    groups: NDArray[np.object_],
    ndcg_at: Sequence[int],
    precision_at: int,
    w: NDArray[np.float64],
) -> dict[str, Values]:
    figures = {
        "auc": m.auc(y, score, w),
        "average_precision": m.average_precision(y, score, w),
        f"precision@{precision_at}": r.precision_at(y, score, groups, precision_at, w),
        "review_share_80": r.review_share(y, score, 0.8, w),
        "review_share_90": r.review_share(y, score, 0.9, w),
        "mrr": r.reciprocal_rank(y, score, groups, w),
    }
    for k in ndcg_at:
        figures[f"ndcg@{k}"] = r.ndcg(relevance, score, groups, k, w)
        figures[f"ndcg_linear@{k}"] = r.ndcg(relevance, score, groups, k, w, is_linear=True)
    return figures


def _as_metric(split: str, name: str, values: Values, n: int) -> Metric:
    draws = values[1:][np.isfinite(values[1:])]
    low, high = np.quantile(draws, INTERVAL) if len(draws) >= 20 else (np.nan, np.nan)
    value, low, high = (float(v) if np.isfinite(v) else None for v in (values[0], low, high))
    return Metric(split, name, value, low, high, n)
