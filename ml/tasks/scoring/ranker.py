"""The task of ordering the rows of each group by grade: whole-number relevance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ml.data.dataset import Dataset
from ml.data.labels import graded_after
from ml.errors import TooLittleDataError
from ml.tasks.scoring.fit import scoring_bench
from ml.tasks.scoring.settings import ScoringConfig, split_for
from ml.tasks.task import Task

MAX_GRADE = 30


def ranking_target(dataset: Dataset) -> NDArray[np.float64]:
    """Return the grade of every row, NaN where its label is not known.

    Raises
    ------
    ValueError
        When a known grade is missing, fractional or out of range, when no row or every row is relevant,
        or when a feature gives grades or relevance away.
    """
    labels = dataset.row_labels()
    known = ~labels["is_censored"].to_numpy()
    grades = labels["relevance"].astype("Float64").to_numpy(float, na_value=np.nan)
    check_grades(grades[known], labels.loc[known, "item_id"].astype(str).tolist())
    if known.any() and len(np.unique(grades[known] > 0)) < 2:
        raise TooLittleDataError(
            f"The known grades of {int(known.sum())} rows are all "
            f"{'above 0' if grades[known][0] > 0 else '0'}: a ranker needs relevant rows and others."
        )
    target = np.where(known, grades, np.nan)
    dataset.refuse_copies_of(target)
    dataset.refuse_copies_of(np.where(known, (target > 0).astype(float), np.nan))
    return target


def check_grades(relevance: NDArray[np.float64], names: Sequence[str]) -> None:
    """Refuse grades that no gain can be made of.

    Raises
    ------
    ValueError
        When a grade is missing, fractional, negative or above 30; the sentence names the first one.
    """
    bad = ~(np.isfinite(relevance) & (relevance == np.round(relevance)))
    bad |= ~((relevance >= 0) & (relevance <= MAX_GRADE))
    if bad.any():
        at = int(np.flatnonzero(bad)[0])
        raise ValueError(
            f"The relevance of {names[at]!r} is {relevance[at]:g}: a ranker takes whole grades from 0 to "
            f"{MAX_GRADE}; round it, for example to 0-4."
        )


def _labelled(dataset: Dataset, config: ScoringConfig) -> Dataset:
    return dataset if config.horizon_days is None else graded_after(dataset, config.horizon_days)


RANKER = Task(
    kind="ranker",
    name="ranking",
    settings=ScoringConfig,
    labelled=_labelled,
    split=split_for,
    bench=scoring_bench(ranking_target, "ranking", "ndcg"),
    family="lightgbm",
)
