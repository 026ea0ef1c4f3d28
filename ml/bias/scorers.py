"""Bias of scorers of 0/1 outcomes: every figure of every slice, and what is to a slice's disadvantage.

Tested are missed positives, wrongly flagged negatives, chances that are off, and a poorer order. Precision,
average precision, the share selected and the size of the error depend on how many positives a slice has:
they are shown with their intervals and never held against a model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.bias.config import BiasConfig
from ml.bias.engine import KEY_COLUMNS, SLICE_COLUMNS, with_clusters
from ml.bias.estimates.cells import Floats, RowValues, metrics_from_totals, slice_medians, spread
from ml.bias.estimates.comparison import Comparison, two_sided_p
from ml.bias.estimates.figures import MIN_ROWS, Figure, Rate, Sums
from ml.bias.estimates.order import order_figures
from ml.bias.judge.summary import summarise_metrics
from ml.bias.judge.verdicts import JUDGED_COLUMNS, judge
from ml.bias.slices.distribution import distribution_of
from ml.bias.slices.inputs import checked_predictions, finite_vector, locate, parts, require_columns
from ml.bias.slices.membership import Dimension, build_membership, encode_dimensions

RATES = (
    Rate("recall", "hit", over="positive", worse="smaller", is_share=True),
    Rate("false_positive_rate", "false_alarm", over="negative", worse="larger", is_share=True),
    Rate("mean_error", "mean_error", worse="either", base="positive"),
    Rate("precision", "hit", over="selected", is_share=True),
    Rate("selection_rate", "selected", is_share=True),
    Rate("positive_rate", "positive", is_share=True),
    Rate("mae", "mae"),
    Rate("brier", "mse"),
)
COUNTS = ["n", "n_positive", "n_clusters"]
SCORE_COLUMNS = [*KEY_COLUMNS, "dimension", "slice", "metric", *COUNTS, *JUDGED_COLUMNS]


@dataclass(frozen=True)
class ScorerTables:
    """Frames with the columns of `ml.bias.engine.BiasTables`, and of ``bias.score_metrics``."""

    slice_metrics: pd.DataFrame
    summary: pd.DataFrame
    distribution: pd.DataFrame
    score_metrics: pd.DataFrame


def measure_scorers(
    predictions: pd.DataFrame, slices: pd.DataFrame, config: BiasConfig | None = None
) -> ScorerTables:
    """Measure every scorer in every split on every slice.

    Parameters
    ----------
    predictions : DataFrame
        item_id, split, y_true (0 or 1; null when unknown: counted, in no figure), y_pred (probability),
        threshold (probability from which a row is selected), optionally score (decides the order; y_pred
        where absent), model, event_at and group_id (cluster).
    slices : DataFrame
        As for `ml.bias.engine.measure_bias`.
    config : BiasConfig, optional

    Raises
    ------
    ValueError
        As `ml.bias.engine.measure_bias`, or if an outcome is neither 0 nor 1, or a probability is none.
    """
    config = config or BiasConfig(task="binary")
    predictions = _checked(predictions, config)
    dimensions = encode_dimensions(slices)
    position = locate(predictions, slices)
    predictions = with_clusters(predictions, slices, position)
    tables, details = [], []
    for model, split, rows in parts(predictions):
        keys = {"task": config.task, "model": model, "split": split}
        table, detail = _measure(predictions.iloc[rows], dimensions, position[rows], config)
        tables.append(table.assign(**keys).reindex(columns=SLICE_COLUMNS))
        details.append(detail.assign(**keys))
    metrics = pd.concat(details, ignore_index=True)
    summary = summarise_metrics(metrics, config)
    return ScorerTables(
        pd.concat(tables, ignore_index=True), summary, distribution_of(dimensions), metrics[SCORE_COLUMNS]
    )


def _measure(
    part: pd.DataFrame, dimensions: list[Dimension], position: NDArray[np.intp], config: BiasConfig
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The slices of one model and split, and their figures in the long form."""
    known = part["y_true"].notna().to_numpy()
    rows = part[known]
    membership = build_membership(dimensions, position, known, config.min_slice_size)
    values = _row_values(rows)
    sums = Sums.of(membership, values, rows["group_id"], config)
    figures = [sums.figure(rate, config) for rate in RATES]
    figures += _order(sums, rows["score"].to_numpy(dtype=float), config)
    n_positive, _ = sums.rows_with("positive")
    n_clusters = sums.clusters_with("n")
    counts = {"n": membership.n.astype(float), "n_positive": n_positive, "n_clusters": n_clusters}
    judged = judge(figures, membership, counts, config)
    by_name = {figure.name: figure for figure in figures}
    judged["mae"] = np.repeat(by_name["mae"].value, len(figures))

    error = values.columns()["mean_error"]
    several = metrics_from_totals(sums.cells.names, sums.totals)
    table = {
        **{name: getattr(membership, name) for name in ("dimension", "slice", "n", "n_censored", "pooled")},
        "share": membership.n / len(rows),
        "n_clusters": n_clusters.astype(int),
        **{name: several[name] for name in ("mae", "rmse", "r2", "mean_error")},
        "median_ae": slice_medians(membership, np.abs(error)),
        "median_error": slice_medians(membership, error),
    }
    for name in ("mae", "mean_error"):
        table |= {f"{name}_ci_low": by_name[name].low, f"{name}_ci_high": by_name[name].high}
    return pd.DataFrame(table | _overview(judged, len(figures))), judged


