"""One model of a run against every mitigation method: the ledger's lines, and what is saved of them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from ml.bias import SLICE_PREFIX, BiasConfig, Mitigated, evaluate_ledger, fit_group_correction
from ml.data.dataset import Dataset
from ml.data.outcomes import Outcomes
from ml.data.parts.splits import Split
from ml.mitigation.methods import ADJUSTMENT, METHODS, Fitted, Fitting, Target
from ml.mitigation.models import HOURS, AdjustedModel, adjusted
from ml.models import find
from ml.reports.bias import bias_config
from ml.stats.bootstrap import hashed_half
from ml.stats.figure import apart
from ml.store.record import Evaluation, now
from ml.store.run_folder import RunFolder, mitigated_name
from ml.tasks.duration.fit import Workbench
from ml.tasks.duration.model import DurationModel, horizon_column, log_prediction
from ml.tasks.duration.task import DURATION, DurationBench, TrainingConfig

logger = logging.getLogger(__name__)

Progress = Callable[[str, str], None]


@dataclass(frozen=True)
class MitigationConfig:
    """What is tried.

    Parameters
    ----------
    dimension : str or None
        Slice column, with or without the prefix ``slice_``. None for each model's own: of the flagged
        dimensions that mitigation may act on the one with the largest shrunken gap on validation, and
        without a flagged one the first assessable one.
    methods : tuple of str
    best : int
        How many models, by validation MAE of log hours; the baseline is never one of them.
    margin : float
        Relative rise of the overall error that is still accepted.
    constrained_rows : int
        Rows that each fit of the reduction sees at most.
    constrained_best : int
        On how many of the models the reduction is tried: it fits a few dozen times, the others once.
    max_groups : int
        Groups of the reduction at most.
    """

    dimension: str | None = None
    methods: tuple[str, ...] = METHODS
    best: int = 2
    margin: float = 0.01
    constrained_rows: int = 8_000
    constrained_best: int = 1
    max_groups: int = 30

    def __post_init__(self) -> None:
        unknown = sorted(set(self.methods) - set(METHODS))
        if unknown:
            raise ValueError(f"There is no method {unknown[0]!r}: choose from {', '.join(METHODS)}.")
        for name, least in (
            ("best", 1),
            ("margin", 0),
            ("constrained_rows", 100),
            ("constrained_best", 0),
            ("max_groups", 2),
        ):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, not {getattr(self, name)}.")


@dataclass(frozen=True, eq=False)
class Benches:
    """The run's rows, split and encoded as its models saw them."""

    dataset: Dataset
    folder: RunFolder

    def bench(self, evaluation: Evaluation) -> tuple[Workbench, int]:
        """The rows of a model, and the resamples of its figures."""
        config = TrainingConfig.from_mapping(evaluation.settings)
        bench = DURATION.prepare(self.dataset, config, evaluation.model, cache_dir=self.folder.cache)
        assert isinstance(bench, DurationBench)
        return bench.work, config.replicates


