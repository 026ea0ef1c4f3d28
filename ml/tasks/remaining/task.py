"""The task of saying how much longer an item will take that is open at its age.

What is its own: several rows per item, each with what was known then, and a chance for every period ahead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.data.dataset import Dataset
from ml.data.outcomes import Outcomes
from ml.data.parts.splits import Split, split_by_time
from ml.encoding.matrix import new_encoder, with_text_score
from ml.models import ModelSpec, Params
from ml.stats.figure import Figure
from ml.stats.intervals import Resamples, figure_of
from ml.tasks.duration.figures import Scored, baseline_hours, evaluate, group_rates
from ml.tasks.remaining.cells import cell_figures, over_cells
from ml.tasks.remaining.figures import (
    age_figures,
    cells_of,
    concordance_of,
    origin_figures,
    origin_scores,
)
from ml.tasks.remaining.fit import Learned, Workbench
from ml.tasks.remaining.model import Forecast, RemainingModel, ages
from ml.tasks.remaining.settings import RemainingConfig
from ml.tasks.task import Fitted, Objective, Report, Task

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Foretold:
    """What was said of the rows of each part, and how good it was at every rolling origin."""

    of: Mapping[str, Forecast]
    origins: pd.DataFrame


class RemainingBench:
    """One family's remaining times of a dataset; see `ml.tasks.task.Bench`.

    It is fitted up to the validation part and up to the test part, each time on what was known when the part
    began, and calibrated by rolling origins before it; the test part is touched once, for the figures.

    Parameters
    ----------
    dataset : Dataset
        Several rows per item, the first at its start, with the age in days among the features.
    split : Split
    spec : ModelSpec
    config : RemainingConfig
    """

    def __init__(self, dataset: Dataset, split: Split, spec: ModelSpec, config: RemainingConfig) -> None:
        if "hazard" not in spec.scoring:
            raise ValueError(f"The family {spec.name!r} learns no remaining times: choose one that does.")
        self.dataset, self.split, self.config = dataset, split, config
        self.family = spec.scoring["hazard"]
        age = ages(dataset.items, config.age)
        _check_ages(dataset, age, config.age)
        self.encoder = new_encoder(dataset, self.family.inputs, config.preprocessing)
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1, user_api="blas"):
            self.encoder.fit(dataset.items[_one_row_each(dataset, split.rows("train"), config.seed)])
            x = np.asarray(self.encoder.transform(dataset.items), dtype=np.float32)
        self.encoder, x = with_text_score(dataset, split, config.preprocessing, self.encoder, x)
        names = [str(name) for name in self.encoder.get_feature_names_out()]
        self.work = Workbench(dataset, split, x, names, age, self.family, config)

    @property
    def feature_list(self) -> list[str]:
        """Names of the features."""
        return self.dataset.features

    def objective(self) -> Objective:
        """Return the integrated Brier score of the validation part."""

        def score(params: Params, report: Report) -> float:
            own = {**self.family.defaults, **self.config.params, **params}
            backtest = self.work.validated(own)
            cells = self._cells(Forecast.plain(backtest.curves), backtest.rows, "validation")
            return over_cells(cells)["brier"]

        space = self.family.search_space if self.family.is_searched else None
        defaults = {**self.family.defaults, **self.config.params}
        return Objective("integrated_brier", "minimize", defaults, space, score)

    def fit(self, params: Params) -> Fitted:
        """Fit up to the validation part and up to the test part, each calibrated by origins before it."""
        own = {**self.family.defaults, **self.config.params, **params}
        learned = self.work.learn(own)
        horizons, tested = list(self.dataset.config.horizons_days), self._rows("test")
        model = RemainingModel(self.encoder, *learned.final, horizons, self.config.age)
        told = {
            "validation": self._validated(learned),
            "test": model.forecast_encoded(self.work.x[tested], self.work.age[tested]),
        }
        truth = self.split.outcomes_for_refit(self.dataset)
        scores = origin_scores(self.work, learned.backtests, truth)
        return Fitted(model, own, None, Foretold(told, scores))

    def cross_validate(self, fitted: Fitted) -> list[float | None]:
        """Return the integrated Brier score of every rolling origin."""
        return [_finite(score) for score in fitted.on_validation.origins["integrated_brier"]]

    def predictions(self, fitted: Fitted) -> pd.DataFrame:
        """Return remaining hours, intervals and chances of the rows of the validation and the test items.

        Rows of validation items that were observed when the test part had begun have no place in either.
        """
        truth, tables = self.split.outcomes(self.dataset), []
        for part in ("validation", "test"):
            rows = self._rows(part)
            table = self.dataset.items.loc[rows, ["item_id", "event_at"]].reset_index(drop=True)
            table["split"] = part
            ahead = truth.hours[rows] - 24.0 * self.work.age[rows]
            table["y_true"] = np.where(truth.known[rows] & (ahead > 0), ahead, np.nan)
            predicted = fitted.on_validation.of[part].predict(self.dataset.config.horizons_days)
            tables.append(pd.concat([table, predicted], axis=1))
        return pd.concat(tables, ignore_index=True)

    def figures(self, fitted: Fitted, predictions: pd.DataFrame) -> list[Figure]:
        """Evaluate both parts: cells of age and horizon, bands of age, and the items at their start.

        Those at their start are the rows of a regression of whole durations, and have the same figures by the
        same names.
        """
        truth = self.split.outcomes(self.dataset)
        clusters = _item_clusters(self.dataset)
        figures: list[Figure] = []
        for part in ("validation", "test"):
            rows, forecast = self._rows(part), fitted.on_validation.of[part]
            resamples = Resamples.of(clusters[rows], self.config.replicates, self.config.seed)
            cells = self._cells(forecast, rows, part)
            means = over_cells(cells)
            figures += self._at_start(predictions[predictions["split"] == part], part, rows, clusters)
            figures += [
                Figure(part, "integrated_brier", _finite(means["brier"]), None, None, len(rows)),
                Figure(part, "mean_auc", _finite(means["auc"]), None, None, len(rows)),
            ]
            area, n = concordance_of(self.work, forecast, rows, truth)
            figures.append(figure_of(part, "remaining_concordance", area, n, resamples.clusters()))
            figures += age_figures(self.work, forecast, rows, truth, part, resamples)
            figures += cell_figures(cells, part, resamples)
        return [*figures, *origin_figures(fitted.on_validation.origins)]

    def native(self, fitted: Fitted) -> tuple[str, bytes] | None:
        """Return the first learner in its library's own format."""
        return fitted.estimator.hazards.learners[0].native()

    def report(
        self, fitted: Fitted, metrics: list[Figure], cv_scores: list[float | None]
    ) -> dict[str, Any] | None:
        """Return nothing: the record says it all."""
        return None

    def _rows(self, part: str) -> NDArray[np.intp]:
        rows = self.split.rows(part)
        if part == "validation":
            rows = rows & (self.work.observed < self.split.test_cut)
        return np.flatnonzero(rows)

    def _validated(self, learned: Learned) -> Forecast:
        """Return what the learners of the last backtest said of the rows of the validation part."""
        last, (calibration, spread) = learned.backtests[-1], learned.trusted
        curves = last.curves.at(np.searchsorted(last.rows, self._rows("validation")))
        return Forecast(curves, calibration, calibration.keys_of(curves.age), spread)

    def _learned(self, part: str) -> tuple[Mask, Outcomes]:
        """Rows that taught what predicts a part, and what was known of them."""
        if part == "test":
            return self.work.before(self.split.test_cut), self.split.outcomes_for_refit(self.dataset)
        rows = self.split.rows("train") & (self.work.observed < self.split.validation_cut)
        return rows, self.split.outcomes(self.dataset)

    def _cells(self, forecast: Forecast, rows: NDArray[np.intp], part: str) -> Any:
        return cells_of(self.work, forecast, rows, self.split.outcomes(self.dataset), *self._learned(part))

    def _at_start(
        self, predictions: pd.DataFrame, part: str, rows: NDArray[np.intp], clusters: NDArray[np.object_]
    ) -> list[Figure]:
        truth, (learners, learned) = self.split.outcomes(self.dataset), self._learned(part)
        first = self.work.age == 0
        own = first[rows]
        at = rows[own]
        horizons = self.dataset.config.horizons_days
        group = self.work.group
        baselines = baseline_hours(learned.hours, group, learners & first & learned.known)
        rates = group_rates(_within(learned, horizons), group, learners & first)
        scored = Scored(
            predictions=predictions[own].reset_index(drop=True),
            hours=truth.hours[at],
            known=truth.known[at],
            within=_within(truth, horizons)[at],
            baselines={name: hours[at] for name, hours in baselines.items()},
            group_rate=rates[at],
            censoring_weight=np.ones(len(at)),
            clusters=clusters[at],
        )
        return evaluate(scored, part, horizons, self.config.replicates, self.config.seed)