def _overview(judged: pd.DataFrame, each: int) -> dict[str, object]:
    """Of every slice the verdict over all its tested figures."""
    shape = (-1, each)
    q = judged["q_value"].to_numpy(dtype=float).reshape(shape)
    found = judged["flagged"].to_numpy(dtype=bool).reshape(shape)
    tested = judged["assessable"].to_numpy(dtype=bool) & (judged["worse"] != "").to_numpy()
    names = judged["metric"].to_numpy(dtype=object).reshape(shape)
    return {
        "q_value": np.fmin.reduce(q, axis=1),
        "assessable": tested.reshape(shape).any(axis=1),
        "flagged": found.any(axis=1),
        "is_outcome": judged["is_outcome"].to_numpy(dtype=bool)[::each],
        "findings": [", ".join(name[own]) for name, own in zip(names, found, strict=True)],
    }


def _row_values(rows: pd.DataFrame) -> RowValues:
    y, p = rows["y_true"].to_numpy(dtype=float), rows["y_pred"].to_numpy(dtype=float)
    selected = (p >= rows["threshold"].to_numpy(dtype=float)).astype(float)
    values = {
        "positive": y,
        "negative": 1 - y,
        "selected": selected,
        "hit": selected * y,
        "false_alarm": selected * (1 - y),
        "mae": np.abs(p - y),
        "mse": (p - y) ** 2,
        "mean_error": p - y,
    }
    return RowValues(y, values)


def _order(sums: Sums, score: Floats, config: BiasConfig) -> list[Figure]:
    """AUC, tested by the spread of its difference over the resamples, and average precision."""
    ones = np.ones((len(sums.clusters), 1), dtype=np.uint8)
    weights = np.hstack([ones, sums.weights[sums.clusters]])
    found = order_figures(sums.membership, sums.rows.y > 0, score, weights)
    positive, other_positive = sums.rows_with("positive")
    negative, other_negative = sums.rows_with("negative")
    enough = (
        (sums.membership.n >= config.min_slice_size)
        & (np.minimum(positive, negative) >= MIN_ROWS)
        & (sums.clusters_with("positive") >= config.min_clusters)
    )
    compared = (
        enough
        & (np.minimum(other_positive, other_negative) >= MIN_ROWS)
        & (len(sums.clusters) - sums.membership.n >= config.min_slice_size)
    )
    figures = []
    for name, inside, outside in (
        ("auc", found.auc, found.rest_auc),
        ("average_precision", found.average_precision, np.full_like(found.auc, np.nan)),
    ):
        low, high = sums.interval(inside[:, 1:], config, "positive")
        figures.append(
            Figure(
                name,
                "smaller" if name == "auc" else None,
                inside[:, 0],
                low,
                high,
                outside[:, 0],
                outside[:, 0],
                _compared_by_resamples(sums, inside, outside),
                compared if name == "auc" else enough,
            )
        )
    return figures


def _compared_by_resamples(sums: Sums, inside: Floats, outside: Floats) -> Comparison:
    """Comparison of two columns of figures, the first of which is that of the rows themselves.

    The resamples of G clusters spread by (G - 1) / G too little; the degrees of freedom are the effective
    number of the slice's clusters minus 1.
    """
    groups = len(sums.weights)
    stretch = np.sqrt(groups / max(groups - 1, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        error, own = (spread(values[:, 1:]) * stretch for values in (inside - outside, inside))
        n = sums.cells.column("n")
        degrees = sums.cells.per_slice(n) ** 2 / sums.cells.per_slice(n**2) - 1
    difference = inside[:, 0] - outside[:, 0]
    p_value = np.where(np.isfinite(error), two_sided_p(difference, error, degrees), np.nan)
    return Comparison(inside[:, 0], outside[:, 0], difference, error, own, degrees, p_value)


def _checked(predictions: pd.DataFrame, config: BiasConfig) -> pd.DataFrame:
    require_columns(predictions, ["threshold"], "predictions")
    checked = checked_predictions(predictions, config.model)
    odd = checked["y_true"].notna() & ~checked["y_true"].isin([0.0, 1.0])
    if odd.any():
        raise ValueError(f"predictions['y_true'] must be 0 or 1, got {checked.loc[odd, 'y_true'].iloc[0]:g}")
    if not checked["y_pred"].between(0, 1).all():
        bad = checked.loc[~checked["y_pred"].between(0, 1), "y_pred"].iloc[0]
        raise ValueError(f"predictions['y_pred'] must be a probability, got {bad:g}")
    if "score" not in checked:
        checked["score"] = checked["y_pred"]
    for name in ("score", "threshold"):
        finite_vector(checked[name].to_numpy(dtype=float, na_value=np.nan), f"predictions['{name}']")
    return checked
