"""What scorers and rankers share: their settings, and the split of whole groups in time.

The tasks themselves are declared in `ml.tasks.scoring.scorer` and `ml.tasks.scoring.ranker`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ml.data.dataset import Dataset
from ml.data.parts.splits import Split, split_by_groups, split_by_time
from ml.data.settings import Count, Days, NotNegative, Positive, Seed, Whole, check_settings
from ml.errors import TooLittleDataError

EvalMetric = Literal["auc", "average_precision", "ndcg"]


@dataclass(frozen=True)
class ScoringConfig:
    """Settings of the training of a scorer or ranker.

    Parameters
    ----------
    horizon_days : float or None
        Labels are those that are settled so many days after an item's start; None: the labels as given.
    validation_groups, test_groups : float or None
        Numbers of groups; below 1, shares of all groups. On timelines of their own, where numbers of groups
        mean nothing, shares of each. None: 5 and 6 groups, or .1 and .2 of each timeline.
    cv_folds : int
        Stratified group folds before the test part; 0 for none.
    forward_cuts : int
        Cuts in time before the test part at which the order is judged by a fit on the past; 0 for none.
    eval_metric : {"auc", "average_precision", "ndcg"} or None
        What early stopping on the validation part and the tuner judge by; None for the task's own. NDCG is
        judged together with average precision, unless groups are questions.
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
        Parameters over the family's defaults.
    """

    horizon_days: Days | None = None
    validation_groups: Positive | None = None
    test_groups: NotNegative | None = None
    cv_folds: Whole = 5
    forward_cuts: Whole = 0
    eval_metric: EvalMetric | None = None
    ndcg_at: tuple[Count, ...] = (5, 10, 20)
    top_at: tuple[Count, ...] = (1, 3, 5)
    precision_at: Count = 20
    patience: Count = 50
    seed: Seed = 0
    replicates: Whole = 500
    params: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_settings(self)
        if self.cv_folds == 1:
            raise ValueError(f"cv_folds must be 0 for none, or at least 2, not {self.cv_folds}.")
        if not self.ndcg_at:
            raise ValueError("ndcg_at needs one k at least: add it.")


def split_for(dataset: Dataset, config: ScoringConfig) -> Split:
    """Return the split by whole groups, on the timelines of the domain or on a common one.

    Raises
    ------
    ValueError
        When numbers of groups are given for timelines.
    TooLittleDataError
        When the groups are too few.
    """
    given = (config.validation_groups, config.test_groups)
    if dataset.config.timeline is None:
        validation, test = (own if n is None else n for n, own in zip(given, (5, 6), strict=True))
        return split_by_groups(dataset, validation, test)
    validation, test = (own if n is None else n for n, own in zip(given, (0.1, 0.2), strict=True))
    if not (0 < validation < 1 and 0 < test < 1):
        raise ValueError(
            f"The domain {dataset.config.name!r} is split on the timelines of {dataset.config.timeline!r}, "
            f"where numbers of groups mean nothing: give shares above 0 and below 1, not {validation:g} and "
            f"{test:g}."
        )
    return split_by_time(dataset, validation, test, whole_groups=True)


def check_classes(target: NDArray[np.float64], rows: NDArray[np.bool_], part: str) -> None:
    """Refuse a part whose known truths are all alike."""
    hits, n = int((target[rows] > 0).sum()), int(rows.sum())
    if hits in (0, n):
        raise TooLittleDataError(
            f"The {part} part has {n} known labels, {hits} of them positive: a scorer needs both kinds; "
            "give more groups or check the label."
        )


def order_by(dataset: Dataset, columns: Sequence[str]) -> NDArray[np.float64]:
    """Return a score that orders the rows by ``columns``, the first one first; what is missing comes last.

    Larger values come first, of a column with ``-`` before its name smaller ones.
    """
    names = [column.removeprefix("-") for column in columns]
    keys = dataset.items[names].astype("Float64").astype(float)
    for column, name in zip(columns, names, strict=True):
        keys[name] = (-keys[name] if column.startswith("-") else keys[name]).fillna(-np.inf)
    return np.asarray(keys.groupby(names, sort=True).ngroup(), dtype=np.float64)