def _within(outcomes: Outcomes, horizons: tuple[float, ...]) -> NDArray[np.float64]:
    return np.stack([outcomes.within(days) for days in horizons], axis=1)


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _check_ages(dataset: Dataset, age: NDArray[np.float64], column: str) -> None:
    """Refuse ages that are not the days between an item's first row, which is at its start, and the row."""
    observed = dataset.items["event_at"].to_numpy("datetime64[us]")
    since = (observed - dataset.first_times()) / np.timedelta64(1, "D")
    wrong = np.abs(age - since) > 0.01
    if wrong.any():
        at = int(wrong.argmax())
        raise ValueError(
            f"The item {dataset.items['item_id'].iloc[at]!r} has the {column} {age[at]:g} in a row "
            f"{since[at]:.4g} days after its first: give every item a row at its start, and each row its age."
        )


def _one_row_each(dataset: Dataset, rows: Mask, seed: int) -> Mask:
    """Return one row per item among ``rows``, drawn by the seed: items count alike, at ages of all kinds."""
    order = np.random.default_rng(seed).permutation(np.flatnonzero(rows))
    first = ~dataset.items["item_id"].iloc[order].duplicated().to_numpy()
    return np.isin(np.arange(len(rows)), order[first])


def _item_clusters(dataset: Dataset) -> NDArray[np.object_]:
    """Return the cluster that every row's item began in: an item is drawn as a whole."""
    clusters = pd.Series(dataset.clusters())
    return np.asarray(clusters.groupby(dataset.items["item_id"]).transform("first"), dtype=object)


def _split(dataset: Dataset, config: RemainingConfig) -> Split:
    return split_by_time(dataset, config.validation, config.test, config.min_timeline_labels)


def _bench(
    dataset: Dataset, split: Split, spec: ModelSpec, config: RemainingConfig, _: Path | None, rows: int | None
) -> RemainingBench:
    if rows is not None:
        raise ValueError("Remaining times draw rows by their own setting: leave the number of rows out.")
    return RemainingBench(dataset, split, spec, config)


REMAINING = Task(
    kind="remaining",
    name="regression",
    settings=RemainingConfig,
    # Labels as given: what is known of each at a cut is worked out where it is used.
    labelled=lambda dataset, config: dataset,
    split=_split,
    bench=_bench,
    family="lightgbm",
)
