"""The split in time: consecutive training, validation and test parts, and what was known at each cut.

Two policies: shares of every timeline, by its items or by whole groups; or numbers of whole groups of one
common timeline.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.data.dataset import Dataset
from ml.data.outcomes import Outcomes, known_at, outcomes_at
from ml.errors import TooLittleDataError

logger = logging.getLogger(__name__)

PARTS = ("train", "validation", "test")
POOLED = "(pooled)"


@dataclass(frozen=True, eq=False)
class Split:
    """The part of every row of a dataset, and the time to which its label may be known.

    Parameters
    ----------
    part : ndarray of str, shape (n,)
        "train", "validation", "test", or "none" of rows that nothing can be learned or judged by.
    timeline : ndarray of object, shape (n,)
        The group on whose timeline the row was split.
    validation_cut, test_cut : ndarray of datetime64[us], shape (n,)
        Start of the validation and of the test part on the row's timeline.
    cut : ndarray of datetime64[us], shape (n,)
        Labels count only when known before this time: the next part's start; for test rows the end of
        observation.
    known : ndarray of bool, shape (n,)
        Whether the row's label is known at its cut.
    """

    part: NDArray[np.str_]
    timeline: NDArray[np.object_]
    validation_cut: NDArray[np.datetime64]
    test_cut: NDArray[np.datetime64]
    cut: NDArray[np.datetime64]
    known: NDArray[np.bool_]

    def rows(self, *parts: str) -> NDArray[np.bool_]:
        """Return the mask of the rows in any of ``parts``."""
        return np.isin(self.part, parts)

    def middle_of_training(self, dataset: Dataset) -> NDArray[np.datetime64]:
        """Return for every row the time at which half of its timeline's training rows had begun."""
        start = dataset.first_times()
        middle = self.validation_cut.copy()
        for line in np.unique(self.timeline.astype(str)):
            times = np.sort(start[(self.timeline == line) & self.rows("train")])
            if len(times):
                middle[self.timeline == line] = times[len(times) // 2]
        return middle

    def outcomes(self, dataset: Dataset) -> Outcomes:
        """Return what is known of every row at its own part's cut."""
        return outcomes_at(dataset, self.cut, is_last=self.part == "test")

    def outcomes_for_refit(self, dataset: Dataset) -> Outcomes:
        """Return what is known of training and validation rows at the start of the test part."""
        cut = np.where(self.part == "test", self.cut, self.test_cut)
        return outcomes_at(dataset, cut, is_last=self.part == "test")


def split_by_time(
    dataset: Dataset,
    validation: float = 0.1,
    test: float = 0.2,
    min_labels: int = 10,
    *,
    whole_groups: bool = False,
    cuts: tuple[np.datetime64, np.datetime64] | None = None,
    is_common: bool = False,
) -> Split:
    """Split every timeline of the dataset into consecutive parts by the items' first observation time.

    Parameters
    ----------
    dataset : Dataset
    validation, test : float
        Shares of the items of each timeline; the rest, the earliest, is for training.
    min_labels : int
        Timelines with fewer known labels are pooled into one common timeline.
    whole_groups : bool
        Keep the rows of a ``group_id`` in one part: the group counts as begun with its earliest item, so that
        a part begins with the groups in it, and nothing learned before it is later than its first row.
    cuts : tuple of datetime64 or None
        When the validation and the test part begin, on every timeline; in place of the shares.
    is_common : bool
        All items are on one timeline, whatever the domain says.

    Raises
    ------
    TooLittleDataError
        When a part would hold no known label.
    ValueError
        When a share is out of range, or a group on several timelines or an item in several groups is torn.
    """
    if not (0 < validation < 1 and 0 < test < 1 and validation + test < 1):
        raise ValueError(
            f"Shares must be above 0 and sum to less than 1, not {validation} and {test}: lower them."
        )
    start = dataset.first_times()
    if whole_groups:
        start = pd.Series(start).groupby(dataset.groups("group_id")).transform("min").to_numpy(start.dtype)
    if cuts is not None and not cuts[0] < cuts[1]:
        raise ValueError(f"The test part from {cuts[1]} must begin after the validation part from {cuts[0]}.")
    timeline = dataset.groups(None) if is_common else _pool_small(dataset, min_labels)
    n = len(start)
    validation_cut = np.empty(n, dtype="datetime64[us]")
    test_cut = np.empty(n, dtype="datetime64[us]")
    firsts = pd.DataFrame({"item": dataset.items["item_id"], "line": timeline, "start": start})
    for line, group in firsts.groupby("line", sort=True):
        times = np.sort(group.groupby("item")["start"].min().to_numpy("datetime64[us]"))
        rows = timeline == line
        if cuts is not None:
            validation_cut[rows], test_cut[rows] = cuts
            continue
        # An item at the cut belongs to the later part: equal times are never torn apart.
        validation_cut[rows] = times[min(len(times) - 1, round(len(times) * (1 - validation - test)))]
        test_cut[rows] = times[min(len(times) - 1, round(len(times) * (1 - test)))]
    part = np.where(start >= test_cut, "test", np.where(start >= validation_cut, "validation", "train"))
    if whole_groups:
        _refuse_torn(dataset, part)
    split = _known_parts(dataset, part, timeline, validation_cut, test_cut)
    counts = {name: int((split.known & (part == name)).sum()) for name in PARTS}
    if min(counts.values()) < 2:
        raise TooLittleDataError(
            f"The split by time leaves too few known labels ({counts}): "
            "give more items, a longer history or larger shares."
        )
    return split


def date_of(text: str) -> np.datetime64:
    """Return the time that an ISO 8601 text names, UTC; ValueError when it names none."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no date: write it as 2024-01-31.") from None
    if when.tzinfo is not None:
        raise ValueError(f"The date {text} has a time zone: give it in UTC, without one.")
    return np.datetime64(when, "us")


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
        A group without any known label, which waits to be scored, is in no part. A training label counts
        when known before the first validation group began, a validation label when known before the first
        test group began; every given label of the last part counts.

    Raises
    ------
    TooLittleDataError
        When the groups are too few for the parts asked for.
    """
    order, rank = groups_in_time(dataset)
    is_labelled = ~dataset.row_labels()["is_censored"].groupby(rank).transform("all").to_numpy(bool)
    places = np.unique(rank[is_labelled])
    order = [order[place] for place in places]
    # Groups without a label take no place: the row of one gets that of the next labelled group, and no part.
    rank = np.searchsorted(places, rank)
    counts = {"validation": _count(validation, len(order)), "test": _count(test, len(order))}
    n_train = len(order) - sum(counts.values())
    if counts["validation"] < 1 or counts["test"] < 0 or n_train < 1:
        raise TooLittleDataError(
            f"The {len(order)} groups are too few for {validation:g} validation and {test:g} test groups, "
            "with one or more for training and for validation: lower the numbers."
        )
    first_test = n_train + counts["validation"]
    part = np.where(rank >= first_test, "test", np.where(rank >= n_train, "validation", "train"))
    part = np.where(is_labelled, part, "none")
    start = dataset.items["event_at"].to_numpy("datetime64[us]")
    n, end = len(part), dataset.labels["observed_until"].max().to_datetime64().astype("datetime64[us]")
    test_cut = start[part == "test"].min() if counts["test"] else end
    return _known_parts(
        dataset,
        part,
        timeline=dataset.groups(None),
        validation_cut=np.full(n, start[np.isin(part, ("validation", "test"))].min()),
        test_cut=np.full(n, test_cut),
    )


def groups_in_time(dataset: Dataset) -> tuple[list[str], NDArray[np.intp]]:
    """Return the groups by the time of their first row, and every row's position in that order."""
    names = pd.Series(dataset.groups("group_id"))
    begins = dataset.items["event_at"].groupby(names).min().reset_index(name="begin")
    begins.columns = pd.Index(["name", "begin"])
    order = begins.sort_values(["begin", "name"], kind="stable")["name"].tolist()
    return order, pd.Index(order).get_indexer(pd.Index(names))


def _known_parts(
    dataset: Dataset,
    part: NDArray[np.str_],
    timeline: NDArray[np.object_],
    validation_cut: NDArray[np.datetime64],
    test_cut: NDArray[np.datetime64],
) -> Split:
    """Return the split with every row's own cut, and what was known at it."""
    end = _watched_until(dataset)
    cut = np.where(part == "train", validation_cut, np.where(part == "validation", test_cut, end))
    last = "test" if (part == "test").any() else "validation"
    known = known_at(dataset, cut, is_last=part == last)
    return Split(part, timeline, validation_cut, test_cut, cut, known)


def _count(wanted: float, groups: int) -> int:
    if wanted < 0 or (wanted >= 1 and wanted != int(wanted)):
        raise ValueError(f"A number of groups is whole, or a share below 1, not {wanted}: correct it.")
    return round(wanted * groups) if wanted < 1 else int(wanted)


def _refuse_torn(dataset: Dataset, part: NDArray[np.str_]) -> None:
    for column, where in (("group_id", "timelines"), ("item_id", "groups")):
        parts = pd.Series(part).groupby(dataset.groups(column)).nunique()
        if (parts > 1).any():
            raise ValueError(
                f"The rows of the {column} {parts.idxmax()!r} are in {where} of different parts: "
                "keep them together."
            )


def _watched_until(dataset: Dataset) -> NDArray[np.datetime64]:
    """Return the end of observation of every row's group.

    A closed item may be stored as observed until its own end; the group's last observation says how long
    it would have been watched had it stayed open, which decides what horizons it can answer.
    """
    observed = dataset.row_labels()["observed_until"]
    return (
        observed.groupby(dataset.groups(dataset.config.timeline)).transform("max").to_numpy("datetime64[us]")
    )


def _pool_small(dataset: Dataset, min_labels: int) -> NDArray[np.object_]:
    """Return the timeline of every row, with the timelines of few known labels under one name."""
    timeline = dataset.groups(dataset.config.timeline)
    # An item's first row decides: its group must not change with the observation time.
    timeline = np.asarray(
        pd.Series(timeline).groupby(dataset.items["item_id"]).transform("first"), dtype=object
    )
    labels = dataset.row_labels()
    first = ~dataset.items["item_id"].duplicated().to_numpy()
    is_known = ~labels["is_censored"].to_numpy() & first
    counts = pd.Series(is_known).groupby(timeline).sum()
    small = counts.index[counts < min_labels]
    if len(small) == 0 or len(counts) == 1:
        return timeline
    logger.warning("%d timelines with fewer than %d known labels are split together.", len(small), min_labels)
    return np.where(np.isin(timeline, list(small)), POOLED, timeline)
