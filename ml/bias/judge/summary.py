"""One line per model, split and dimension: the best and the worst slice, their gap and the verdict."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ml.bias.config import SMALL_SLICES, BiasConfig
from ml.bias.judge.gap import relative_gap

BIASED = "biased"
WITHIN_NOISE = "no bias found"
NOT_ASSESSABLE = "not assessable"
DESCRIPTIVE = "descriptive only"


def summarise(slice_metrics: pd.DataFrame, config: BiasConfig, metric: str) -> pd.DataFrame:
    """The rows of ``bias.summary``.

    ``relative_gap`` is |worst - best| / best of ``gap_metric`` over the assessable slices, ``shrunk_gap`` the
    same of the shrunken estimates; ``mae_difference`` (hours) and ``mae_ratio`` are Fairlearn's difference
    (max - min) and ratio (min / max) of MAE over the same slices. A dimension is flagged when its gap is
    strictly above the threshold and at least one of its slices is flagged, that is, worse than the rest
    beyond both threshold and noise. Fewer than two assessable slices: nothing is flagged, and the verdict is
    "not assessable", which is not "fair".
    """
    keys = ["task", "model", "split", "dimension"]
    rows = [
        dict(zip(keys, key, strict=True)) | _line(group, config, metric)
        for key, group in slice_metrics.groupby(keys, sort=False)
    ]
    return pd.DataFrame(rows)


def summarise_metrics(metrics: pd.DataFrame, config: BiasConfig) -> pd.DataFrame:
    """The rows of ``bias.summary`` of a long table: one per dimension and tested metric.

    Parameters
    ----------
    metrics : DataFrame
        Keys, then the columns of `ml.bias.judging.judge`, and ``mae`` of the slice (NaN where the task has
        none).
    config : BiasConfig

    Notes
    -----
    The best slice is the one at the least disadvantage. Where a deviation from zero is to be judged,
    ``relative_gap`` is its spread relative to the share of positives, since the best deviation is none.
    Gains over a baseline are no gap between slices and have no line.
    """
    keys = ["task", "model", "split", "dimension"]
    tested = metrics[~metrics["worse"].isin(["", "negative"])]
    rows = [
        dict(zip(keys, key, strict=False)) | _metric_line(group, config, str(group["metric"].iloc[0]))
        for key, group in tested.groupby([*keys, "metric"], sort=False)
    ]
    return pd.DataFrame(rows, columns=None if rows else [*keys, *_blank(metrics.iloc[:0], config, "")])


def _metric_line(group: pd.DataFrame, config: BiasConfig, metric: str) -> dict[str, Any]:
    line = _blank(group, config, metric)
    compared = group[group["assessable"]]
    if len(compared) < 2:
        return line
    worse = group["worse"].iloc[0]
    value, shrunk = (compared[name].to_numpy(dtype=float) for name in ("value", "shrunk"))
    badness = np.abs(value) if worse == "either" else -value if worse == "smaller" else value
    best, worst = int(badness.argmin()), int(badness.argmax())
    ends = (shrunk.max(), shrunk.min()) if worse == "smaller" else (shrunk.min(), shrunk.max())
    gap, shrunk_gap = relative_gap(value[best], value[worst]), relative_gap(*ends)
    if worse == "either":
        base = compared["base"].iloc[0]
        gap, shrunk_gap = abs(value[worst] - value[best]) / base, (shrunk.max() - shrunk.min()) / base
    line |= {
        "best_slice": compared["slice"].iloc[best],
        "worst_slice": compared["slice"].iloc[worst],
        **_mae_gap(compared),
        "relative_gap": gap,
        "shrunk_gap": shrunk_gap,
    }
    return line | _verdict(line, config)


def _blank(group: pd.DataFrame, config: BiasConfig, metric: str) -> dict[str, Any]:
    """A line of which nothing is known but the slices."""
    is_outcome = bool(group["is_outcome"].any())
    named = [str(name) for name in group.loc[group["flagged"].astype(bool), "slice"]]
    return {
        "n_slices": int((group["slice"] != SMALL_SLICES).sum()),
        "n_assessable": int(group["assessable"].sum()),
        "best_slice": None,
        "worst_slice": None,
        "mae_difference": np.nan,
        "mae_ratio": np.nan,
        "relative_gap": np.nan,
        "threshold": config.threshold,
        "flagged": False,
        "verdict": DESCRIPTIVE if is_outcome else NOT_ASSESSABLE,
        "gap_metric": metric,
        "shrunk_gap": np.nan,
        "is_outcome": is_outcome,
        "n_flagged": len(named),
        "flagged_slices": "; ".join(named),
    }


def _mae_gap(compared: pd.DataFrame) -> dict[str, float]:
    low, high = compared["mae"].min(), compared["mae"].max()
    return {"mae_difference": high - low, "mae_ratio": low / high if high != 0 else 1.0}


def _verdict(line: dict[str, Any], config: BiasConfig) -> dict[str, Any]:
    """Of a dimension that can be judged: biased or not."""
    flagged = bool(line["relative_gap"] > config.threshold and line["n_flagged"])
    return {"flagged": flagged, "verdict": BIASED if flagged else WITHIN_NOISE}


def _line(group: pd.DataFrame, config: BiasConfig, metric: str) -> dict[str, Any]:
    line = _blank(group, config, metric)
    # Slices made from the outcome are never assessed; their figures are shown all the same.
    compared = (
        group[(group["n"] >= config.min_slice_size) & ~group["pooled"]]
        if line["is_outcome"]
        else (group[group["assessable"]])
    )
    if len(compared) < 2:
        return line
    ordered = compared.sort_values(metric, kind="stable")
    best, worst = ordered.iloc[0], ordered.iloc[-1]
    shrunk = compared[f"shrunk_{metric}"]
    line |= {
        "best_slice": best["slice"],
        "worst_slice": worst["slice"],
        **_mae_gap(compared),
        "relative_gap": relative_gap(best[metric], worst[metric]),
        "shrunk_gap": relative_gap(shrunk.min(), shrunk.max()),
    }
    return line if line["is_outcome"] else line | _verdict(line, config)
