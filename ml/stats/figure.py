"""One figure of a model, as every table and report shows it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

INTERVAL = (0.025, 0.975)


@dataclass(frozen=True)
class Figure:
    """One figure of one part: value, 95 % interval (None without one) and the rows behind it."""

    split: str
    metric: str
    value: float | None
    ci_low: float | None
    ci_high: float | None
    n: int


@dataclass(frozen=True)
class HorizonFigure(Figure):
    """One figure of the rows that were observed after some days without an end, about an end by a horizon.

    Both are counted in days from the start.
    """

    observed_after_days: float
    horizon_days: float


def apart(figures: Iterable[Figure]) -> tuple[list[Figure], list[HorizonFigure]]:
    """Return the figures of whole parts, and those of ages and horizons, which a record keeps apart."""
    figures = list(figures)
    of_horizons = [figure for figure in figures if isinstance(figure, HorizonFigure)]
    return [figure for figure in figures if not isinstance(figure, HorizonFigure)], of_horizons
