"""How many trees, where the validation part is too small to say: judged best in the mean over folds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.data.dataset import Dataset
from ml.data.folds import Fold, rolling_folds
from ml.data.splits import Split
from ml.models.boosting import Objective, Rows, fit_booster, start_trees
from ml.stats.rank_metrics import Grouping, ndcg

# An AUC of .9 judged by 100 positives has a standard error of about .02, by 20 of them .05 (Hanley and McNeil
# 1982): more than numbers of trees differ by.
ENOUGH_TO_STOP_BY = 100
FOLDS = 4
# From positions of rows to score to what judges their raw scores; larger is better.
FoldJudge = Callable[[NDArray[np.intp]], Callable[[NDArray[np.float64]], float]]


def stopping_folds(dataset: Dataset, split: Split, target: NDArray[np.float64]) -> list[Fold]:
    """Return the folds that decide the number of trees; none when the validation part can do it alone.

    It can with `ENOUGH_TO_STOP_BY` known rows of the rarer class, and it has to when no rolling fold has both
    classes among its rows to fit and among its rows to score.
    """
    late = target[split.rows("validation") & split.known] > 0
    if min(late.sum(), (~late).sum()) >= ENOUGH_TO_STOP_BY:
        return []
    return [
        fold
        for fold in rolling_folds(dataset, split, FOLDS)
        if all(len(np.unique(target[rows] > 0)) == 2 for rows in (fold.fit, fold.score))
    ]


def fold_judge(objective: Objective, data: Rows) -> FoldJudge:
    """Return what judges the rows of a fold: NDCG of whole groups, or for 0/1 labels the log loss.

    AUC would stand still once the few positives of a fold are on top.
    """

    def by_order(at: NDArray[np.intp]) -> Callable[[NDArray[np.float64]], float]:
        truth, grouping = data.y[at], Grouping(data.groups[at])
        return lambda s: float(ndcg(truth, s, grouping, len(truth))[0])

    def by_log_loss(at: NDArray[np.intp]) -> Callable[[NDArray[np.float64]], float]:
        sign = 1.0 - 2.0 * data.y[at]
        return lambda s: -float(np.logaddexp(0.0, sign * s).mean())

    return by_order if objective == "lambdarank" else by_log_loss


def rounds_by_folds(
    data: Rows,
    folds: Sequence[Fold],
    names: Sequence[str],
    objective: Objective,
    params: Mapping[str, Any],
    seed: int,
    judge: FoldJudge,
    patience: int = 50,
) -> int:
    """Return the ``n_estimators`` after which no more of them is judged better for ``patience`` trees.

    Parameters
    ----------
    data : Rows
    folds : sequence of Fold
        Positions in ``data``; the rows to score are only judged.
    names, objective, params, seed, patience
        As in `ml.models.boosting.fit_booster`.
    judge : callable
    """
    limit = int(params.get("n_estimators", 500))
    rounds = min(limit, 4 * patience)
    while True:
        best, is_over = _best_of(
            data, folds, names, objective, {**params, "n_estimators": rounds}, seed, judge, patience
        )
        if is_over or rounds == limit:
            return best + 1
        # The first trees of a longer run are the same ones: most searches are over before the limit.
        rounds = min(limit, 2 * rounds)


def _best_of(
    data: Rows,
    folds: Sequence[Fold],
    names: Sequence[str],
    objective: Objective,
    params: Mapping[str, Any],
    seed: int,
    judge: FoldJudge,
    patience: int,
) -> tuple[int, bool]:
    """Return the best number of trees, from 0, and whether ``patience`` more of them were no better."""
    curves = []
    for fold in folds:
        booster = fit_booster(data.at(fold.fit), names, objective, params, seed)
        x, before, judged = data.x[fold.score], start_trees(params), judge(fold.score)
        raw = np.zeros(len(x))
        curve = []
        for tree in range(booster.current_iteration()):
            raw += booster.predict(x, raw_score=True, start_iteration=tree, num_iteration=1, num_threads=1)
            if tree >= before:
                curve.append(judged(raw))
        curves.append(curve)
    # A booster that finds nothing more to split ends sooner than others.
    common = min(map(len, curves))
    mean = np.mean([curve[:common] for curve in curves], axis=0)
    best = 0
    for tree, value in enumerate(mean):
        if value > mean[best]:
            best = tree
        elif tree - best >= patience:
            return best, True
    return best, common < int(params["n_estimators"])
