"""What a model of remaining times is worth: by age and horizon, by band of age, and from origin to origin."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.data.outcomes import Outcomes
from ml.stats import metrics as m
from ml.stats.figure import Figure
from ml.stats.intervals import Resamples, figure_of
from ml.tasks.duration.figures import group_rates
from ml.tasks.remaining.calibration import band_names, band_of, share_ended
from ml.tasks.remaining.cells import CELLS, Cell, at_age, over_cells
from ml.tasks.remaining.fit import JUDGED_AHEAD, Backtest, Workbench
from ml.tasks.remaining.model import Forecast

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]
# Rows of a band of age, below which its horizon is left out of the band's calibration.
MIN_ROWS = 200


def cells_of(
    work: Workbench,
    forecast: Forecast,
    rows: NDArray[np.intp],
    truth: Outcomes,
    learners: Mask,
    learned: Outcomes,
) -> list[Cell]:
    """Return the cells of some rows, with the rates of the ``learners`` as known when the rows began.

    Parameters
    ----------
    work : Workbench
    forecast : Forecast
        Of the ``rows``.
    rows : ndarray of int
    truth, learned : Outcomes
        Of all rows of the dataset: what the rows are judged by, and what the learners knew.
    learners : ndarray of bool
    """
    result = []
    for after, horizon in CELLS:
        there = np.flatnonzero(at_age(work.age, after))
        own = np.flatnonzero(np.isin(rows, there))
        y = work.ended_ahead(truth, rows[own], horizon - after)
        earlier = np.where(learners[there], work.ended_ahead(learned, there, horizon - after), np.nan)
        if not (~np.isnan(earlier)).any() or not (~np.isnan(y)).any():
            continue
        rates = group_rates(earlier[:, None], work.group[there], learners[there])[:, 0]
        rate = rates[np.searchsorted(there, rows[own])]
        known = ~np.isnan(y)
        chance = forecast.at(own).ended_by_age(horizon)[known]
        result.append(
            Cell(after, horizon, y[known], chance, rate[known], float(np.nanmean(earlier)), own[known])
        )
    return result


def age_figures(
    work: Workbench,
    forecast: Forecast,
    rows: NDArray[np.intp],
    truth: Outcomes,
    split: str,
    resamples: Resamples,
) -> Iterator[Figure]:
    """Yield coverage, calibration and concordance of the remaining time, overall and per band of age.

    The coverage counts what was censored: it is the product-limit share of lives that ended between the .1
    and the .9 of their curves. The calibration error is the mean over the horizons ahead with enough rows.
    """
    draw, ended, seen = work.draws(forecast, rows, truth)
    position = np.flatnonzero(seen)
    draw = forecast.shares_of(draw, position)
    band = band_of(work.age[rows])
    labels = {days: work.ended_ahead(truth, rows, days) for days in JUDGED_AHEAD}
    chances = {days: forecast.ended_within(days) for days in JUDGED_AHEAD}
    masks = {"": np.ones(len(rows), dtype=bool)}
    masks |= {f"_age_{name}": band == code for code, name in enumerate(band_names())}
    for suffix, mask in masks.items():
        own = mask[position]
        if own.any():
            at = position[own]
            shares = share_ended(draw[own], ended[own], np.array([0.1, 0.5, 0.9]), resamples.at(at))
            n, clusters = len(at), resamples.clusters(at)
            yield figure_of(split, f"remaining_coverage_80{suffix}", shares[2] - shares[0], n, clusters)
            yield figure_of(split, f"remaining_below_median{suffix}", shares[1], n, clusters)
        errors, counted = [], np.zeros(len(rows), dtype=bool)
        for days, label in labels.items():
            known = mask & ~np.isnan(label)
            if known.sum() >= MIN_ROWS:
                w = resamples.at(np.flatnonzero(known))
                errors.append(m.calibration_error(label[known], chances[days][known], w))
                counted |= known
        if errors:
            yield figure_of(
                split, f"remaining_ece{suffix}", np.mean(errors, axis=0), int(counted.sum()),
                resamples.clusters(np.flatnonzero(counted)),
            )  # fmt: skip


def concordance_of(
    work: Workbench, forecast: Forecast, rows: NDArray[np.intp], truth: Outcomes
) -> tuple[Values, int]:
    """Return the concordance of the median remaining time, shape (1,), and the rows behind it."""
    ahead = truth.hours[rows] - 24.0 * work.age[rows]
    seen = ahead > 0
    area = m.concordance(ahead[seen], forecast.hours(0.5)[seen], truth.known[rows][seen])
    return area, int(seen.sum())


def origin_scores(work: Workbench, backtests: list[Backtest], truth: Outcomes) -> pd.DataFrame:
    """Return what models are chosen by, and the number of ``rows``, of every rolling origin.

    ``integrated_brier`` is the mean over the cells, a proper score; then the concordance. The curves are as
    learned, uncalibrated: an origin's calibration would need origins before it.
    """
    scores = []
    for one in backtests:
        forecast = Forecast.plain(one.curves)
        cells = cells_of(work, forecast, one.rows, truth, one.origin.fit, one.origin.learned)
        means = over_cells(cells)
        area = float(concordance_of(work, forecast, one.rows, truth)[0][0])
        scores.append((means["brier"], means["auc"], area, len(one.rows)))
    return pd.DataFrame(
        scores, columns=["integrated_brier", "mean_auc", "remaining_concordance", "rows"], dtype=float
    )


def origin_figures(scores: pd.DataFrame) -> list[Figure]:
    """Return mean and spread of the `origin_scores` over the origins."""
    rows, result = int(scores["rows"].sum()), []
    for name, values in scores.drop(columns="rows").items():
        known = values[np.isfinite(values)].to_numpy()
        mean = float(known.mean()) if len(known) else None
        spread = float(known.std(ddof=1)) if len(known) > 1 else None
        result.append(Figure("validation", f"{name}_origins", mean, None, None, rows))
        result.append(Figure("validation", f"{name}_origins_sd", spread, None, None, rows))
    return result
