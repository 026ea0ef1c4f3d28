"""The fitted model of remaining times as a run saves it: items with their age in, chances out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator

from ml.data.columns import numbers
from ml.models.fitted_scorer import FittedScorer
from ml.store.trusted import loadable
from ml.tasks.duration.model import horizon_column
from ml.tasks.importance import importance_of
from ml.tasks.remaining.calibration import AgeCalibration
from ml.tasks.remaining.curves import Curves
from ml.tasks.remaining.periods import PERIOD_FEATURES, tell_period, with_period
from ml.tasks.remaining.spread import AgeSpread

Values = NDArray[np.float64]
REASONS = 5
# Reasons are those of the period that begins so many days from now.
REASONS_AHEAD = 7.0
# Encoded rows of this many rows and periods are in memory at once.
_BLOCK = 200_000


@loadable
class Hazards(BaseEstimator):
    """The chance to end in each period ahead, given that it is reached: the mean of several learners.

    Parameters
    ----------
    learners : list of FittedScorer
        Alike but for their seed; they score log odds.
    edges : list of float
        Days from the observation, ascending from 0: between two neighbours is a period.
    last_period : int
        The last period that enough was seen of.
    near : list of FittedScorer
        Learners of the chance to end by the edge ``near_edge``, whose word is final there: they have nothing
        else to learn, and more comes soon after an observation than at any other time.
    near_edge : int
    """

    def __init__(
        self,
        learners: list[FittedScorer],
        edges: list[float],
        last_period: int,
        near: list[FittedScorer],
        near_edge: int,
    ) -> None:
        self.learners = learners
        self.edges = edges
        self.last_period = last_period
        self.near = near
        self.near_edge = near_edge

    def curves(self, x: NDArray[np.float32], age: Values) -> Curves:
        """Return the curves of encoded rows, shape (n, d), at their age in days, shape (n,)."""
        chance = np.zeros((len(age), len(self.edges) - 1))
        soon = np.zeros(len(age))
        for rows in _blocks(np.arange(len(age))):
            seen = with_period(x[rows], age[rows], np.zeros(len(rows)))
            soon[rows] = _chance(self.near, seen)
            for period in range(self.last_period + 1):
                tell_period(seen, age[rows], self.edges[period])
                chance[rows, period] = _chance(self.learners, seen)
        return Curves.of(age, self.edges, chance, self.last_period).anchored(self.near_edge, soon)

    def contributions(self, x: NDArray[np.float32], age: Values, ahead: float) -> Values | None:
        """Return by how much each column moves the log odds of the period ``ahead`` days from now."""
        period = min(int(np.searchsorted(self.edges, ahead, side="right")) - 1, self.last_period)
        seen = with_period(x, age, np.full(len(age), self.edges[period]))
        parts = [learner.contributions(seen) for learner in self.learners]
        known = [part for part in parts if part is not None]
        return np.mean(known, axis=0) if known else None


@loadable
class RemainingModel(BaseEstimator):
    """Predicts from raw item frames with the age of each item; all parts are fitted already.

    Parameters
    ----------
    encoder : ItemEncoder
    hazards : Hazards
    calibration : AgeCalibration
    spread : AgeSpread
    horizons : list of float
        Days ahead that `predict` gives chances for.
    age : str
        Feature column with the days since an item's start.
    """

    def __init__(
        self,
        encoder: Any,
        hazards: Hazards,
        calibration: AgeCalibration,
        spread: AgeSpread,
        horizons: list[float],
        age: str = "age_days",
    ) -> None:
        self.encoder = encoder
        self.hazards = hazards
        self.calibration = calibration
        self.spread = spread
        self.horizons = horizons
        self.age = age

    def predict(self, items: pd.DataFrame) -> pd.DataFrame:
        """Say how much longer items will take that are open at their age.

        Parameters
        ----------
        items : DataFrame, n rows
            The features that it was trained on, the age in days among them, as of one moment per row.

        Returns
        -------
        DataFrame
            In the order of ``items``: ``y_pred, p10, p90``, the median and two quantiles of the hours that
            remain from that moment, and ``p_within_{h}d``, the chance to end within the *next* h days.

        Raises
        ------
        ValueError
            When a feature is missing, or an age is missing or below 0.
        """
        return self.forecast(items).predict(self.horizons)

    def forecast(self, items: pd.DataFrame) -> Forecast:
        """Return the calibrated curves of items, which any chance or quantile can be asked of."""
        age = ages(items, self.age)
        return self.forecast_encoded(self.encoded(items), age)

    def forecast_encoded(self, x: NDArray[np.float32], age: Values) -> Forecast:
        """Do as `forecast` for rows that are encoded already, shape (n, d)."""
        keys = self.calibration.keys_of(age)
        return Forecast(self.hazards.curves(x, age), self.calibration, keys, self.spread)

    def reasons(self, items: pd.DataFrame, top: int = REASONS) -> list[list[dict[str, Any]]]:
        """Return for every item the features that move its chance to end soon the most, the strongest first.

        Each is ``{"feature": column of items, "contribution": log odds}``; above 0 it ends sooner. They are
        those of the period that begins `REASONS_AHEAD` days from now. The parts of one column
        (levels, components of a text) are added up. A family without contributions gives none.
        """
        age = ages(items, self.age)
        return self.reasons_encoded(self.encoded(items), age, top)

    def reasons_encoded(
        self, x: NDArray[np.float32], age: Values, top: int = REASONS
    ) -> list[list[dict[str, Any]]]:
        """Do as `reasons` for rows that are encoded already, shape (n, d)."""
        parts = self.hazards.contributions(x, age, REASONS_AHEAD) if len(age) else None
        if parts is None:
            return [[] for _ in age]
        sources = np.array([*self.encoder.sources(), *PERIOD_FEATURES], dtype=object)
        names = [name for name in dict.fromkeys(sources) if name not in PERIOD_FEATURES]
        totals = np.stack([parts[:, sources == name].sum(axis=1) for name in names], axis=1)
        strongest = np.argsort(-np.abs(totals), axis=1, kind="stable")[:, :top]
        return [
            [{"feature": names[k], "contribution": round(float(totals[row, k]), 6)} for k in chosen]
            for row, chosen in enumerate(strongest)
        ]

    def importance(self) -> dict[str, float]:
        """Return what the hazards rely on beside the age; see `ml.tasks.importance`."""
        return importance_of([*self.hazards.learners, *self.hazards.near], self.encoder.sources())

    def fit(self, x: object = None, y: object = None) -> Self:
        """Do nothing: the parts come fitted."""
        return self

    def encoded(self, items: pd.DataFrame) -> NDArray[np.float32]:
        """Return the rows of items as the learners read them, shape (n, d)."""
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1, user_api="blas"):
            return np.asarray(self.encoder.transform(items), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Forecast:
    """Curves of n rows with the names of the maps that calibrate them, shape (n,).

    Quantiles lie further apart than the chances alone would have it; see `ml.tasks.remaining.spread`.
    """

    curves: Curves
    calibration: AgeCalibration
    keys: NDArray[np.object_]
    spread: AgeSpread | None = None

    @classmethod
    def plain(cls, curves: Curves) -> Forecast:
        """Return curves as they are, uncalibrated."""
        return cls(curves, AgeCalibration(), np.full(len(curves.age), "", dtype=object))

    def at(self, rows: NDArray[np.intp]) -> Forecast:
        """Return what is said of ``rows`` only."""
        return Forecast(self.curves.at(rows), self.calibration, self.keys[rows], self.spread)

    def ended_within(self, days: Values | float) -> Values:
        """Return P(ended within the next ``days``), shape (n,); one number of days, or one per row."""
        return self.calibration.calibrated(self.curves.ended_within(days), self.keys)

    def ended_by_age(self, days: float) -> Values:
        """Return P(ended within ``days`` of the start), shape (n,); NaN for rows that are older already."""
        ahead = days - self.curves.age
        return np.where(ahead > 0, self.ended_within(np.maximum(ahead, 0.0)), np.nan)

    def hours(self, share: float) -> Values:
        """Return the hours from now by which a ``share`` of such items has ended, shape (n,)."""
        asked = np.full(len(self.keys), share)
        if self.spread is not None:
            asked = self.spread.outward(asked, self.curves.age)
        return 24.0 * self.curves.quantile(self.calibration.uncalibrated(asked, self.keys))

    def shares_of(self, draw: Values, rows: NDArray[np.intp]) -> Values:
        """Return whose quantile it is where the chances of some rows stand at ``draw``, shape (k,)."""
        return draw if self.spread is None else self.spread.inward(draw, self.curves.age[rows])

    def predict(self, horizons: Sequence[float]) -> pd.DataFrame:
        """Return the columns of `RemainingModel.predict`."""
        columns = {"y_pred": self.hours(0.5), "p10": self.hours(0.1), "p90": self.hours(0.9)}
        columns |= {horizon_column(days): self.ended_within(days) for days in horizons}
        return pd.DataFrame(columns)


def ages(items: pd.DataFrame, column: str) -> Values:
    """Return the age in days of every row; one that is missing or below 0 raises ValueError."""
    if column not in items:
        raise ValueError(f"The items lack {column!r}, the days since the start of each: add it.")
    age = numbers(items[column]).to_numpy(float)
    wrong = ~(age >= 0)
    if wrong.any():
        at = int(wrong.argmax())
        raise ValueError(
            f"The item {items['item_id'].iloc[at]!r} has the age of {age[at]:g} days: give days of 0 or more."
        )
    return age


def _chance(learners: list[FittedScorer], x: NDArray[np.float32]) -> Values:
    return np.asarray(np.mean([expit(learner.score(x)) for learner in learners], axis=0))


def _blocks(rows: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    for start in range(0, len(rows), _BLOCK):
        yield rows[start : start + _BLOCK]
