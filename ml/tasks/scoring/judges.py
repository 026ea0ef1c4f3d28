"""What stopping, searches and cross-validation judge scores by; larger is better."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ml.models import Rows
from ml.stats.metrics import auc, average_precision
from ml.stats.rank_metrics import Grouping, ndcg
from ml.tasks.scoring.settings import EvalMetric

Values = NDArray[np.float64]
# Judges the scores of rows that it was made for.
Judge = Callable[[Values], float]


def judge_of(metric: EvalMetric, rows: Rows, ks: Sequence[int]) -> Judge:
    """Return what judges by one metric; NDCG is the mean over the ``ks``."""
    if metric == "ndcg":
        grouping = Grouping(rows.groups)
        return lambda s: float(np.mean([ndcg(rows.y, s, grouping, k)[0] for k in ks]))
    pure, y = auc if metric == "auc" else average_precision, (rows.y > 0).astype(float)
    return lambda s: float(pure(y, s)[0])


def both_ends(rows: Rows, ks: Sequence[int]) -> Judge:
    """Return what judges by NDCG and average precision alike: NDCG alone would buy the first places dear."""
    first, all_of_them = judge_of("ndcg", rows, ks), judge_of("average_precision", rows, ks)
    return lambda s: (first(s) + all_of_them(s)) / 2.0


def log_loss(rows: Rows) -> Judge:
    """Return what judges log odds of 0/1 labels.

    It moves where AUC stands still, once the few positives of a fold are on top.
    """
    sign = 1.0 - 2.0 * rows.y
    return lambda s: -float(np.logaddexp(0.0, sign * s).mean())
