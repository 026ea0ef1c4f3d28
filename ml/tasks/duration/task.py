"""The task of saying how long an item will take: hours with an interval, and the chance to end in time.

What is its own: ends that are not known yet (censoring), and two heads, one for hours and one for horizons.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.data.dataset import Dataset
from ml.data.parts.splits import Split, date_of, split_by_time
from ml.data.settings import NotNegative, Positive, Seed, SomeRows, Whole, check_settings
from ml.encoding.matrix import PreprocessingConfig, encode
from ml.models import ModelSpec, Params
from ml.stats.figure import Figure
from ml.tasks.duration.calibrate import calibrated
from ml.tasks.duration.fit import Weighting, Workbench
from ml.tasks.duration.model import log_prediction
from ml.tasks.task import Fitted, Objective, Report, Task


@dataclass(frozen=True)
class TrainingConfig:
    """Settings of the training of a duration model.

    Parameters
    ----------
    trials : int
        Trials of the search per model; 0 for the default parameters.
    seconds : float
        No trial starts later than this after the search began; it stops one that runs away, since results
        are reproducible only when the trials end the search.
    subset_size : int or None
        Train on at most this many training rows, drawn with the seed; the other parts stay whole.
    seed : int
    replicates : int
        Bootstrap resamples of the intervals; 0 for none.
    tuning_rows : int
        Training rows that a trial is fitted on.
    weighting : Weighting
    validation, test : float
        Shares of the split.
    validation_from, test_from : str or None
        Dates, ISO 8601, UTC, at which the parts begin on every timeline; in place of the shares.
    is_common : bool
        One timeline for all items, whatever the domain says.
    min_timeline_labels : int
        Timelines with fewer known labels are split together.
    preprocessing : PreprocessingConfig
    """

    trials: Whole = 10
    seconds: NotNegative = 3600.0
    subset_size: SomeRows | None = None
    seed: Seed = 0
    replicates: Whole = 200
    tuning_rows: SomeRows = 10_000
    validation: Positive = 0.1
    test: Positive = 0.2
    validation_from: str | None = None
    test_from: str | None = None
    is_common: bool = False
    min_timeline_labels: Whole = 10
    weighting: Weighting = field(default_factory=Weighting)
    preprocessing: PreprocessingConfig = field(default_factory=lambda: PreprocessingConfig(text_score=True))

    def __post_init__(self) -> None:
        check_settings(self)
        if (self.validation_from is None) != (self.test_from is None):
            raise ValueError("The split by date needs both dates: give validation_from and test_from.")
        self.cuts()

    def cuts(self) -> tuple[np.datetime64, np.datetime64] | None:
        """Return when validation and test part begin; None where shares say it."""
        if self.validation_from is None or self.test_from is None:
            return None
        first, second = (date_of(text) for text in (self.validation_from, self.test_from))
        return first, second

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> TrainingConfig:
        """Read back the settings that a record keeps; unknown names raise ValueError."""
        parts = {"weighting": Weighting, "preprocessing": PreprocessingConfig}
        try:
            return cls(**{k: parts[k](**v) if k in parts else v for k, v in mapping.items()})
        except TypeError as error:
            raise ValueError(
                f"The settings of the run are of another version ({error}): train again."
            ) from error


class DurationBench:
    """One family's durations of a dataset; see `ml.tasks.task.Bench`.

    Parameters
    ----------
    dataset : Dataset
    split : Split
    spec : ModelSpec
    config : TrainingConfig
    cache_dir : Path or None
        Folder of encoded rows, kept for other models and runs.
    """

    def __init__(
        self,
        dataset: Dataset,
        split: Split,
        spec: ModelSpec,
        config: TrainingConfig,
        cache_dir: Path | None = None,
    ) -> None:
        self.dataset, self.spec, self.config = dataset, spec, config
        self.encoder, x = encode(dataset, split, spec.inputs, config.preprocessing, cache_dir)
        rows = training_rows(split, config)
        self.work = Workbench(dataset, split, x, rows, config.weighting, config.seed)

    @property
    def feature_list(self) -> list[str]:
        """Names of the features."""
        return self.dataset.features

    def objective(self) -> Objective:
        """Return the validation MAE of log hours, of a fit on some of the training rows."""
        spec, seed = self.spec, self.config.seed
        data = self.work.tuning_data(spec, self.config.tuning_rows)

        def score(params: Params, report: Report) -> float:
            estimator = spec.build(params, seed, "absolute")
            spec.fit(estimator, data.x, data.y, data.weight, data.validation)
            seen, truth, weight = data.validation
            predicted = log_prediction(estimator, seen, float(data.y.max()))
            return float(np.average(np.abs(predicted - truth), weights=weight))

        space = spec.search_space if spec.is_searched else None
        return Objective("mae_log", "minimize", dict(spec.defaults), space, score)

    def fit(self, params: Params) -> Fitted:
        """Fit at every origin and up to the test part, and calibrate each by the origins before it."""
        own = {**self.spec.defaults, **params}
        fits = self.work.fit(self.spec, own)
        if fits.best_iteration is not None:
            own["n_estimators"] = fits.best_iteration
        on_origins, model = calibrated(self.work, self.encoder, fits.at_origins, fits.final)
        return Fitted(model, own, fits.best_iteration, on_origins, fits.learning_curve)

    def cross_validate(self, fitted: Fitted) -> list[float | None]:
        """Return nothing: durations are judged by parts in time alone."""
        return []

    def predictions(self, fitted: Fitted) -> pd.DataFrame:
        """Return hours, intervals and chances of the validation and the test rows."""
        return self.work.predictions(fitted.on_validation[-1][1], fitted.estimator)

    def figures(self, fitted: Fitted, predictions: pd.DataFrame) -> list[Figure]:
        """Evaluate a prediction table and the origins; each part's baselines know what its model knew."""
        figures = self.work.metrics(predictions, self.config.replicates)
        return [*figures, *self.work.figures_at_origins(fitted.on_validation[:-1], figures)]

    def native(self, fitted: Fitted) -> tuple[str, bytes] | None:
        """Return the regressor in its library's own format."""
        return None if self.spec.native is None else self.spec.native(fitted.estimator.regressor)

    def report(
        self, fitted: Fitted, metrics: list[Figure], cv_scores: list[float | None]
    ) -> dict[str, Any] | None:
        """Return nothing: the record says it all."""
        return None


