"""Every metric of a regression run with its interval, beside the baselines, from one table of predictions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from ml.stats import metrics as m
from ml.stats.figure import INTERVAL, Figure, HorizonFigure
from ml.stats.intervals import MIN_CLUSTERS, Resamples, figure_of
from ml.tasks.duration.model import horizon_column

Values = NDArray[np.float64]
# Begin of the names of the figures that are compared between origins.
_AT_ORIGINS = ("mae_log", "auc_", "brier_", "ece_", "rate_")
# Begin of the names of the errors of a group's level, one per horizon and group with enough rows.
LEVEL_IN = "level_error_in:"
# Begin of the names of the gains over a group's own median, one per group with enough known rows.
GAIN_IN = "gain_in:"
MIN_GROUP_ROWS = 15
# Name, value with its resamples, rows, clusters.
Resampled = tuple[str, Values, int, int]


@dataclass(frozen=True, eq=False)
class Scored:
    """Rows of one part with truths, predictions and baselines; hours throughout.

    Parameters
    ----------
    predictions : DataFrame
        ``y_pred, p10, p90, p_within_{h}d`` for n rows.
    hours, known : ndarray, shape (n,)
        Duration and whether its end is known; unknown ones count in the concordance only.
    within : ndarray, shape (n, horizons)
        Label of every horizon, NaN where undefined.
    baselines : dict of str to ndarray
        Baseline hours by name ("median", "group_median"), shape (n,).
    group_rate : ndarray, shape (n, horizons)
        The training share of the row's group, the baseline of the horizons.
    censoring_weight : ndarray, shape (n,)
        What each known row stands for where slow ones have no end yet; see `ml.data.weights`.
    clusters : ndarray, shape (n,)
        Names of the clusters that the bootstrap draws.
    """

    predictions: pd.DataFrame
    hours: Values
    known: NDArray[np.bool_]
    within: Values
    baselines: dict[str, Values]
    group_rate: Values
    censoring_weight: Values
    clusters: NDArray[np.object_]


def evaluate(
    scored: Scored, split: str, horizons: Sequence[float], replicates: int, seed: int = 0
) -> list[Figure]:
    """Compute every metric of a part, with intervals by bootstrap over clusters.

    Parameters
    ----------
    scored : Scored
    split : str
        Name of the part.
    horizons : sequence of float
        Days, in the order of the columns of ``scored.within``.
    replicates : int
        Bootstrap resamples; 0 for no intervals.
    seed : int

    Returns
    -------
    list of Figure
        In a fixed order of names.

    Notes
    -----
    Differences (``*_gain_vs_*``) are paired: one resample weights the model and its baseline alike. An
    interval that excludes zero can be read from the table. Gains are positive where the model is better.
    """
    resamples = Resamples.of(scored.clusters, replicates, seed)
    figures = [*_duration_metrics(scored, resamples), *_horizon_metrics(scored, resamples, horizons)]
    return [figure_of(split, *figure) for figure in figures]


def _duration_metrics(scored: Scored, resamples: Resamples) -> list[Resampled]:
    known = scored.known
    rows, n = np.flatnonzero(known), int(known.sum())
    w, clusters = resamples.at(rows), resamples.clusters(rows)
    y = scored.hours[known]
    frame = scored.predictions.loc[known]
    pred, low, high = (frame[c].to_numpy(float) for c in ("y_pred", "p10", "p90"))
    log_y, log_pred = np.log1p(y), np.log1p(pred)
    mae_log = m.mae(log_y, log_pred, w)
    figures: dict[str, Any] = {
        "mae": m.mae(y, pred, w),
        "mse": m.mse(y, pred, w),
        "rmse": m.rmse(y, pred, w),
        "r2": m.r2(y, pred, w),
        "median_ae": m.median_ae(y, pred, w),
        "mae_log": mae_log,
        "mae_log_censoring_weighted": m.mae(log_y, log_pred, w * scored.censoring_weight[known, None]),
        "r2_log": m.r2(log_y, log_pred, w),
        "mean_error": m.mean_of(pred - y, w),
        "median_error": m.weighted_quantile(pred - y, 0.5, w),
        "median_error_log": m.weighted_quantile(log_pred - log_y, 0.5, w),
        "pred25": m.pred_within(y, pred, 0.25, w),
        "pred50": m.pred_within(y, pred, 0.50, w),
        "pinball_10": m.pinball(y, low, 0.1, w),
        "pinball_50": m.pinball(y, pred, 0.5, w),
        "pinball_90": m.pinball(y, high, 0.9, w),
        "coverage_80": m.coverage(y, low, high, w),
        "width_80": m.mean_of(high - low, w),
        "median_width_80": m.weighted_quantile(high - low, 0.5, w),
    }
    for name, hours in scored.baselines.items():
        base = m.mae(log_y, np.log1p(hours[known]), w)
        figures[f"mae_log_{name}"] = base
        figures[f"mae_log_gain_vs_{name}"] = base - mae_log
        with np.errstate(invalid="ignore", divide="ignore"):
            figures[f"skill_vs_{name}"] = np.where(base > 0, 1.0 - mae_log / base, np.nan)
        figures[f"mae_gain_vs_{name}"] = m.mae(y, hours[known], w) - figures["mae"]
    result = [(name, values, n, clusters) for name, values in figures.items()]
    everyone = scored.predictions["y_pred"].to_numpy(float)
    # All replicates of the concordance would cost as much as everything else together.
    weights = resamples.at(np.arange(len(known)))
    share = weights[:, : 1 + (weights.shape[1] - 1) // 4]
    area = m.concordance(scored.hours, everyone, known, share)
    result.append(("concordance", area, len(known), resamples.clusters()))
    return result


def gains_in_groups(
    scored: Scored, group: NDArray[np.object_], split: str, replicates: int, seed: int = 0
) -> list[Figure]:
    """Return the gain of the MAE of log hours over each group's own median, with its paired interval.

    Of groups with `MIN_GROUP_ROWS` known rows and clusters enough for an interval: of the others nothing can
    be said.
    """
    rows = np.flatnonzero(scored.known)
    truth = np.log1p(scored.hours[rows])
    own = np.abs(truth - np.log1p(scored.predictions["y_pred"].to_numpy(float)[rows]))
    gain = np.abs(truth - np.log1p(scored.baselines["group_median"][rows])) - own
    resamples = Resamples.of(scored.clusters, replicates, seed)
    result = []
    for name, positions in pd.Series(gain).groupby(group[rows], sort=True).indices.items():
        if len(positions) < MIN_GROUP_ROWS:
            continue
        w, clusters = resamples.at(rows[positions]), resamples.clusters(rows[positions])
        with np.errstate(invalid="ignore", divide="ignore"):
            values = m.mean_of(gain[positions], w)
        figure = figure_of(split, f"{GAIN_IN}{name}", values, len(positions), clusters)
        if figure.ci_low is not None:
            result.append(figure)
    return result


def levels_in_groups(
    scored: Scored, group: NDArray[np.object_], split: str, horizons: Sequence[float]
) -> list[HorizonFigure]:
    """Return by how much the chances of each horizon are above the share that came true, group by group.

    Of groups with `MIN_GROUP_ROWS` rows that are old enough. The interval is Student's, of a mean over
    clusters; with fewer than `MIN_CLUSTERS` of them there is none.
    """
    result = []
    for position, days in enumerate(horizons):
        label = scored.within[:, position]
        above = scored.predictions[horizon_column(days)].to_numpy(float) - label
        rows = np.flatnonzero(~np.isnan(label))
        for name, own in pd.Series(rows).groupby(group[rows], sort=True):
            if len(own) < MIN_GROUP_ROWS:
                continue
            error = above[own]
            codes, names = pd.factorize(scored.clusters[own])
            mean, low, high = float(error.mean()), None, None
            if len(names) >= MIN_CLUSTERS:
                spread = np.sqrt(np.square(np.bincount(codes, error - mean)).sum()) / len(own)
                half = float(stats.t.ppf(INTERVAL[1], len(names) - 1) * spread)
                low, high = mean - half, mean + half
            result.append(
                HorizonFigure(split, f"{LEVEL_IN}{name}", mean, low, high, len(own), 0.0, float(days))
            )
    return result


def at_origin(figures: Iterable[Figure]) -> list[Figure]:
    """Return those of a part's figures that are compared between origins."""
    return [f for f in figures if f.metric.startswith(_AT_ORIGINS) and f.split != "test"]


