"""The numerical work of duration models on rows that are encoded and split: weights, heads, figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.backend import each
from ml.data.dataset import Dataset
from ml.data.outcomes import Outcomes
from ml.data.parts.origins import Origin, rolling_origins
from ml.data.parts.splits import Split
from ml.data.weights import censoring_weights, recency_weights
from ml.models import ModelSpec, Validation
from ml.stats.figure import Figure
from ml.stats.weights import group_weights
from ml.tasks.duration.figures import (
    Scored,
    at_origin,
    baseline_hours,
    evaluate,
    gains_in_groups,
    group_rates,
    levels_in_groups,
)
from ml.tasks.duration.model import (
    TIMING_SHARE,
    DurationModel,
    TimingHead,
    fit_horizon,
    log_hours,
    timing_of,
)
from ml.tasks.over_origins import ORIGIN, over_origins

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Weighting:
    """How rows are weighted in the two heads; see `ml.data.weights`.

    Parameters
    ----------
    group_power : float
        Exponent of the inverse group size for the regressor.
    censoring_cap : float
        Largest weight of a known row against censoring; 1 for no correction.
    timing_group_power : float
        Exponent of the inverse group size for the timing head.
    timing_half_life : float or None
        Share of a timeline's rows over which the timing head's weights halve.
    """

    group_power: float = 0.5
    censoring_cap: float = 10.0
    timing_group_power: float = 0.25
    timing_half_life: float | None = 0.4


@dataclass(frozen=True, eq=False)
class TuningData:
    """Encoded rows with log1p(hours): what a trial is fitted on, and the validation rows that score it.

    The validation weights stand for slow rows whose end was not seen yet when the test part began;
    without them a search would prefer whatever promises too early.
    """

    x: NDArray[Any]
    y: NDArray[np.float64]
    weight: NDArray[np.float64]
    validation: Validation


@dataclass(frozen=True, eq=False)
class Heads:
    """A family's two fitted heads, the largest log1p(hours) that they saw, and how they share the hours."""

    regressor: Any
    timing: TimingHead
    log_limit: float
    timing_share: float

    def answer(self, x: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the scores of encoded rows, shape (n, horizons), and their log1p(hours), shape (n,)."""
        score = self.timing.score(x)
        return score, log_hours(self.regressor, self.timing, x, score, self.log_limit, self.timing_share)


@dataclass(frozen=True, eq=False)
class Fits:
    """The heads of every rolling origin, those that serve, and the rounds that early stopping kept."""

    at_origins: list[tuple[Origin, Heads]]
    final: Heads
    best_iteration: int | None
    learning_curve: Sequence[float]


def fit_regressor(
    spec: ModelSpec,
    params: Mapping[str, Any],
    seed: int,
    x: NDArray[Any],
    rows: NDArray[np.intp],
    logs: NDArray[np.float64],
    weight: NDArray[np.float64],
    validation: Validation | None,
) -> Any:
    """Fit a family's regressor of log1p(hours) on some rows of ``x``."""
    regressor = spec.build(params, seed, "absolute")
    spec.fit(regressor, x[rows], logs, weight, validation)
    return regressor


def _call(function: Callable[..., Any], *given: Any) -> Any:
    return function(*given)


@dataclass(frozen=True, eq=False)
class Workbench:
    """A dataset, its split and one encoding of its rows.

    Parameters
    ----------
    dataset : Dataset
    split : Split
    x : ndarray, shape (n, d)
        One row per row of ``dataset.items``.
    train_rows : ndarray of bool, shape (n,)
        The training rows in use: all, or a subset for quick trials.
    weighting : Weighting
    seed : int
    extra_weight : ndarray, shape (n,), or None
        Multiplies the weights of the regressor's rows.
    """

    dataset: Dataset
    split: Split
    x: NDArray[Any]
    train_rows: Mask
    weighting: Weighting
    seed: int
    extra_weight: NDArray[np.float64] | None = None

    @property
    def horizons(self) -> tuple[float, ...]:
        """Days of the horizon labels."""
        return self.dataset.config.horizons_days

    def tuning_data(self, spec: ModelSpec, limit: int) -> TuningData:
        """Return at most ``limit`` known training rows and all known validation rows."""
        outcomes = self.split.outcomes(self.dataset)
        weight = self.regressor_weights(spec, self.train_rows, outcomes)
        rows = np.flatnonzero(self.train_rows & outcomes.known)
        if len(rows) > limit:
            rows = np.sort(np.random.default_rng(self.seed).choice(rows, limit, replace=False))
        return TuningData(
            self.x[rows], np.log1p(outcomes.hours[rows]), weight[rows], self._validation(outcomes)
        )

    def fit(self, spec: ModelSpec, params: Mapping[str, Any]) -> Fits:
        """Fit both heads at every rolling origin, and on all that was known when the test part began.

        A regressor sees rows with a known end; a timing head every row old enough. How many rounds do is
        found once, by early stopping in the training part.
        """
        *earlier, last = self.origins()
        before_test = self.train_rows | self.split.rows("validation")
        cuts = [
            (self.train_rows, self.split.outcomes(self.dataset)),
            (before_test, self.split.outcomes_for_refit(self.dataset)),
            *((origin.fit, origin.learned) for origin in earlier),
        ]
        stopped = self._regressor_job(spec, params, *cuts[0], stop_early=True)
        # The chances wait for nobody: they are fitted beside the one regressor that the others wait for.
        chances = [job for cut in cuts for job in self._horizon_jobs(spec, *cut)]
        first, *fitted = each(_call, [stopped, *chances])
        best_iteration = spec.best_iteration(first)
        own = params if best_iteration is None else {**params, "n_estimators": best_iteration}
        others = [self._regressor_job(spec, own, *cut, stop_early=False) for cut in cuts[1:]]
        regressors = [first, *each(_call, others)]
        size = len(self.horizons)
        heads = [
            Heads(
                regressor,
                timing_of(fitted[number * size : (number + 1) * size], self.horizons),
                self._log_limit(*cuts[number]),
                0.0 if spec.is_floor else TIMING_SHARE,
            )
            for number, regressor in enumerate(regressors)
        ]
        on_training, final, *at_origins = heads
        at_all = [*zip(earlier, at_origins, strict=True), (last, on_training)]
        return Fits(at_all, final, best_iteration, spec.learning_curve(first))

    def fit_regressor(
        self, spec: ModelSpec, params: Mapping[str, Any], rows: Mask, outcomes: Outcomes
    ) -> tuple[Any, float]:
        """Fit the regressor alone on ``rows``; return it and the largest log1p(hours) that it saw."""
        _, *job = self._regressor_job(spec, params, rows, outcomes, stop_early=False)
        return fit_regressor(*job), self._log_limit(rows, outcomes)

    def origins(self) -> list[Origin]:
        """Return the rolling origins; the last one is where the validation part begins."""
        return rolling_origins(self.dataset, self.split, rows=self.train_rows)

    def _regressor_job(
        self, spec: ModelSpec, params: Mapping[str, Any], rows: Mask, outcomes: Outcomes, stop_early: bool
    ) -> tuple[Any, ...]:
        known = np.flatnonzero(rows & outcomes.known)
        weight = self.regressor_weights(spec, rows, outcomes)[known]
        validation = self._validation(outcomes) if stop_early else None
        logs = np.log1p(outcomes.hours[known])
        return fit_regressor, spec, params, self.seed, self.x, known, logs, weight, validation

    def _horizon_jobs(self, spec: ModelSpec, rows: Mask, outcomes: Outcomes) -> list[tuple[Any, ...]]:
        chosen = np.flatnonzero(rows)
        own, weight = outcomes.at(chosen), self._timing_weights(chosen)
        return [
            (fit_horizon, spec, self.seed, self.x, chosen, own.within(days), weight) for days in self.horizons
        ]

    def _log_limit(self, rows: Mask, outcomes: Outcomes) -> float:
        return float(np.log1p(outcomes.hours[rows & outcomes.known]).max())

    def predictions(self, on_validation: pd.DataFrame, on_test: DurationModel) -> pd.DataFrame:
        """Return the table of the validation rows, which the last origin scores, and of the test rows."""
        outcomes = self.split.outcomes(self.dataset)
        tables = []
        for part in ("validation", "test"):
            rows = np.flatnonzero(self.split.rows(part))
            said = on_validation if part == "validation" else on_test.predict_encoded(self.x[rows])
            table = self.dataset.items.loc[rows, ["item_id", "event_at"]].reset_index(drop=True)
            table["split"] = part
            table["y_true"] = np.where(outcomes.known[rows], outcomes.hours[rows], np.nan)
            tables.append(pd.concat([table, said], axis=1))
        return pd.concat(tables, ignore_index=True)

    def metrics(self, predictions: pd.DataFrame, replicates: int) -> list[Figure]:
        """Evaluate a prediction table; each part's baselines know what its model knew."""
        at_own_cut = self.split.outcomes(self.dataset)
        before_test = self.split.outcomes_for_refit(self.dataset)
        figures: list[Figure] = []
        for part, learned in (("validation", at_own_cut), ("test", before_test)):
            learners = self.train_rows | (self.split.rows("validation") & (part == "test"))
            table = predictions[predictions["split"] == part].reset_index(drop=True)
            scored = self._scored(table, self.split.rows(part), at_own_cut, learners, learned)
            figures += evaluate(scored, part, self.horizons, replicates, self.seed)
            group = self._group[self.split.rows(part)]
            figures += gains_in_groups(scored, group, part, replicates, self.seed)
            figures += levels_in_groups(scored, group, part, self.horizons)
        return figures

    def figures_at_origins(
        self, said: Sequence[tuple[Origin, pd.DataFrame]], on_validation: Sequence[Figure]
    ) -> list[Figure]:
        """Evaluate what is said of the rows that the origins score, as known when the test part begins.

        The validation part is the last origin: its figures are given.
        """
        truth = self.split.outcomes_for_refit(self.dataset)
        figures: list[Figure] = []
        levels: list[Figure] = []
        for number, (origin, table) in enumerate(said, start=1):
            scored = self._scored(table, origin.score, truth, origin.fit, origin.learned)
            name = f"{ORIGIN}{number}"
            figures += at_origin(evaluate(scored, name, self.horizons, replicates=0))
            levels += levels_in_groups(scored, self._group[origin.score], name, self.horizons)
        return [*figures, *over_origins([*figures, *at_origin(on_validation)]), *levels]

    def _scored(
        self, predictions: pd.DataFrame, part: Mask, truth: Outcomes, learners: Mask, learned: Outcomes
    ) -> Scored:
        """Return the rows of a part with their truths, and baselines that know what the model knew."""
        group, rows = self._group, np.flatnonzero(part)
        baselines = baseline_hours(learned.hours, group, learners & learned.known)
        return Scored(
            predictions=predictions,
            hours=truth.hours[rows],
            known=truth.known[rows],
            within=self.within(truth)[rows],
            baselines={name: hours[rows] for name, hours in baselines.items()},
            group_rate=group_rates(self.within(learned), group, learners)[rows],
            censoring_weight=self.censoring_weights(part, truth)[rows],
            clusters=self.dataset.items["group_id"].astype(str).to_numpy(dtype=object)[rows],
        )

    def within(self, outcomes: Outcomes) -> NDArray[np.float64]:
        """Return the label of every horizon, shape (n, horizons), NaN where undefined."""
        return np.stack([outcomes.within(days) for days in self.horizons], axis=1)

    def _validation(self, outcomes: Outcomes) -> Validation:
        """Encoded known validation rows, their log1p(hours), and their weights against censoring."""
        rows = self.split.rows("validation")
        seen = np.flatnonzero(rows & outcomes.known)
        return self.x[seen], np.log1p(outcomes.hours[seen]), self.censoring_weights(rows, outcomes)[seen]

    def regressor_weights(self, spec: ModelSpec, rows: Mask, outcomes: Outcomes) -> NDArray[np.float64]:
        """Return the weight of every row in the regressor's fit, mean 1 over the known ones of ``rows``."""
        known = rows & outcomes.known
        weight = np.zeros(len(rows))
        weight[known] = group_weights(self._group[known], self.weighting.group_power) * self._given[known]
        if not spec.is_floor:
            weight = weight * self.censoring_weights(rows, outcomes)
        if self.extra_weight is not None:
            weight = weight * self.extra_weight
        return weight / weight[known].mean()

    def _timing_weights(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        start = self.dataset.items["event_at"].to_numpy("datetime64[us]")[rows]
        recency = recency_weights(start, self.split.timeline[rows], self.weighting.timing_half_life)
        by_group = group_weights(self._group[rows], self.weighting.timing_group_power)
        weight = by_group * recency * self._given[rows]
        # Mean 1 everywhere: least weights of a leaf and sizes of a bootstrap are counted in weight.
        return weight / weight.mean()

    def censoring_weights(self, rows: Mask, outcomes: Outcomes) -> NDArray[np.float64]:
        """Return what each known row of ``rows`` stands for, shape (n,); 1 elsewhere."""
        weight = np.ones(len(rows))
        chosen = np.flatnonzero(rows)
        weight[chosen] = censoring_weights(
            outcomes.at(chosen), self.split.timeline[chosen], self.weighting.censoring_cap
        )
        return weight

    @property
    def _group(self) -> NDArray[np.object_]:
        return self.dataset.groups(self.dataset.config.weight_by)

    @property
    def _given(self) -> NDArray[np.float64]:
        return self.dataset.row_labels()["weight"].fillna(1.0).to_numpy(float)
