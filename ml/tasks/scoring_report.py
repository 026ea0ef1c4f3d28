"""The report of a scorer or ranker, as plain values for JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ml.stats.figure import Metric

REPORTED = ("auc", "precision", "recall", "f1")


def report_of(
    head: Mapping[str, Any],
    metrics: Sequence[Metric],
    cv_metric: str,
    cv_scores: Sequence[float | None],
    why_no_folds: str | None,
    ndcg_at: Sequence[int],
) -> dict[str, Any]:
    """Return ``head`` with the figures.

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