@dataclass(frozen=True, eq=False)
class Trial:
    """One model and one slice column: the baseline's predictions, and every method against them."""

    bench: Workbench
    evaluation: Evaluation
    folder: RunFolder
    baseline: pd.DataFrame
    target: Target
    fitting: Fitting
    config: MitigationConfig
    bias: BiasConfig
    replicates: int
    fitted: dict[str, Fitted]

    @classmethod
    def of(cls, benches: Benches, evaluation: Evaluation, column: str, config: MitigationConfig) -> Trial:
        """Prepare the trial of one model; nothing is fitted yet."""
        bench, replicates = benches.bench(evaluation)
        target = Target.of(bench.dataset, column, bench.train_rows)
        baseline = benches.folder.predictions(evaluation.model)
        _same_rows(baseline, bench.dataset, bench.split)
        spec, params = find(evaluation.model), dict(evaluation.params)
        fitting = Fitting(bench, spec, params, target, config.constrained_rows, config.max_groups)
        return cls(
            bench, evaluation, benches.folder, baseline, target, fitting, config,
            replace(bias_config(bench.dataset.config), model=evaluation.model), replicates, {},
        )  # fmt: skip

    def ledger(self, names: Sequence[str], tell: Progress) -> pd.DataFrame:
        """Some methods' test predictions against the baseline's, for the mitigated dimension."""
        methods: dict[str, Mitigated] = {}
        test = self.baseline["split"] == "test"
        for name in names:
            if name == ADJUSTMENT and self._dimension not in mitigated_dimensions(self.bench.dataset):
                # The slice is not known when a prediction is made: it may not correct one.
                continue
            tell(self.evaluation.model, name)
            started = time.perf_counter()
            if name == ADJUSTMENT:
                table, cost = self._adjusted(self.baseline)[test], Fitted(None, 0.0, n_fits=0)
            else:
                fitted = self.fitting.by(name, *self._before_test())
                if fitted is None:
                    logger.info("%s: %s has fewer than two groups to even out.", self.evaluation.model, name)
                    continue
                self.fitted[name] = cost = fitted
                table = self.baseline[test].assign(y_pred=self._hours("test", fitted))
            seconds = round(time.perf_counter() - started, 3)
            methods[name] = Mitigated(table, cost.n_fits, seconds, cost.note)
        columns = ["item_id", "event_at", "group_id", self.target.column]
        return evaluate_ledger(
            self.baseline, methods, self.bench.dataset.items[columns], self.bias, margin=self.config.margin
        )

    def save(self, method: str, key: str) -> Evaluation:
        """Write an accepted model with its predictions and figures; the evaluation last."""
        begun, started = now(), time.perf_counter()
        if method == ADJUSTMENT:
            model, predictions = self._adjusted_model(self._original), self._adjusted(self.baseline)
        else:
            model, predictions = self._fitted_model(method, self._original)
        metrics, of_horizons = apart(self.bench.metrics(predictions, self.replicates))
        record = replace(
            self.evaluation,
            model=mitigated_name(self.evaluation.model, method),
            key=key,
            params={**self.evaluation.params, "mitigation": method, "mitigated_slice": self.target.column},
            metrics=metrics,
            horizon_metrics=of_horizons,
            seconds={"fit": round(time.perf_counter() - started, 3)},
            started_at=begun,
            finished_at=now(),
        )
        return self.folder.save(record, model, predictions)

    @cached_property
    def _original(self) -> DurationModel:
        """The model itself, which every method shares its chances with."""
        model: DurationModel = self.folder.model(self.evaluation.model)
        return model

    @cached_property
    def _chances_of_test(self) -> np.ndarray:
        return self._original.timing.score(self.bench.x[self._rows("test")])

    @property
    def _dimension(self) -> str:
        return self.target.column.removeprefix(SLICE_PREFIX)

    def _before_test(self) -> tuple[np.ndarray, Outcomes]:
        rows = self.bench.train_rows | self.bench.split.rows("validation")
        return rows, self.bench.split.outcomes_for_refit(self.bench.dataset)

    def _rows(self, part: str) -> np.ndarray:
        return np.flatnonzero(self.bench.split.rows(part))

    def _hours(self, part: str, fitted: Fitted) -> np.ndarray:
        """Hours of the new regressor and of the model's own chances, which share them as in the model."""
        own = self._original
        logs = log_prediction(fitted.regressor, self.bench.x[self._rows(part)], fitted.log_limit)
        if part == "test":
            chances = self._chances_of_test
        else:  # The heads that never saw the validation part are not kept, only what they answered.
            table = self.baseline[self.baseline["split"] == part]
            chances = table[[horizon_column(days) for days in self.bench.horizons]].to_numpy(float)
        implied = own.timing.log_median(chances, fitted.log_limit)
        return np.expm1((1.0 - own.timing_share) * logs + own.timing_share * implied)

    def _groups(self, part: str) -> np.ndarray:
        return self.target.groups[self._rows(part)]

    def _adjusted(self, table: pd.DataFrame) -> pd.DataFrame:
        """Corrections learned on validation rows; these themselves are corrected by their other half."""
        known = table["y_true"].notna().to_numpy()
        groups = np.concatenate([self._groups("validation"), self._groups("test")])
        validation = (table["split"] == "validation").to_numpy()
        clusters = self.bench.dataset.items["group_id"].astype(str)
        half = hashed_half(clusters.iloc[np.concatenate([self._rows("validation"), self._rows("test")])])
        result = table.copy()
        for learn, apply in (
            (validation & half, validation & ~half),
            (validation & ~half, validation & half),
            (validation, ~validation),
        ):
            learn = learn & known
            if not learn.any():
                continue
            correction = fit_group_correction(
                table["y_true"].to_numpy()[learn], table["y_pred"].to_numpy()[learn], groups[learn]
            )
            result.loc[apply, list(HOURS)] = adjusted(table[apply], groups[apply], correction)[list(HOURS)]
        return result

    def _adjusted_model(self, original: DurationModel) -> AdjustedModel:
        learn = ((self.baseline["split"] == "validation") & self.baseline["y_true"].notna()).to_numpy()
        groups = np.concatenate([self._groups("validation"), self._groups("test")])
        correction = fit_group_correction(
            self.baseline["y_true"].to_numpy()[learn],
            self.baseline["y_pred"].to_numpy()[learn],
            groups[learn],
        )
        return AdjustedModel(
            original, self.target.column, self.target.order, dict(correction.shifts), correction.common
        )

    def _fitted_model(self, method: str, original: DurationModel) -> tuple[DurationModel, pd.DataFrame]:
        """The regressor is new; the chances and the width of the intervals stay the original's."""
        final = self.fitted[method]
        own_cut = self.bench.split.outcomes(self.bench.dataset)
        first = self.fitting.by(method, self.bench.train_rows, own_cut) or final
        tables = []
        for part, fitted in (("validation", first), ("test", final)):
            logs = np.log1p(self._hours(part, fitted))
            low, high = original.intervals.predict(logs)
            table = self.baseline[self.baseline["split"] == part]
            tables.append(table.assign(y_pred=np.expm1(logs), p10=np.expm1(low), p90=np.expm1(high)))
        model = DurationModel(
            original.encoder,
            final.regressor,
            original.timing,
            original.intervals,
            original.calibration,
            final.log_limit,
            original.timing_share,
        )
        return model, pd.concat(tables, ignore_index=True)


