"""One line per model, split and dimension: the best and the worst slice, their gap and the verdict."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ml.bias.config import BiasConfig
from ml.bias.gap import relative_gap

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


def _line(group: pd.DataFrame, config: BiasConfig, metric: str) -> dict[str, Any]:
    is_outcome = bool(group["is_outcome"].iloc[0])
    # Slices made from the outcome are never assessed; their figures are shown all the same.
    compared = (
        group[(group["n"] >= config.min_slice_size) & ~group["pooled"]]
        if is_outcome
        else (group[group["assessable"]])
    )
    named = [str(name) for name in group.loc[group["flagged"], "slice"]]
    line: dict[str, Any] = {
        "n_slices": int((group["slice"] != "(small slices)").sum()),
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
    if len(compared) < 2:
        return line
    ordered = compared.sort_values(metric, kind="stable")
    best, worst = ordered.iloc[0], ordered.iloc[-1]
    shrunk = compared[f"shrunk_{metric}"]
    low, high = compared["mae"].min(), compared["mae"].max()
    gap = relative_gap(best[metric], worst[metric])
    line |= {
        "best_slice": best["slice"],
        "worst_slice": worst["slice"],
        "mae_difference": high - low,
        "mae_ratio": low / high if high > 0 else 1.0,
        "relative_gap": gap,
        "shrunk_gap": relative_gap(shrunk.min(), shrunk.max()),
    }
    if not is_outcome:
        line["flagged"] = bool(gap > config.threshold and named)
        line["verdict"] = BIASED if line["flagged"] else WITHIN_NOISE
    return line
