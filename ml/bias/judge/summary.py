"""One line per model, split, dimension and metric: the best and the worst slice, their gap, the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ml.bias.config import SMALL_SLICES, BiasConfig
from ml.bias.judge.gap import relative_gap
from ml.bias.metrics.declared import Metric
from ml.bias.slices.names import joined

BIASED = "biased"
WITHIN_NOISE = "no bias found"
NOT_ASSESSABLE = "not assessable"
DESCRIPTIVE = "descriptive only"


def summarise(judged: pd.DataFrame, metrics: Sequence[Metric], config: BiasConfig) -> list[dict[str, Any]]:
    """Lines of ``bias.summary``, without its keys: one per dimension and metric.

    ``relative_gap`` is |worst - best| / best of ``gap_metric`` over the assessable slices, ``shrunk_gap`` the
    same of the shrunken estimates; ``mae_difference`` and ``mae_ratio`` are Fairlearn's difference (max -
    min) and ratio (min / max) of MAE over the same slices. A dimension is flagged when its gap is strictly
    above the threshold and at least one of its slices is flagged, that is, worse than the rest beyond both
    threshold and noise. Fewer than two assessable slices: nothing is flagged, and the verdict is "not
    assessable", which is not "fair". Slices made from the outcome are never assessed; their figures are
    shown all the same.

    Parameters
    ----------
    judged : DataFrame
        Of one model and split, as `ml.bias.judge.verdicts.judge` gives it.
    metrics : sequence of Metric
        Those that have a line.
    config : BiasConfig

    Notes
    -----
    The best slice is the one at the least disadvantage. Where a deviation from zero is judged, the gap is its
    spread relative to what the effect is relative to, since the best deviation is none.
    """
    by_metric = {metric.name: judged[judged["metric"] == metric.name] for metric in metrics}
    return [
        {"dimension": dimension} | _line(rows[rows["dimension"] == dimension], metric, config)
        for dimension in judged["dimension"].unique()
        for metric in metrics
        if len(rows := by_metric[metric.name])
    ]


def _line(rows: pd.DataFrame, metric: Metric, config: BiasConfig) -> dict[str, Any]:
    is_outcome = bool(rows["is_outcome"].any())
    named = [str(name) for name in rows.loc[rows["flagged"], "slice"]]
    line: dict[str, Any] = {
        "n_slices": int((rows["slice"] != SMALL_SLICES).sum()),
        "n_assessable": int(rows["assessable"].sum()),
        "best_slice": None,
        "worst_slice": None,
        "mae_difference": np.nan,
        "mae_ratio": np.nan,
        "relative_gap": np.nan,
        "threshold": config.threshold,
        "flagged": False,
        "verdict": DESCRIPTIVE if is_outcome else NOT_ASSESSABLE,
        "gap_metric": metric.name,
        "shrunk_gap": np.nan,
        "is_outcome": is_outcome,
        "n_flagged": len(named),
        "flagged_slices": joined(named, "; "),
    }
    shown = rows["is_large"] & rows["value"].notna() & ~rows["pooled"]
    compared = rows[shown if is_outcome else rows["assessable"]]
    if len(compared) < 2:
        return line
    line |= _gap(compared, metric)
    if not is_outcome:
        line["flagged"] = bool(line["relative_gap"] > config.threshold and named)
        line["verdict"] = BIASED if line["flagged"] else WITHIN_NOISE
    return line


def _gap(compared: pd.DataFrame, metric: Metric) -> dict[str, Any]:
    """The best and the worst of the slices that are compared, and how far they are apart."""
    value, shrunk = (compared[name].to_numpy(dtype=float) for name in ("value", "shrunk"))
    is_deviation = metric.worse in ("either", "different")
    badness = np.abs(value) if is_deviation else -value if metric.worse == "smaller" else value
    best, worst = int(badness.argmin()), int(badness.argmax())
    ends = (shrunk.max(), shrunk.min()) if metric.worse == "smaller" else (shrunk.min(), shrunk.max())
    gap, shrunk_gap = relative_gap(value[best], value[worst]), relative_gap(*ends)
    if is_deviation:
        base = compared["base"].iloc[0]
        gap, shrunk_gap = abs(value[worst] - value[best]) / base, (shrunk.max() - shrunk.min()) / base
    low, high = compared["mae"].min(), compared["mae"].max()
    return {
        "best_slice": compared["slice"].iloc[best],
        "worst_slice": compared["slice"].iloc[worst],
        "mae_difference": high - low,
        "mae_ratio": low / high if high != 0 else 1.0,
        "relative_gap": gap,
        "shrunk_gap": shrunk_gap,
    }
