"""Observed after T days without an end, ended within H of the start: the grid of Kikas et al. (2016).

Every cell with T < H is a question of its own, asked of the rows that were observed at T. The group's own
rate is beside each: the share of its earlier items, open at T, that had ended by H.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.stats import metrics as m
from ml.stats.figure import HorizonFigure
from ml.stats.intervals import Resamples, figure_of

Values = NDArray[np.float64]

OBSERVED_AFTER = (0.0, 1.0, 7.0, 14.0, 30.0, 90.0, 180.0)
HORIZONS = (1.0, 7.0, 14.0, 30.0, 90.0, 180.0, 365.0)
CELLS = tuple((after, horizon) for after in OBSERVED_AFTER for horizon in HORIZONS if horizon > after)
# A row that was observed within so many days of T was observed at T: times are kept to the second.
SAME_AGE = 0.01
# Rows of the rarer class, below which a cell's order says nothing.
MIN_CLASS = 10


@dataclass(frozen=True, eq=False)
class Cell:
    """The rows of one cell whose answer is known.

    Parameters
    ----------
    after, horizon : float
        Days.
    y, chance, rate : ndarray, shape (n,)
        The truth, the model's chance, and the group's own rate.
    threshold : float
        From it on a chance counts as a yes: the share of earlier items that had ended.
    rows : ndarray of int, shape (n,)
        Positions among the rows of the part.
    """

    after: float
    horizon: float
    y: Values
    chance: Values
    rate: Values
    threshold: float
    rows: NDArray[np.intp]

    @property
    def is_judged(self) -> bool:
        """Whether both answers are there often enough."""
        return min(self.y.sum(), len(self.y) - self.y.sum()) >= MIN_CLASS


def at_age(age: Values, after: float) -> NDArray[np.bool_]:
    """Return the mask of the rows that were observed ``after`` days."""
    return np.abs(age - after) <= SAME_AGE


def cell_figures(cells: list[Cell], split: str, resamples: Resamples) -> Iterator[HorizonFigure]:
    """Yield the figures of every cell, with intervals over ``resamples`` of the rows of the part.

    Gains over the group's own rate are paired, and positive where the model is better.
    """
    for cell in cells:
        w, clusters = resamples.at(cell.rows), resamples.clusters(cell.rows)
        y, n, said = cell.y, len(cell.y), (cell.chance >= cell.threshold).astype(float)
        both = m.mean_of(y * said, w)
        with np.errstate(invalid="ignore", divide="ignore"):
            precision, recall = both / m.mean_of(said, w), both / m.mean_of(y, w)
            f1 = 2.0 * both / (m.mean_of(said, w) + m.mean_of(y, w))
        area, rate_area = m.auc(y, cell.chance, w), m.auc(y, cell.rate, w)
        score, rate_score = m.brier(y, cell.chance, w), m.brier(y, cell.rate, w)
        figures = {
            "rate": m.mean_of(y, w),
            "auc": area,
            "auc_group_rate": rate_area,
            "auc_gain_vs_group_rate": area - rate_area,
            "precision": precision,
            "recall": recall,
            "f1": f1,
            "brier": score,
            "brier_group_rate": rate_score,
            "brier_gain_vs_group_rate": rate_score - score,
            "ece": m.calibration_error(y, cell.chance, w),
            "ece_group_rate": m.calibration_error(y, cell.rate, w),
        }
        for name, values in figures.items():
            plain = figure_of(split, name, values, n, clusters)
            yield HorizonFigure(
                split, name, plain.value, plain.ci_low, plain.ci_high, n, cell.after, cell.horizon
            )


def over_cells(cells: list[Cell]) -> dict[str, float]:
    """Return the plain means over the cells with both answers: ``brier`` (integrated) and ``auc``."""
    judged = [cell for cell in cells if cell.is_judged]
    if not judged:
        return {"brier": np.nan, "auc": np.nan}
    return {
        "brier": float(np.mean([m.brier(cell.y, cell.chance)[0] for cell in judged])),
        "auc": float(np.mean([m.auc(cell.y, cell.chance)[0] for cell in judged])),
    }