def mitigated_dimensions(dataset: Dataset) -> list[str]:
    """Return the dimensions that mitigation may act on, preferred ones first."""
    config = dataset.config
    columns = config.mitigated_slices
    if columns is None:
        columns = tuple(name for name in dataset.slices if name not in config.outcome_slices)
    return [name.removeprefix(SLICE_PREFIX) for name in columns if name in dataset.slices]


def slice_column(dataset: Dataset, dimension: str) -> str:
    """Return the slice column of a dimension; ValueError when it may not be mitigated."""
    column = SLICE_PREFIX + dimension.removeprefix(SLICE_PREFIX)
    if column not in dataset.slices:
        raise ValueError(f"There is no slice column {column!r} to mitigate: choose from {dataset.slices}.")
    if column in dataset.config.outcome_slices:
        raise ValueError(
            f"The slices {column!r} are made from the outcome: a model cannot be trained by them."
        )
    return column


def _same_rows(baseline: pd.DataFrame, dataset: Dataset, split: Split) -> None:
    rows = np.concatenate([np.flatnonzero(split.rows(part)) for part in ("validation", "test")])
    items = dataset.items[["item_id", "event_at"]].iloc[rows].reset_index(drop=True)
    if len(items) != len(baseline) or not (items["item_id"] == baseline["item_id"]).all():
        raise ValueError("The predictions of the run are of other rows than its snapshot: train it again.")
