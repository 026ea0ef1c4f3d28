"""The engine behind the bias tables: every slice, every metric, every resample from one set of sums.

Only this module knows the columns of the tables.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.bias.config import BiasConfig
from ml.bias.estimates.cells import (
    Floats,
    RowErrors,
    metrics_from_totals,
    slice_medians,
    sum_by,
)
from ml.bias.estimates.comparison import Comparison, q_values
from ml.bias.estimates.figures import Sums
from ml.bias.estimates.regression_to_mean import regression_to_the_mean
from ml.bias.estimates.shrinkage import shrink_within
from ml.bias.judge.summary import summarise
from ml.bias.slices.distribution import distribution_of
from ml.bias.slices.inputs import checked_predictions, locate, parts, prediction_interval
from ml.bias.slices.membership import Dimension, Membership, build_membership, encode_dimensions, has_a_peer
from ml.stats.bootstrap import percentile_interval

GAP_METRIC = "mae_log"
# Tested metrics, and whether as a ratio. MAE in hours is none of them: a slow slice has a larger one by
# nature, and a few items that took years decide it.
TESTED = {"mae_log": True, "mean_error_log": False, "coverage": False}
KEY_COLUMNS = ["task", "model", "split"]
SLICE_COLUMNS = [
    *KEY_COLUMNS, "dimension", "slice", "n", "share", "mae", "rmse", "r2", "median_ae", "mean_error",
    "mae_log", "skill", "ci_low", "ci_high", "q_value", "assessable", "flagged",
    "n_censored", "n_clusters", "pooled", "is_outcome", "effect", "effect_ci_low",
    "effect_ci_high", "shrunk_mae_log", "mean_error_log",
    "median_error", "coverage", "findings", "mae_ci_low", "mae_ci_high", "mean_error_ci_low",
    "mean_error_ci_high", "mean_error_log_ci_low", "mean_error_log_ci_high", "coverage_ci_low",
    "coverage_ci_high", "q_mean_error_log", "q_coverage", "reference_mae_log",
    "reference_mean_error_log",
]  # fmt: skip


@dataclass(frozen=True)
class BiasTables:
    """Frames with the columns of ``bias.slice_metrics``, ``bias.summary`` and ``bias.distribution``.

    The caller adds ``run_id`` and ``domain``.
    """

    slice_metrics: pd.DataFrame
    summary: pd.DataFrame
    distribution: pd.DataFrame


@dataclass(frozen=True)
class Measurement:
    """One model and split, measured: the slices, the sums, and what follows from them."""

    membership: Membership
    sums: Sums
    metrics: dict[str, Floats]
    intervals: dict[str, tuple[Floats, Floats]] = field(default_factory=dict)


def measure_bias(
    predictions: pd.DataFrame, slices: pd.DataFrame, config: BiasConfig | None = None
) -> BiasTables:
    """Measure every model in every split on every slice.

    Parameters
    ----------
    predictions : DataFrame
        item_id, split, y_true (hours; null when censored: counted, in no metric), y_pred (hours), optionally
        event_at, model, p10, p90 (hours) and group_id (cluster; else taken from ``slices``, else each item is
        its own).
    slices : DataFrame
        item_id, columns ``slice_*`` (a value, or a list of values to be in each), optionally event_at and
        group_id. All its rows are in the distribution.
    config : BiasConfig, optional

    Raises
    ------
    ValueError
        If an argument is empty, lacks a column, or has NaN predictions, negative outcomes or unknown items.
    """
    config = config or BiasConfig()
    predictions = checked_predictions(predictions, config.model)
    dimensions = encode_dimensions(slices)
    position = locate(predictions, slices)
    predictions = with_clusters(predictions, slices, position)
    tables = []
    for model, split, rows in parts(predictions):
        part = predictions.iloc[rows]
        table = _slice_table(part, dimensions, position[rows], config)
        tables.append(table.assign(task=config.task, model=model, split=split)[SLICE_COLUMNS])
    slice_metrics = pd.concat(tables, ignore_index=True)
    return BiasTables(
        slice_metrics, summarise(slice_metrics, config, GAP_METRIC), distribution_of(dimensions)
    )


def with_clusters(
    predictions: pd.DataFrame, slices: pd.DataFrame, position: NDArray[np.intp]
) -> pd.DataFrame:
    """Predictions with ``group_id``: their own, else that of their slices, else each item by itself."""
    if "group_id" in predictions:
        return predictions
    source = slices["group_id" if "group_id" in slices else "item_id"]
    return predictions.assign(group_id=source.to_numpy()[position])


def measure_part(
    part: pd.DataFrame, dimensions: list[Dimension], position: NDArray[np.intp], config: BiasConfig
) -> tuple[Measurement, RowErrors, NDArray[np.intp]]:
    """Metrics and bootstrap intervals of one model's predictions; also the rows' errors and clusters."""
    known = part["y_true"].notna().to_numpy()
    rows = part[known]
    errors = RowErrors.of(
        rows["y_true"].to_numpy(dtype=float), rows["y_pred"].to_numpy(dtype=float), *prediction_interval(rows)
    )
    membership = build_membership(dimensions, position, known, config.min_slice_size)
    sums = Sums.of(membership, errors, rows["group_id"], config)
    metrics = metrics_from_totals(sums.cells.names, sums.totals)
    resampled = metrics_from_totals(sums.cells.names, sums.resampled)
    intervals = {name: percentile_interval(values, config.confidence) for name, values in resampled.items()}
    return Measurement(membership, sums, metrics, intervals), errors, sums.clusters


def _slice_table(
    part: pd.DataFrame, dimensions: list[Dimension], position: NDArray[np.intp], config: BiasConfig
) -> pd.DataFrame:
    """All columns of ``bias.slice_metrics`` but the keys, for one model and split."""
    measured, errors, _ = measure_part(part, dimensions, position, config)
    membership, sums, n = measured.membership, measured.sums, measured.membership.n
    is_outcome = np.array([config.is_outcome(name) for name in membership.dimension])
    comparisons = {
        name: sums.compare(name, relative) for name, relative in TESTED.items() if name in sums.cells.names
    }
    n_clusters = sums.clusters_with("n")
    large = (
        (n >= config.min_slice_size)
        & (len(errors.y) - n >= config.min_slice_size)
        & (n_clusters >= config.min_clusters)
        & ~np.isnan(comparisons[GAP_METRIC].p_value)
    )
    assessable = large & ~is_outcome & has_a_peer(membership.dimension, large)
    q = _one_discovery_rate(comparisons, assessable, membership.overlapping)
    effects = {name: _effect(name, comparisons) for name in comparisons}
    found = {name: (q[name] < config.alpha) & (effects[name] > config.threshold) for name in comparisons}

    effect_low, effect_high = comparisons[GAP_METRIC].ratio_interval(config.confidence)
    own_median = slice_medians(membership, errors.log_y)
    owner, row = membership.slice_of_pair, membership.matrix.indices
    spread = sum_by(owner, np.abs(errors.log_y[row] - own_median[owner]), len(n)) / np.maximum(n, 1)
    mae_log = measured.metrics["mae_log"]
    table = {
        **{name: getattr(membership, name) for name in ("dimension", "slice", "n", "n_censored", "pooled")},
        "share": n / len(errors.y),
        "n_clusters": n_clusters.astype(int),
        **measured.metrics,
        "median_ae": slice_medians(membership, np.abs(errors.error)),
        "median_error": slice_medians(membership, errors.error),
        "skill": 1 - np.divide(mae_log, spread, out=np.full(len(n), np.nan), where=spread > 0),
        "effect": effects[GAP_METRIC],
        "effect_ci_low": np.where(large, effect_low, np.nan),
        "effect_ci_high": np.where(large, effect_high, np.nan),
        "assessable": assessable,
        "flagged": found[GAP_METRIC],
        "is_outcome": is_outcome,
        "q_value": q[GAP_METRIC],
        "findings": [", ".join(m for m in comparisons if found[m][s]) for s in range(len(n))],
        "shrunk_mae_log": shrink_within(
            membership.dimension, mae_log, np.where(large, comparisons[GAP_METRIC].inside_error, np.nan)
        ),
    }
    table |= {f"q_{name}": values for name, values in q.items() if name != GAP_METRIC}
    for name, (low, high) in measured.intervals.items():
        prefix = "" if name == GAP_METRIC else f"{name}_"  # those without a column are dropped below
        table |= {f"{prefix}ci_low": low, f"{prefix}ci_high": high}
    for name, row_values in zip(
        ("reference_mean_error_log", "reference_mae_log"), regression_to_the_mean(errors), strict=True
    ):
        total = sum_by(owner, row_values[row], len(n))
        table[name] = np.where(is_outcome & (n > 0), total / np.maximum(n, 1), np.nan)
    return pd.DataFrame(table).reindex(columns=SLICE_COLUMNS[len(KEY_COLUMNS) :])


def _one_discovery_rate(
    comparisons: dict[str, Comparison], assessable: NDArray[np.bool_], overlapping: bool
) -> dict[str, Floats]:
    """q-values of: a larger error, a signed error that differs either way, a smaller coverage.

    Only what is to a slice's disadvantage is a discovery, so that the rate is that of the slices flagged.
    """
    one_sided = {
        "mae_log": lambda c: c.p_larger,
        "mean_error_log": lambda c: c.p_value,
        "coverage": lambda c: 1 - c.p_larger,
    }
    p_values = np.stack([np.where(assessable, one_sided[name](c), np.nan) for name, c in comparisons.items()])
    return dict(zip(comparisons, q_values(p_values, overlapping), strict=True))


def _effect(name: str, comparisons: dict[str, Comparison]) -> Floats:
    """Size of a difference, comparable with the threshold; positive is to the slice's disadvantage.

    Errors: relative to the rows outside. Signed error: its shift, either way, relative to their absolute
    error. Coverage: the share of outcomes that the slice's intervals miss in addition.
    """
    inside, outside = comparisons[name].inside, comparisons[name].outside
    if name == "coverage":
        return outside - inside
    difference = np.abs(inside - outside) if name == "mean_error_log" else inside - outside
    base = comparisons["mae_log"].outside if name == "mean_error_log" else outside
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(difference == 0, 0.0, difference / base)
