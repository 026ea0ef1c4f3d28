"""The task of telling positives from negatives, of items or of clusters of them: labels of 0 and 1."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.data.dataset import Dataset
from ml.data.labels import within_horizon
from ml.data.splits import Split
from ml.errors import TooLittleDataError
from ml.models import ModelSpec
from ml.tasks.scoring import ScoringConfig, split_for
from ml.tasks.scoring_fit import ScoringBench
from ml.tasks.task import Task

# A column that gives the label away on this many rows is no coincidence.
LEAK_ROWS = 100
LEAK_LEVELS = 20


def binary_target(dataset: Dataset) -> NDArray[np.float64]:
    """Return the 0/1 label of every row, NaN where it is not known.

    Raises
    ------
    ValueError
        When a label is neither 0 nor 1, when all are alike, or when one feature alone tells them apart.
    """
    labels = dataset.row_labels()
    y = labels["y"].where(~labels["is_censored"]).to_numpy(float)
    known = ~np.isnan(y)
    odd = known & (y != 0) & (y != 1)
    if odd.any():
        at = int(np.flatnonzero(odd)[0])
        raise ValueError(
            f"The label of {labels['item_id'].iloc[at]!r} is {y[at]:g}: a scorer takes 0 and 1; make it so."
        )
    if known.any() and len(np.unique(y[known])) < 2:
        raise TooLittleDataError(
            f"All {int(known.sum())} known labels are {y[known][0]:g}: a scorer needs both 0 and 1."
        )
    refuse_revealing_features(dataset, y)
    return y


def refuse_revealing_features(dataset: Dataset, y: NDArray[np.float64]) -> None:
    """Refuse a feature that alone, by its value or by being absent, separates 0 from 1 without one error.

    Raises
    ------
    ValueError
        The sentence names the feature.
    """
    known = ~np.isnan(y)
    positive = y[known] > 0
    if len(positive) < LEAK_ROWS or min(positive.sum(), (~positive).sum()) < 10:
        return
    for name, kind in dataset.kinds().items():
        if kind == "text":
            continue
        column = dataset.items[name][known]
        absent = column.isna().to_numpy()
        reveals = bool((absent == positive).all() or (absent != positive).all())
        if kind == "number" and not absent.any():
            values = column.astype("Float64").to_numpy(float)
            low, high = values[~positive], values[positive]
            reveals |= bool(low.max() < high.min() or high.max() < low.min())
        elif kind == "category":
            levels = pd.Series(positive).groupby(column.astype(object).fillna("").astype(str).to_numpy())
            mixed = levels.nunique()
            reveals |= bool(len(mixed) <= LEAK_LEVELS and (mixed == 1).all())
        if reveals:
            raise ValueError(
                f"The feature {name!r} alone tells every positive from every negative: a leak; drop it."
            )


def _labelled(dataset: Dataset, config: ScoringConfig) -> Dataset:
    return dataset if config.horizon_days is None else within_horizon(dataset, config.horizon_days)


def _bench(
    dataset: Dataset,
    split: Split,
    spec: ModelSpec,
    config: ScoringConfig,
    cache_dir: Path | None,
    rows: int | None,
) -> ScoringBench:
    return ScoringBench(dataset, binary_target(dataset), split, spec, "binary", "auc", config, rows)


SCORER = Task(
    kind="scorer",
    name="binary",
    settings=ScoringConfig,
    labelled=_labelled,
    split=split_for,
    bench=_bench,
    bias_metrics="scores",
    serves="scores",
    family="lightgbm",
)
CLUSTER = replace(SCORER, kind="cluster")
