"""How many rounds, where the validation part is too small to say: judged best in the mean over folds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.backend import each
from ml.data.dataset import Dataset
from ml.data.parts.folds import Fold, rolling_folds
from ml.data.parts.splits import Split
from ml.models import Rows, ScoringFamily, Watch

# An AUC of .9 judged by 100 positives has a standard error of about .02, by 20 of them .05 (Hanley and McNeil
# 1982): more than numbers of trees differ by.
ENOUGH_TO_STOP_BY = 100
FOLDS = 4
# From positions of rows to score to what judges their raw scores; larger is better.
FoldJudge = Callable[[NDArray[np.intp]], Callable[[NDArray[np.float64]], float]]


def stopping_folds(
    dataset: Dataset, split: Split, target: NDArray[np.float64], judges_groups: bool = False
) -> list[Fold]:
    """Return the folds that decide the number of rounds; none when the validation part can do it alone.

    It can with `ENOUGH_TO_STOP_BY` known rows of the rarer class, or groups with a relevant row where whole
    groups are judged, and it has to when no rolling fold has both classes among its rows to fit and among its
    rows to score.
    """
    late = split.rows("validation") & split.known
    positive = target[late] > 0
    judges = [int(positive.sum()), int((~positive).sum())]
    if judges_groups:
        judges = [len(np.unique(dataset.groups("group_id")[late][positive].astype(str)))]
    if min(judges) >= ENOUGH_TO_STOP_BY:
        return []
    return [
        fold
        for fold in rolling_folds(dataset, split, FOLDS)
        if all(len(np.unique(target[rows] > 0)) == 2 for rows in (fold.fit, fold.score))
    ]


def rounds_by_folds(
    data: Rows,
    folds: Sequence[Fold],
    family: ScoringFamily,
    params: Mapping[str, Any],
    seed: int,
    judge: FoldJudge,
    patience: int = 50,
) -> tuple[int, list[float]]:
    """Return the number of rounds after which no more is judged better for ``patience`` rounds, and the mean.

    It is the family's ``least_rounds`` at least; the mean over folds is of every round that was made.

    Parameters
    ----------
    data : Rows
    folds : sequence of Fold
        Positions in ``data``; the rows to score are only judged.
    family : ScoringFamily
        One with rounds.
    params : mapping
        With the largest number of rounds.
    seed : int
    judge : callable
    patience : int
    """
    assert family.rounds is not None
    limit = int(params[family.rounds])
    rounds = min(limit, 4 * patience)
    while True:
        own = {**params, family.rounds: rounds}
        curves = each(_curve, [(data, fold, family, own, seed, judge) for fold in folds])
        # A booster that finds nothing more to split ends sooner than others.
        common = min(map(len, curves))
        mean: list[float] = np.mean([curve[:common] for curve in curves], axis=0).tolist()
        best, is_over = _best_of(mean, rounds, patience)
        if is_over or rounds == limit:
            return max(best + 1, min(family.least_rounds, limit)), mean
        # The first rounds of a longer run are the same ones: most searches are over before the limit.
        rounds = min(limit, 2 * rounds)


def _curve(
    data: Rows, fold: Fold, family: ScoringFamily, params: Mapping[str, Any], seed: int, judge: FoldJudge
) -> list[float]:
    """Return the judgement of a fold's rows after every round: the fit is watched, and never stopped."""
    curve: list[float] = []
    judged = judge(fold.score)

    def record(scores: NDArray[np.float64]) -> float:
        curve.append(judged(scores))
        return curve[-1]

    rounds = int(params[str(family.rounds)])
    family.fit(data.at(fold.fit), params, seed, Watch(data.at(fold.score), record, patience=rounds + 1))
    return curve


def _best_of(mean: Sequence[float], rounds: int, patience: int) -> tuple[int, bool]:
    """Return the best round of the curves' mean, from 0, and whether ``patience`` more were no better."""
    best = 0
    for tree, value in enumerate(mean):
        if value > mean[best]:
            best = tree
        elif tree - best >= patience:
            return best, True
    return best, len(mean) < rounds
