"""Pictures of how good models are, beside each other and beside what needs no model."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ml.reports.style import intervals, png, sheet
from ml.stats.figure import Figure
from ml.store.record import Evaluation

_ORDERS = ("auc", "average_precision", "ndcg@10", "mrr", "top@3")


def leaderboard(evaluations: Sequence[Evaluation]) -> bytes:
    """Draw the error of log hours of models and their AUC per horizon on the test part, with intervals.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        Of hours, the best one first.

    Returns
    -------
    bytes
        A PNG picture.
    """
    known = {figure.metric for one in evaluations for figure in one.metrics}
    days = sorted(float(found[1]) for name in known if (found := re.fullmatch(r"auc_(\d+)d", name)))
    areas = {f"auc_{d:g}d": f"{d:g} day{'s' * (d > 1)}" for d in days}
    figure, (error, area) = sheet(10.6, 1.4 + 0.45 * len(evaluations), 2, sharey=True)
    figure.suptitle("Leaderboard, test part, 95 % intervals")
    for axes, metrics in ((error, {"mae_log": ""}), (area, areas)):
        for series, (metric, label) in enumerate(metrics.items()):
            place = -np.arange(len(evaluations)) + 0.3 - 0.6 * (series + 0.5) / len(metrics)
            intervals(axes, place, _ends([(one.metrics, metric) for one in evaluations]), series, label)
    error.set_yticks(-np.arange(len(evaluations)), [one.model for one in evaluations], fontsize=9)
    error.set(xlabel="MAE of log hours; less is better")
    area.set(xlabel="AUC of being closed within; more is better")
    if areas:
        area.legend(fontsize=7)
    return png(figure)


def beside_baselines(metrics: Sequence[Figure], title: str) -> bytes:
    """Draw how well a scorer or ranker orders the test part, and how well the simple orders do.

    Parameters
    ----------
    metrics : sequence of Figure
        Of the model; those of a baseline end in its name.
    title : str

    Returns
    -------
    bytes
        A PNG picture.
    """
    known = {one.metric for one in metrics if one.split == "test" and one.value is not None}
    names = [name for name in _ORDERS if name in known]
    others = sorted({one.split("_gain_vs_")[1] for one in known if "_gain_vs_" in one})
    figure, (axes,) = sheet(7.0, 1.4 + 0.25 * len(names) * (1 + len(others)))
    for series, other in enumerate(["", *others]):
        place = -np.arange(len(names)) + 0.4 - 0.8 * (series + 0.5) / (1 + len(others))
        ends = _ends([(metrics, f"{name}_{other}" if other else name) for name in names])
        intervals(axes, place, ends, series, other or title)
    axes.set_yticks(-np.arange(len(names)), names, fontsize=9)
    axes.set(xlabel="more is better; 95 % intervals", title=f"{title}, test part, beside simple orders")
    axes.legend(fontsize=7)
    return png(figure)


def _ends(asked: Sequence[tuple[Sequence[Figure], str]]) -> NDArray[np.float64]:
    """Values and intervals of one metric each on the test part, NaN where there is none; shape (3, n)."""
    found = [
        next((one for one in metrics if (one.split, one.metric) == ("test", name)), None)
        for metrics, name in asked
    ]
    rows = [(None,) * 3 if one is None else (one.value, one.ci_low, one.ci_high) for one in found]
    return np.array(rows, dtype=float).reshape(-1, 3).T
