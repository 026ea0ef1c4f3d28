"""Metrics of models for hours.

Tested are a larger error, a promise that is too early or too late, and a smaller coverage. MAE in hours is
only shown: a slow slice has a larger one by nature, and a few items that took years decide it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ml.bias.config import BiasConfig
from ml.bias.estimates.cells import OUTCOME, OUTCOME_SQUARED, ROWS, Floats, slice_medians, sum_by
from ml.bias.estimates.errors import RowErrors
from ml.bias.estimates.figures import Formula, OfRows, Ratio
from ml.bias.estimates.regression_to_mean import regression_to_the_mean
from ml.bias.estimates.sums import Statistic, Sums
from ml.bias.metrics.declared import ABSOLUTE, Metric, MetricSet, RestOf
from ml.bias.metrics.tasks import RowTask
from ml.bias.slices.inputs import checked_predictions

HOURS_UNIT, LOG_HOURS, SHARE = "hours", "log(1 + hours)", "share"

_SIZE = Statistic("mae", lambda rows: np.abs(rows.error))
_SQUARE = Statistic("mse", lambda rows: rows.error**2)
_SIGNED = Statistic("mean_error", lambda rows: rows.error)
_LOG_SIZE = Statistic("mae_log", lambda rows: rows.size)
_LOG_SIGNED = Statistic("mean_error_log", lambda rows: rows.log_error)
_COVERED = Statistic("coverage", lambda rows: rows.covered)


def root_mean_square(sums: Mapping[str, Floats]) -> Floats:
    """Root of the mean of "mse"."""
    return np.sqrt(sums["mse"] / sums[ROWS])


def determination(sums: Mapping[str, Floats]) -> Floats:
    """R²; NaN of a constant outcome, which nothing can explain."""
    spread = sums[OUTCOME_SQUARED] - sums[OUTCOME] ** 2 / sums[ROWS]
    constant = spread <= 1e-12 * sums[OUTCOME_SQUARED]
    return np.where(constant | (sums[ROWS] == 0), np.nan, 1 - sums["mse"] / spread)


def _skill(sums: Sums, config: BiasConfig) -> Floats:
    own, n = slice_medians(sums.membership, sums.rows.log_y), sums.membership.n
    owner, row = sums.membership.slice_of_pair, sums.membership.matrix.indices
    spread = sum_by(owner, np.abs(sums.rows.log_y[row] - own[owner]), len(n)) / np.maximum(n, 1)
    error = sums.by_name(sums.totals)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = error["mae_log"] / error[ROWS]
    return 1 - np.divide(mean, spread, out=np.full(len(n), np.nan), where=spread > 0)


def _reference(sums: Sums, config: BiasConfig, signed: bool) -> Floats:
    owner, row = sums.membership.slice_of_pair, sums.membership.matrix.indices
    n = sums.membership.n
    expected = sums.once("reference", lambda: regression_to_the_mean(sums.rows))[0 if signed else 1]
    total = sum_by(owner, expected[row], len(n))
    is_outcome = np.array([config.is_outcome(name) for name in sums.membership.dimension], dtype=bool)
    return np.where(is_outcome & (n > 0), total / np.maximum(n, 1), np.nan)


HOUR_METRICS = MetricSet(
    metrics=(
        Metric(
            name="mae",
            estimate=Ratio(_SIZE),
            unit=HOURS_UNIT,
            description="Mean absolute error",
            place="first",
        ),
        Metric(
            name="rmse",
            estimate=Formula((_SQUARE,), root_mean_square),
            unit=HOURS_UNIT,
            description="Root mean squared error",
            place="first",
        ),
        Metric(
            name="r2",
            estimate=Formula((_SQUARE,), determination),
            unit="",
            description="Coefficient of determination within the slice; null where all outcomes are the same",
            place="first",
        ),
        Metric(
            name="median_ae",
            estimate=OfRows(lambda sums, config: slice_medians(sums.membership, np.abs(sums.rows.error))),
            unit=HOURS_UNIT,
            description="Median absolute error",
            place="first",
        ),
        Metric(
            name="mean_error",
            estimate=Ratio(_SIGNED),
            unit=HOURS_UNIT,
            description="Mean of predicted - true; negative promises too early an end",
            place="first",
        ),
        Metric(
            name="mae_log",
            estimate=Ratio(_LOG_SIZE, on_log=True),
            unit=LOG_HOURS,
            description="Mean absolute error of log(1 + hours)",
            worse="larger",
            place="first",
        ),
        Metric(
            name="skill",
            estimate=OfRows(_skill, (_LOG_SIZE,)),
            unit="",
            description="1 - error of log hours / that of the slice's own median; 0 is no better than that",
            place="first",
        ),
        Metric(
            name="mean_error_log",
            estimate=Ratio(_LOG_SIGNED),
            unit=LOG_HOURS,
            description="Mean of log(1 + predicted) - log(1 + true); negative promises too early an end",
            worse="different",
            relative_to=RestOf("mae_log"),
            has_gap=False,
        ),
        Metric(
            name="median_error",
            estimate=OfRows(lambda sums, config: slice_medians(sums.membership, sums.rows.error)),
            unit=HOURS_UNIT,
            description="Median of predicted - true",
        ),
        Metric(
            name="coverage",
            estimate=Ratio(_COVERED),
            unit=SHARE,
            description="Share of outcomes between p10 and p90; null for a model without interval",
            worse="smaller",
            relative_to=ABSOLUTE,
            has_gap=False,
        ),
        Metric(
            name="reference_mae_log",
            estimate=OfRows(lambda sums, config: _reference(sums, config, signed=False)),
            unit=LOG_HOURS,
            description="For outcome slices: the error of log hours by regression to the mean alone",
            place="last",
        ),
        Metric(
            name="reference_mean_error_log",
            estimate=OfRows(lambda sums, config: _reference(sums, config, signed=True)),
            unit=LOG_HOURS,
            description="For outcome slices: the mean_error_log of regression to the mean alone",
            place="last",
        ),
    ),
    counts={"n": lambda sums: sums.membership.n, "n_clusters": lambda sums: sums.clusters_with(ROWS)},
    tables=("slice_metrics",),
    leading="mae_log",
)
HOURS = RowTask("regression", HOUR_METRICS, RowErrors.of_rows, checked_predictions)