def _horizon_metrics(scored: Scored, resamples: Resamples, horizons: Sequence[float]) -> list[Resampled]:
    result: list[Resampled] = []
    for position, days in enumerate(horizons):
        label = scored.within[:, position]
        defined = ~np.isnan(label)
        rows = np.flatnonzero(defined)
        y, n, w, clusters = label[rows], len(rows), resamples.at(rows), resamples.clusters(rows)
        p = scored.predictions[horizon_column(days)].to_numpy(float)[defined]
        rate = scored.group_rate[defined, position]
        area, rate_area = m.auc(y, p, w), m.auc(y, rate, w)
        suffix = f"{days:g}d"
        figures = {
            f"auc_{suffix}": area,
            f"auc_{suffix}_group_rate": rate_area,
            f"auc_{suffix}_gain_vs_group_rate": area - rate_area,
            f"ap_{suffix}": m.average_precision(y, p, w),
            f"brier_{suffix}": m.brier(y, p, w),
            f"brier_{suffix}_gain_vs_group_rate": m.brier(y, rate, w) - m.brier(y, p, w),
            f"ece_{suffix}": m.calibration_error(y, p, w),
            f"rate_{suffix}": m.mean_of(y, w),
        }
        result += [(name, values, n, clusters) for name, values in figures.items()]
    return result


def baseline_hours(
    y: Values, group: NDArray[np.object_], rows: NDArray[np.bool_], min_rows: int = 10
) -> dict[str, Values]:
    """Return the global and the group's median of ``y[rows]`` for every row.

    Parameters
    ----------
    y : ndarray, shape (n,)
        Hours.
    group : ndarray, shape (n,)
    rows : ndarray of bool, shape (n,)
        Training rows with a known label.
    min_rows : int
        Smaller groups get the global median.
    """
    overall = float(np.median(y[rows]))
    by_group = pd.Series(y[rows]).groupby(group[rows]).agg(["median", "size"])
    medians = by_group.loc[by_group["size"] >= min_rows, "median"]
    grouped = pd.Series(group).map(medians).fillna(overall).to_numpy(float)
    return {"median": np.full(len(y), overall), "group_median": grouped}


def group_rates(
    within: Values, group: NDArray[np.object_], rows: NDArray[np.bool_], prior: float = 10.0
) -> Values:
    """Return the training share of each horizon in the row's group, shape (n, horizons).

    Small groups are shrunk towards the overall share with the strength of ``prior`` rows.
    """
    rates = np.empty_like(within)
    for column in range(within.shape[1]):
        label = within[:, column]
        use = rows & ~np.isnan(label)
        overall = float(label[use].mean()) if use.any() else 0.5
        sums = pd.Series(label[use]).groupby(group[use]).agg(["sum", "size"])
        shrunk = (sums["sum"] + prior * overall) / (sums["size"] + prior)
        rates[:, column] = pd.Series(group).map(shrunk).fillna(overall).to_numpy(float)
    return rates
