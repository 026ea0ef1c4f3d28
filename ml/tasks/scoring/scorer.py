"""The task of telling positives from negatives, of items or of clusters of them: labels of 0 and 1."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ml.data.dataset import Dataset
from ml.data.labels import beyond_horizon, within_horizon
from ml.errors import TooLittleDataError
from ml.tasks.scoring.fit import scoring_bench
from ml.tasks.scoring.settings import ScoringConfig, split_for
from ml.tasks.task import Task


def binary_target(dataset: Dataset) -> NDArray[np.float64]:
    """Return the 0/1 label of every row, NaN where it is not known.

    Raises
    ------
    ValueError
        When a label is neither 0 nor 1, or when all are alike.
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
    return y


def _labelled(dataset: Dataset, config: ScoringConfig) -> Dataset:
    return dataset if config.horizon_days is None else within_horizon(dataset, config.horizon_days)


def _late(dataset: Dataset, config: ScoringConfig) -> Dataset:
    if config.horizon_days is None:
        raise ValueError("Late is what has not ended within a horizon: give its days (horizon_days).")
    return beyond_horizon(dataset, config.horizon_days)


SCORER = Task(
    kind="scorer",
    name="binary",
    settings=ScoringConfig,
    labelled=_labelled,
    split=split_for,
    bench=scoring_bench(binary_target, "binary", "auc"),
    family="lightgbm",
)
CLUSTER = replace(SCORER, kind="cluster")
# A domain's baselines put first what ends soon: whoever orders by them takes the last ones for late.
_LATE_BENCH = scoring_bench(binary_target, "binary", "auc", turns_baselines=True)
LATE = replace(SCORER, kind="late", labelled=_late, bench=_LATE_BENCH)
