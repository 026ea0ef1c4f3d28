"""Every figure of a scored part with its interval over clusters, beside the baseline orders; the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.stats import metrics as m
from ml.stats import rank_metrics as r
from ml.stats.figure import Figure
from ml.stats.intervals import Resamples, figure_of
from ml.tasks.scoring.settings import ScoringConfig

REPORTED = ("auc", "precision", "recall", "f1")
Values = NDArray[np.float64]
Names = NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class ScoredRows:
    """Rows of one part whose truth is known.

    Parameters
    ----------
    relevance : ndarray, shape (n,)
        0/1 or grades; above 0 is positive.
    score : ndarray, shape (n,)
        Decides the order.
    probability : ndarray, shape (n,), or None
        Calibrated; None where only the order is judged.
    baselines : mapping of name to ndarray, shape (n,)
        Scores that order as the baselines do.
    groups : ndarray, shape (n,)
        The lists that are ordered.
    clusters : ndarray, shape (n,)
        What the bootstrap draws; all rows of a group are in one cluster.
    is_proposed : ndarray of bool, shape (n,), or None
        Where groups are questions: the rows that are proposed as the answer, at most one of each.
    """

    relevance: Values
    score: Values
    probability: Values | None
    baselines: Mapping[str, Values]
    groups: Names
    clusters: Names
    is_proposed: NDArray[np.bool_] | None = None


def scoring_metrics(
    rows: ScoredRows, split: str, threshold: float, config: ScoringConfig, groups_are_questions: bool
) -> list[Figure]:
    """Compute the figures of one part; those without a defined value, as of an empty part, are None.

    ``*_{baseline}`` is the figure of a baseline order, ``*_gain_vs_{baseline}`` the paired difference
    (positive where the model is better). AUC, average precision and the shares to review are over all rows
    of the part; NDCG, MRR, top@k and precision@k are means over groups. Where groups are questions, every
    one has an answer: one without a positive row counts as missed, and there are no figures over the rows
    of different groups together, but ``proposed_precision``, the share of the proposed rows that are right,
    and ``proposed_share``, the share of the questions that have one.
    """
    resamples = Resamples.of(rows.clusters, config.replicates, config.seed)
    grouping = r.Grouping(rows.groups)
    by = partial(_order_figures, rows, grouping, resamples, config, groups_are_questions)
    figures = by(rows.score)
    for name, score in rows.baselines.items():
        for figure, values in by(score).items():
            sign = -1.0 if figure.startswith("review_share") else 1.0
            figures[f"{figure}_{name}"] = values
            figures[f"{figure}_gain_vs_{name}"] = sign * (figures[figure] - values)
    if groups_are_questions:
        answered = (grouping.sums((rows.relevance > 0).astype(float)) > 0).astype(float)
        weights = resamples.at(grouping.first_rows)
        figures["answer_among_rows"] = r.mean_of_groups(answered, weights)
        if rows.is_proposed is not None:
            proposed = grouping.sums(rows.is_proposed.astype(float))
            hits = grouping.sums((rows.is_proposed & (rows.relevance > 0)).astype(float))
            figures["proposed_share"] = r.mean_of_groups(proposed, weights)
            figures["proposed_precision"] = r.mean_of_groups(np.where(proposed > 0, hits, np.nan), weights)
    else:
        figures |= _probability_figures(rows, threshold, resamples)
    n, clusters = len(rows.relevance), resamples.clusters()
    return [figure_of(split, name, values, n, clusters) for name, values in figures.items()]


def best_threshold(y: Values, probability: Values) -> float:
    """Return the probability with the highest F1 when rows from it on count as positive."""
    order = np.argsort(-probability, kind="stable")
    ordered = probability[order]
    last = np.flatnonzero(np.r_[ordered[1:] != ordered[:-1], True])
    hits, named = np.cumsum(y[order])[last], last + 1.0
    f1 = 2 * hits / (named + y.sum())
    # Of equally good ones the lowest.
    return float(ordered[last][len(f1) - 1 - int(np.argmax(f1[::-1]))])


def _order_figures(
    rows: ScoredRows,
    grouping: r.Grouping,
    resamples: Resamples,
    config: ScoringConfig,
    groups_are_questions: bool,
    score: Values,
) -> dict[str, Values]:
    y = (rows.relevance > 0).astype(float)
    figures: dict[str, Values] = {}
    if not groups_are_questions:
        pooled = [
            (
                m.auc(y, score, w),
                m.average_precision(y, score, w),
                r.review_share(y, score, 0.8, w),
                r.review_share(y, score, 0.9, w),
            )
            for w in resamples.blocks()
        ]
        names = ("auc", "average_precision", "review_share_80", "review_share_90")
        figures |= {
            name: np.concatenate(parts) for name, parts in zip(names, zip(*pooled, strict=True), strict=True)
        }
    empty = 0.0 if groups_are_questions else np.nan
    lists = {
        f"precision@{config.precision_at}": r.precision_by_group(y, score, grouping, config.precision_at),
        "mrr": r.reciprocal_rank_by_group(y, score, grouping, empty=empty),
    }
    for k in config.top_at:
        lists[f"top@{k}"] = r.top_k_hit_by_group(y, score, grouping, k, empty=empty)
    for k in config.ndcg_at:
        lists[f"ndcg@{k}"] = r.ndcg_by_group(rows.relevance, score, grouping, k, empty=empty)
        lists[f"ndcg_linear@{k}"] = r.ndcg_by_group(
            rows.relevance, score, grouping, k, is_linear=True, empty=empty
        )
    weights = resamples.at(grouping.first_rows)
    return figures | {name: r.mean_of_groups(values, weights) for name, values in lists.items()}


def _probability_figures(rows: ScoredRows, threshold: float, resamples: Resamples) -> dict[str, Values]:
    y = (rows.relevance > 0).astype(float)
    if rows.probability is None:
        return {"positive_rate": np.concatenate([m.mean_of(y, w) for w in resamples.blocks()])}
    named_rows = (rows.probability >= threshold).astype(float)
    parts: dict[str, list[Values]] = {}
    for w in resamples.blocks():
        with np.errstate(invalid="ignore", divide="ignore"):
            hits, named, positive = (values @ w for values in (y * named_rows, named_rows, y))
            block = {
                "precision": np.where(named > 0, hits / named, np.nan),
                "recall": np.where(positive > 0, hits / positive, np.nan),
                "f1": np.where(named + positive > 0, 2 * hits / (named + positive), np.nan),
                "brier": m.brier(y, rows.probability, w),
                "calibration_error": m.calibration_error(y, rows.probability, w),
                "positive_rate": m.mean_of(y, w),
            }
        for name, values in block.items():
            parts.setdefault(name, []).append(values)
    return {name: np.concatenate(values) for name, values in parts.items()}


def report_of(
    head: Mapping[str, Any],
    metrics: Sequence[Figure],
    cv_metric: str,
    cv_scores: Sequence[float | None],
    why_no_folds: str | None,
    ndcg_at: Sequence[int],
) -> dict[str, Any]:
    """Return the report of a scorer or ranker, plain values for JSON: ``head`` with the figures.

    The keys ``test_*`` and ``cv_*`` are flat; ``metrics`` has every figure with its interval over groups.
    A figure that is not defined is null; ``cv_left_out`` says why there are no folds where they were asked
    for.
    """
    found = {m.metric: m.value for m in metrics if m.split == "test"}
    scores = [score for score in cv_scores if score is not None]
    flat: dict[str, Any] = {f"test_{name}": found.get(name) for name in REPORTED}
    for k in ndcg_at:
        flat[f"test_ndcg@{k}"] = found.get(f"ndcg@{k}")
    return {
        **flat,
        **head,
        f"cv_{cv_metric}_mean": float(np.mean(scores)) if scores else None,
        f"cv_{cv_metric}_std": float(np.std(scores)) if scores else None,
        "cv_scores": list(cv_scores),
        "cv_left_out": why_no_folds,
        "metrics": [vars(m) for m in metrics],
    }
