"""Folds within what precedes the test part: rolling ones of whole groups in time, and stratified ones.

What a label may be used for is decided by ``labelled_at`` alone: known before the next part begins, or not.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.data.dataset import Dataset
from ml.data.outcomes import known_at
from ml.data.parts.splits import Split, groups_in_time
from ml.errors import TooLittleDataError

Rows = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Fold:
    """Rows to fit on and rows to score, as positions in the dataset's items."""

    fit: Rows
    score: Rows


def known_before_test(dataset: Dataset, split: Split) -> NDArray[np.bool_]:
    """Return the mask of training and validation rows whose label was known when the test part began."""
    has_test = bool(split.rows("test").any())
    return split.rows("train", "validation") & known_at(dataset, split.test_cut, is_last=not has_test)


def forward_folds(
    dataset: Dataset, split: Split, folds: int = 4, usable: NDArray[np.bool_] | None = None
) -> list[Fold]:
    """Return rolling folds within what precedes the test part: fitted on the past, scored on what follows.

    The later half of the groups is cut into ``folds`` runs of groups. A fold is fitted on every earlier
    group's labels that were known when its own run began, and scored on the run's labels that were known
    when the test part began. With ``usable``, other rows are left out.

    Raises
    ------
    TooLittleDataError
        When no fold has known labels on both sides.
    """
    result = rolling_folds(dataset, split, folds, usable)
    if not result:
        raise TooLittleDataError(
            "No rolling fold has known labels on both sides: give more groups before the test."
        )
    return result


def rolling_folds(
    dataset: Dataset, split: Split, folds: int = 4, usable: NDArray[np.bool_] | None = None
) -> list[Fold]:
    """Return the folds of `forward_folds`, or none when there are none."""
    before_test = known_before_test(dataset, split)
    usable = before_test if usable is None else before_test & usable
    _, rank = groups_in_time(dataset)
    ranks = np.unique(rank[split.rows("train", "validation")])
    runs = [run for run in np.array_split(ranks[len(ranks) // 2 :], folds) if len(run)]
    start = dataset.items["event_at"].to_numpy("datetime64[us]")
    labelled = dataset.row_labels()["labelled_at"].to_numpy("datetime64[us]")
    result = []
    for run in runs:
        begins = start[rank == run[0]].min()
        fit = np.flatnonzero(usable & (rank < run[0]) & (labelled < begins))
        score = np.flatnonzero(usable & (rank >= run[0]) & (rank <= run[-1]))
        if len(fit) and len(score):
            result.append(Fold(fit, score))
    return result


def forward_cuts(dataset: Dataset, split: Split, cuts: int = 10) -> list[Fold]:
    """Return cuts in time before the test part: what could have been learned by each, and what came next.

    The last groups before the test part, at least their later half, make ``cuts`` runs. A cut is fitted on
    every earlier group's labels that were known when its run began, and its run is scored by every label that
    is given by now, as the test part is: what is judged so decides nothing.
    """
    _, rank = groups_in_time(dataset)
    before_test = split.rows("train", "validation")
    ranks = np.unique(rank[before_test])
    later = ranks[max(1, min(len(ranks) // 2, len(ranks) - cuts)) :] if cuts else ranks[:0]
    start = dataset.items["event_at"].to_numpy("datetime64[us]")
    given = ~dataset.row_labels()["is_censored"].to_numpy()
    result = []
    for run in np.array_split(later, min(cuts, len(later)) or 1):
        of_run = np.isin(rank, run)
        if not of_run.any():
            continue
        begins = np.full(len(rank), start[of_run].min())
        fit = before_test & (rank < run[0]) & known_at(dataset, begins, is_last=False)
        result.append(Fold(np.flatnonzero(fit), np.flatnonzero(before_test & of_run & given)))
    return result


def drawn_groups(
    groups: NDArray[np.object_], rows: NDArray[np.bool_], limit: int, seed: int = 0
) -> NDArray[np.bool_]:
    """Return the mask of about ``limit`` of the ``rows``: those of whole groups, drawn by the seed."""
    names, code = np.unique(groups.astype(str), return_inverse=True)
    sizes = np.bincount(code[rows], minlength=len(names))
    order = np.random.default_rng(seed).permutation(len(names))
    before = np.cumsum(sizes[order]) - sizes[order]
    return rows & np.isin(code, order[before < limit])


def stratified_group_folds(
    y: NDArray[np.float64], groups: NDArray[np.object_], rows: Rows, folds: int = 5, seed: int = 0
) -> list[Fold]:
    """Return folds of whole groups with about equal shares of positives.

    These folds ignore time, and neighbouring groups hold the same entities: their figures are optimistic
    beside the test part's, and serve to show the deviation.

    Parameters
    ----------
    y, groups : ndarray, shape (n,)
        Of all rows of the dataset.
    rows : ndarray of int
        The rows to be divided.
    folds : int
    seed : int

    Raises
    ------
    TooLittleDataError
        When there are fewer groups than folds, or fewer rows of either class.
    ValueError
        When there are fewer than 2 folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    n_groups = len(np.unique(groups[rows].astype(str)))
    if not 2 <= folds <= n_groups:
        error = ValueError if folds < 2 else TooLittleDataError
        raise error(f"{folds} folds of {n_groups} groups cannot be made: choose 2 to {n_groups} folds.")
    positive = (y[rows] > 0).astype(int)
    if max(positive.sum(), len(rows) - positive.sum()) < folds:
        raise TooLittleDataError(f"{folds} folds of {len(rows)} rows cannot be made: choose fewer.")
    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # A class of fewer rows than folds: the folds without it have no score, which says enough.
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        parts = list(splitter.split(rows[:, None], positive, groups[rows].astype(str)))
    return [Fold(rows[fit], rows[score]) for fit, score in parts]
