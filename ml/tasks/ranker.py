"""The task of ordering the rows of each group by grade: whole-number relevance, LightGBM's LambdaRank."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ml.data.dataset import Dataset
from ml.data.labels import graded_after
from ml.errors import TooLittleDataError
from ml.models.boosting import check_grades
from ml.tasks.scorer import refuse_revealing_features
from ml.tasks.scoring import ScoringConfig, ScoringTask, TrainedScoring, train_scoring


def ranking_target(dataset: Dataset) -> NDArray[np.float64]:
    """Return the grade of every row, NaN where its label is not known.

    Raises
    ------
    ValueError
        When a known grade is missing, fractional or out of range, when no row or every row is relevant,
        or when one feature alone tells relevant rows from others.
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
    refuse_revealing_features(dataset, np.where(known, (target > 0).astype(float), np.nan))
    return target


RANKING = ScoringTask(
    name="ranking",
    objective="lambdarank",
    defaults={
        "n_estimators": 1000,
        # LambdaRank starts from the order by expected gain: in rolling folds it put more at the top than
        # LambdaRank alone, whose number of trees a few groups decide badly. Fewer of these trees lose average
        # precision, more of them lose the top.
        "gain_trees": 600,
        "learning_rate": 0.01,
        "num_leaves": 15,
        "max_depth": 5,
        "min_child_samples": 30,
        "subsample": 0.5,
        "subsample_freq": 1,
        "colsample_bytree": 0.2,
        "reg_lambda": 1.0,
        # Far beyond the k of NDCG@k: pairs further down teach what is relevant at all, which average
        # precision needs, and rolling folds showed no loss at the top.
        "lambdarank_truncation_level": 120,
    },
    target=ranking_target,
    settled_after=graded_after,
    eval_metric="ndcg",
)


def train_ranker(
    dataset: Dataset, config: ScoringConfig | None = None, progress: Callable[[str], None] | None = None
) -> TrainedScoring:
    """Train a ranker of groups; see `ml.tasks.scoring.train_scoring`."""
    return train_scoring(dataset, RANKING, config, progress)
