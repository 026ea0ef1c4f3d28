"""Splits that never tear a group apart: consecutive parts in time, rolling folds, stratified folds.

What a label may be used for is decided by ``labelled_at`` alone: known before the next part begins, or not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.data.dataset import Dataset
from ml.data.splits import Split
from ml.errors import TooLittleDataError

Rows = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Fold:
    """Rows to fit on and rows to score, as positions in the dataset's items."""

    fit: Rows
    score: Rows


def split_by_groups(dataset: Dataset, validation: float = 5, test: float = 6) -> Split:
    """Split whole groups into consecutive parts by the time at which each group began.

    Parameters
    ----------
    dataset : Dataset
    validation, test : float
        Numbers of groups; below 1, shares of all groups. A test of 0 leaves no test part.

    Returns
    -------
    Split
        A training label counts when known before the first validation group began, a validation label
        when known before the first test group began; every given label of the last part counts.

    Raises
    ------
    TooLittleDataError
        When the groups are too few for the parts asked for.
    """
    order, rank = _groups_in_time(dataset)
    counts = {"validation": _count(validation, len(order)), "test": _count(test, len(order))}
    n_train = len(order) - sum(counts.values())
    if counts["validation"] < 1 or counts["test"] < 0 or n_train < 1:
        raise TooLittleDataError(
            f"The {len(order)} groups are too few for {validation:g} validation and {test:g} test groups, "
            "with one or more for training and for validation: lower the numbers."
        )
    first_test = n_train + counts["validation"]
    part = np.where(rank >= first_test, "test", np.where(rank >= n_train, "validation", "train"))
    start = dataset.items["event_at"].to_numpy("datetime64[us]")
    end = dataset.labels["observed_until"].max().to_datetime64().astype("datetime64[us]")
    test_cut = start[rank >= first_test].min() if counts["test"] else end
    validation_cut = start[rank >= n_train].min()
    cut = np.where(part == "train", validation_cut, np.where(part == "validation", test_cut, end))
    labels = dataset.row_labels()
    given = ~labels["is_censored"].to_numpy()
    is_last = part == ("test" if counts["test"] else "validation")
    known = given & (is_last | (labels["labelled_at"].to_numpy("datetime64[us]") < cut))
    n = len(part)
    return Split(
        part=part,
        timeline=np.full(n, "(all)", dtype=object),
        validation_cut=np.full(n, validation_cut),
        test_cut=np.full(n, test_cut),
        cut=cut,
        known=known,
    )


def known_before_test(dataset: Dataset, split: Split) -> NDArray[np.bool_]:
    """Return the mask of training and validation rows whose label was known when the test part began."""
    labels = dataset.row_labels()
    in_time = labels["labelled_at"].to_numpy("datetime64[us]") < split.test_cut
    if not split.rows("test").any():
        in_time = np.full(len(in_time), True)
    return split.rows("train", "validation") & ~labels["is_censored"].to_numpy() & in_time


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
    _, rank = _groups_in_time(dataset)
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
        When there are fewer groups than folds.
    ValueError
        When there are fewer than 2 folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    n_groups = len(np.unique(groups[rows].astype(str)))
    if not 2 <= folds <= n_groups:
        error = ValueError if folds < 2 else TooLittleDataError
        raise error(f"{folds} folds of {n_groups} groups cannot be made: choose 2 to {n_groups} folds.")
    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    parts = splitter.split(rows[:, None], (y[rows] > 0).astype(int), groups[rows].astype(str))
    return [Fold(rows[fit], rows[score]) for fit, score in parts]


def _groups_in_time(dataset: Dataset) -> tuple[list[str], NDArray[np.intp]]:
    """Return the groups by the time of their first row, and every row's position in that order."""
    names = pd.Series(dataset.groups("group_id"))
    begins = dataset.items["event_at"].groupby(names).min().reset_index(name="begin")
    begins.columns = pd.Index(["name", "begin"])
    order = begins.sort_values(["begin", "name"], kind="stable")["name"].tolist()
    return order, pd.Index(order).get_indexer(pd.Index(names))


def _count(wanted: float, groups: int) -> int:
    if wanted < 0 or (wanted >= 1 and wanted != int(wanted)):
        raise ValueError(f"A number of groups is whole, or a share below 1, not {wanted}: correct it.")
    return round(wanted * groups) if wanted < 1 else int(wanted)
