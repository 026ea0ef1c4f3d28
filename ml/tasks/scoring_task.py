"""What is scored (0/1 labels or grades), and the settings of its training; `ml.tasks.scoring` trains it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ml.data.dataset import Dataset
from ml.models.boosting import Objective

EvalMetric = Literal["auc", "average_precision", "ndcg"]


@dataclass(frozen=True)
class ScoringConfig:
    """Settings of the training of a scorer or ranker.

    Parameters
    ----------
    horizon_days : float or None
        Labels are those that are settled so many days after an item's start; None: the labels as given.
    validation_groups, test_groups : float
        Numbers of groups; below 1, shares of all groups.
    cv_folds : int
        Stratified group folds before the test part; 0 for none.
    eval_metric : {"auc", "average_precision", "ndcg"} or None
        What early stopping on the validation part and the tuner judge by; None for the task's own.
    ndcg_at : tuple of int
        The k of NDCG@k; cross-validation and the tuner judge a ranker by their mean.
    top_at : tuple of int
        The k of top@k, the share of groups with a positive row among the first k.
    precision_at : int
    patience : int
        Rounds without improvement before early stopping.
    seed : int
    replicates : int
        Bootstrap resamples over groups; 0 for no intervals.
    params : mapping
        Parameters of LightGBM over the task's defaults.
    """

    horizon_days: float | None = None
    validation_groups: float = 5
    test_groups: float = 6
    cv_folds: int = 5
    eval_metric: EvalMetric | None = None
    ndcg_at: tuple[int, ...] = (5, 10, 20)
    top_at: tuple[int, ...] = (1, 3, 5)
    precision_at: int = 20
    patience: int = 50
    seed: int = 0
    replicates: int = 500
    params: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.eval_metric not in (None, "auc", "average_precision", "ndcg"):
            raise ValueError(
                f"The metric {self.eval_metric!r} is unknown: choose auc, average_precision or ndcg."
            )
        cuts = [*self.ndcg_at, *self.top_at, self.precision_at]
        if not self.ndcg_at or min(cuts) < 1:
            raise ValueError(f"Each k must be at least 1, not {cuts}, and NDCG needs one.")


@dataclass(frozen=True, eq=False)
class ScoringTask:
    """What is scored, and how.

    Parameters
    ----------
    name : {"binary", "ranking"}
    objective : {"binary", "lambdarank"}
    defaults : mapping
        Parameters of LightGBM.
    target : callable (dataset) -> ndarray of float, shape (n,)
        Truth of every row, NaN where unknown; raises ValueError when the labels do not fit the task.
    settled_after : callable (dataset, days) -> Dataset
        The same items with the labels that are settled so many days after their start.
    eval_metric : str
        What early stopping judges by when nothing else is configured.
    """

    name: Literal["binary", "ranking"]
    objective: Objective
    defaults: Mapping[str, Any]
    target: Callable[[Dataset], NDArray[np.float64]]
    settled_after: Callable[[Dataset, float], Dataset]
    eval_metric: EvalMetric

    def labelled(self, dataset: Dataset, config: ScoringConfig) -> Dataset:
        """Return the dataset with the labels of the configured horizon; as it is without one."""
        return dataset if config.horizon_days is None else self.settled_after(dataset, config.horizon_days)