def training_rows(split: Split, config: TrainingConfig) -> NDArray[np.bool_]:
    """Return the mask of the training rows in use: all, or as many as the configuration says."""
    rows = split.rows("train")
    known = np.flatnonzero(rows & split.known)
    if config.subset_size is None or len(known) <= config.subset_size:
        return rows
    chosen = np.random.default_rng(config.seed).choice(known, config.subset_size, replace=False)
    # The open rows are thinned alike, or the horizons would see far too many of them.
    others = np.flatnonzero(rows & ~split.known)
    share = config.subset_size / len(known)
    kept = np.random.default_rng(config.seed + 1).choice(others, round(share * len(others)), replace=False)
    return np.isin(np.arange(len(rows)), np.concatenate([chosen, kept]))


def _split(dataset: Dataset, config: TrainingConfig) -> Split:
    return split_by_time(
        dataset,
        config.validation,
        config.test,
        config.min_timeline_labels,
        cuts=config.cuts(),
        is_common=config.is_common,
    )


def _bench(
    dataset: Dataset,
    split: Split,
    spec: ModelSpec,
    config: TrainingConfig,
    cache_dir: Path | None,
    rows: int | None,
) -> DurationBench:
    if rows is not None:
        raise ValueError("Durations are searched on rows of their own choice: leave the number of rows out.")
    return DurationBench(dataset, split, spec, config, cache_dir)


DURATION = Task(
    kind="duration",
    name="regression",
    settings=TrainingConfig,
    # Labels as given: what is known of each at a cut is worked out where it is used.
    labelled=lambda dataset, config: dataset,
    split=_split,
    bench=_bench,
    family="lightgbm",
)
