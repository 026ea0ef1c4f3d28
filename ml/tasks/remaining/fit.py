"""The numerical work of remaining times on rows that are encoded and split: learners, origins, trust."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.backend import each
from ml.data.dataset import Dataset
from ml.data.outcomes import Outcomes, outcomes_at
from ml.data.parts.origins import Origin, rolling_origins
from ml.data.parts.splits import Split
from ml.data.weights import recency_weights
from ml.errors import TooLittleDataError
from ml.models import Rows, ScoringFamily
from ml.stats.weights import group_weights
from ml.tasks.remaining.calibration import AgeCalibration, band_names, band_of
from ml.tasks.remaining.curves import Curves
from ml.tasks.remaining.model import Forecast, Hazards
from ml.tasks.remaining.periods import PERIOD_FEATURES, AtRisk, at_risk, drawn, with_period
from ml.tasks.remaining.settings import RemainingConfig
from ml.tasks.remaining.spread import AgeSpread

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]
# Rows at risk that the last period needs; later ones are like it.
MIN_AT_RISK = 50
# Up to the first edge from so many days on there are learners of the chance alone.
NEAR_DAYS = 1.0
# Days ahead that decide whether a map of calibration is kept.
JUDGED_AHEAD = (1.0, 7.0, 30.0, 90.0, 365.0)


@dataclass(frozen=True, eq=False)
class Backtest:
    """What learners that knew nothing after an origin say of rows that were observed later.

    Parameters
    ----------
    origin : Origin
    rows : ndarray of int, shape (m,)
        Those of the items that the origin scores, at all ages that they reach before the test part.
    curves : Curves
        Of these rows.
    recent : ndarray of int, shape (k,)
        Rows of all items, old ones among them, that were observed up to the next origin.
    recent_curves : Curves
        Of these.
    """

    origin: Origin
    rows: NDArray[np.intp]
    curves: Curves
    recent: NDArray[np.intp]
    recent_curves: Curves


@dataclass(frozen=True, eq=False)
class Learned:
    """Learners for what follows the validation part, and how far to trust them and those before it.

    Parameters
    ----------
    final : tuple of Hazards, AgeCalibration, AgeSpread
    trusted : tuple of AgeCalibration, AgeSpread
        Of the last of the ``backtests``, which is of the validation part, as the others taught them.
    backtests : list of Backtest
    """

    final: tuple[Hazards, AgeCalibration, AgeSpread]
    trusted: tuple[AgeCalibration, AgeSpread]
    backtests: list[Backtest]


@dataclass(frozen=True, eq=False)
class Workbench:
    """A dataset, its split, one encoding of its rows, and their ages.

    Parameters
    ----------
    dataset : Dataset
    split : Split
    x : ndarray, shape (n, d)
    names : list of str
        Of the d columns.
    age : ndarray, shape (n,)
        Days from the item's start to the observation.
    family : ScoringFamily
        Of hazards.
    config : RemainingConfig
    """

    dataset: Dataset
    split: Split
    x: NDArray[np.float32]
    names: list[str]
    age: Values
    family: ScoringFamily
    config: RemainingConfig

    @cached_property
    def group(self) -> NDArray[np.object_]:
        """The group of every row, whose rates are the baseline."""
        return self.dataset.groups(self.dataset.config.weight_by)

    @property
    def observed(self) -> NDArray[np.datetime64]:
        """When every row was observed."""
        return self.dataset.items["event_at"].to_numpy("datetime64[us]")

    def learn(self, params: Mapping[str, Any]) -> Learned:
        """Learn before the validation part and before the test part, and how far to trust both.

        Calibration for a part is learned from what earlier origins said of the rows observed up to the next
        one, as it had turned out when the part began. A map that does not help after the training part is
        dropped. The spread is learned from the last of them: what it was before says little.
        """
        split, truth = self.split, self.split.outcomes_for_refit(self.dataset)
        *earlier, last = origins = rolling_origins(self.dataset, split, self.config.origins)
        ends = [*(origin.cut for origin in origins[1:]), split.test_cut]
        first = self.fit(params, last.fit, last.learned, self.config.seeds)
        backtests = [
            self._backtest(self.fit(params, origin.fit, origin.learned, 1), origin, end)
            for origin, end in zip(earlier, ends[:-1], strict=True)
        ]
        validated = self._backtest(first, last, split.test_cut)
        at_validation = outcomes_at(self.dataset, split.validation_cut, np.zeros(len(self.age), dtype=bool))
        trusted = self.calibration(backtests, at_validation)
        trusted = trusted.keep(self._helpful(trusted, validated, truth))
        at_first = self.spread(trusted, backtests[-1] if backtests else None, at_validation)
        backtests = [*backtests, validated]
        final = self.fit(params, self.before(split.test_cut), truth, self.config.seeds)
        calibration = self.calibration(backtests, truth).keep(list(trusted.maps_))
        spread = self.spread(calibration, validated, truth)
        return Learned((final, calibration, spread), (trusted, at_first), backtests)

    def validated(self, params: Mapping[str, Any]) -> Backtest:
        """Return what one learner that knew nothing after the begin of the validation part says of it."""
        (last,) = rolling_origins(self.dataset, self.split, 1)
        return self._backtest(self.fit(params, last.fit, last.learned, 1), last, self.split.test_cut)

    def before(self, cut: NDArray[np.datetime64]) -> Mask:
        """Return the rows of training and validation items that were observed before a cut."""
        return ~self.split.rows("test") & (self.observed < cut)

    def fit(self, params: Mapping[str, Any], rows: Mask, outcomes: Outcomes, seeds: int) -> Hazards:
        """Fit learners on what some rows lived through, as known at a cut.

        Raises
        ------
        TooLittleDataError
            When no period was watched to its end, or nothing ended in any.
        """
        edges = self.config.edges
        found = at_risk(rows, self.age, outcomes, edges)
        near_edge = min(int(np.searchsorted(edges, NEAR_DAYS)), len(edges) - 1)
        near = at_risk(rows, self.age, outcomes, (0.0, edges[near_edge]))
        if not (0 < found.ended.sum() < len(found.ended) and len(near.row)):
            raise TooLittleDataError(
                f"Of {len(found.ended)} rows at risk in a period {found.ended.sum():g} ended in it: "
                "remaining times need both; give a longer history."
            )
        last_period = int(np.flatnonzero(np.bincount(found.period) >= min(MIN_AT_RISK, len(found.row)))[-1])
        # The first day has few rows: steps of half the size pay there, .0016 in the Brier score of "closed
        # within a day" over rolling origins, where all periods together gain nothing by them.
        finer = {"n_estimators": 2 * params["n_estimators"], "learning_rate": params["learning_rate"] / 2}
        jobs = [
            (data, own, self.config.seed + seed, None)
            for data, own in (
                (self._learned_from(found), params),
                (self._learned_from(near), {**params, **finer}),
            )
            for seed in range(seeds)
        ]
        learners = each(self.family.fit, jobs)
        return Hazards(learners[:seeds], list(edges), last_period, learners[seeds:], near_edge)

    def _learned_from(self, found: AtRisk) -> Rows:
        """Return what a learner sees of rows at risk."""
        found = drawn(found, self.config.rows, self.config.seed)
        begin = np.asarray(self.config.edges, dtype=float)[found.period]
        return Rows(
            x=with_period(self.x[found.row], self.age[found.row], begin),
            y=found.ended,
            groups=np.full(len(begin), "", dtype=object),
            weight=self._weights(found, begin),
            names=[*self.names, *PERIOD_FEATURES],
        )

    def calibration(self, backtests: list[Backtest], outcomes: Outcomes) -> AgeCalibration:
        """Learn from what origins said of their rows, as it had turned out at a cut.

        An origin that had seen few ends of a band of age says nothing of how later ones stand to it.
        """
        band, draws, rows = band_of(self.age), [], []
        for one in backtests:
            learned = np.bincount(
                band[one.origin.fit & one.origin.learned.known], minlength=len(band_names())
            )
            own = learned[band[one.recent]] >= self.config.min_ends
            draw, ended, seen = self.draws(Forecast.plain(one.recent_curves), one.recent, outcomes)
            draws.append((draw[own[seen]], ended[own[seen]]))
            rows.append(one.recent[own & seen])
        draw, ended = (np.concatenate([own[k] for own in draws] or [np.zeros(0)]) for k in range(2))
        at = np.concatenate(rows or [np.zeros(0, dtype=np.intp)])
        return AgeCalibration(self.config.min_ends).fit(draw, ended.astype(bool), self.age[at])

    def spread(self, calibration: AgeCalibration, last: Backtest | None, outcomes: Outcomes) -> AgeSpread:
        """Learn how far the last origin's calibrated curves were off, as it had turned out at a cut."""
        if last is None:
            return AgeSpread(self.config.min_ends).fit(np.zeros(0), np.zeros(0, dtype=bool), np.zeros(0))
        age = self.age[last.recent]
        said = Forecast(last.recent_curves, calibration, calibration.keys_of(age))
        draw, ended, seen = self.draws(said, last.recent, outcomes)
        return AgeSpread(self.config.min_ends).fit(draw, ended, age[seen])

    def draws(
        self, forecast: Forecast, rows: NDArray[np.intp], outcomes: Outcomes
    ) -> tuple[Values, Mask, Mask]:
        """Return where the forecast stood when a row was last seen, whether it ended then, and who was seen.

        The first two are only of the rows that were seen after their observation.
        """
        ahead = outcomes.hours[rows] / 24.0 - self.age[rows]
        seen = ahead > 0
        return forecast.ended_within(np.maximum(ahead, 0.0))[seen], outcomes.known[rows][seen], seen

    def ended_ahead(self, outcomes: Outcomes, rows: NDArray[np.intp], days: float) -> Values:
        """Return 1 where a row ended within ``days`` of its observation, 0 where not, NaN where unknown."""
        until = 24.0 * (self.age[rows] + days)
        ended = outcomes.known[rows] & (outcomes.hours[rows] <= until)
        return np.where(outcomes.age[rows] >= until, ended.astype(float), np.nan)

    def _backtest(self, hazards: Hazards, origin: Origin, end: NDArray[np.datetime64]) -> Backtest:
        before_test = self.before(self.split.test_cut)
        rows = np.flatnonzero(origin.score & before_test)
        recent = np.flatnonzero(before_test & (self.observed >= origin.cut) & (self.observed < end))
        # Most rows are both.
        asked = np.union1d(rows, recent)
        said = hazards.curves(self.x[asked], self.age[asked])
        curves, recent_curves = (said.at(np.searchsorted(asked, own)) for own in (rows, recent))
        return Backtest(origin, rows, curves, recent, recent_curves)

    def _helpful(self, calibration: AgeCalibration, judge: Backtest, outcomes: Outcomes) -> list[str]:
        """Return the maps that clearly lower the Brier score of the recent rows that they serve.

        Clearly: by two standard errors of the paired difference, groups taken for independent and alike. What
        helps in one group alone tells of its last months, which the next ones need not be like.
        """
        rows = judge.recent
        keys = calibration.keys_of(self.age[rows])
        gain, counted = np.zeros(len(rows)), np.zeros(len(rows))
        for days in JUDGED_AHEAD:
            label = self.ended_ahead(outcomes, rows, days)
            raw = judge.recent_curves.ended_within(days)
            better = (raw - label) ** 2 - (calibration.calibrated(raw, keys) - label) ** 2
            gain += np.nan_to_num(better)
            counted += ~np.isnan(label)
        kept = []
        for key in calibration.maps_:
            own = (keys == key) & (counted > 0)
            by_group = pd.Series(gain[own]).groupby(self.group[rows][own]).mean()
            if len(by_group) > 1 and by_group.mean() > 2.0 * by_group.std() / np.sqrt(len(by_group)):
                kept.append(key)
        return kept

    def _weights(self, found: AtRisk, begin: Values) -> Values:
        """Return the weights of rows at risk, mean 1, in periods that begin so many days ahead.

        What counts as recent is the time of the period, not that of the observation.
        """
        row = found.row
        time = self.observed[row] + (begin * 86_400e6).astype("timedelta64[us]")
        given = self.dataset.row_labels()["weight"].fillna(1.0).to_numpy(float)[row]
        weight = group_weights(self.group[row], self.config.group_power) * given * found.stands_for
        weight = weight * recency_weights(time, self.split.timeline[row], self.config.half_life)
        return np.asarray(weight / weight.mean())
