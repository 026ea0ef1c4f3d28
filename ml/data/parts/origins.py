"""Rolling origins: points of every timeline before the test part, from which what follows is predicted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ml.data.dataset import Dataset
from ml.data.outcomes import Outcomes, outcomes_at
from ml.data.parts.splits import Split

Mask = NDArray[np.bool_]
# Known rows on either side of an origin, below which nothing is learned or judged there.
MIN_ROWS = 50


@dataclass(frozen=True, eq=False)
class Origin:
    """What may be learned at a point of each timeline, and the rows that begin between it and the next.

    Parameters
    ----------
    cut : ndarray of datetime64[us], shape (n,)
        The origin of every row's timeline.
    fit : ndarray of bool, shape (n,)
        Rows observed before it.
    score : ndarray of bool, shape (n,)
        Rows of the items that begin from it on, up to the next origin; the last ones up to the test part.
    learned : Outcomes
        Of all rows, as known at the origin. A horizon's label is defined only for rows that had reached the
        horizon by then: what begins less than the horizon before the origin teaches nothing of it (an embargo
        of exactly the horizon).
    """

    cut: NDArray[np.datetime64]
    fit: Mask
    score: Mask
    learned: Outcomes


def rolling_origins(
    dataset: Dataset,
    split: Split,
    origins: int = 4,
    min_rows: int = MIN_ROWS,
    rows: Mask | None = None,
) -> list[Origin]:
    """Return origins in time on every timeline: within the later half of the training part, then its end.

    The later half of the training part is cut into runs of equally many items, each of which begins with an
    origin; the last origin is the begin of the validation part, whose rows it scores. What is true of the
    scored rows is known later: see `Split.outcomes_for_refit`.

    Parameters
    ----------
    dataset : Dataset
    split : Split
        Made by `split_by_time`.
    origins : int
        1 for the begin of the validation part alone.
    min_rows : int
        Known rows to fit, at the origin, and known rows to score, when the test part begins, that an origin
        within the training part needs; one with fewer is left out.
    rows : ndarray of bool, shape (n,), or None
        The training rows that may be fitted; all when not given.

    Returns
    -------
    list of Origin
        One or more, the earliest first.
    """
    start = dataset.first_times()
    observed = dataset.items["event_at"].to_numpy("datetime64[us]")
    known = split.outcomes_for_refit(dataset).known
    shares = [0.5 + 0.5 * run / (origins - 1) for run in range(origins - 1)]
    cuts = [*cuts_of_training(dataset, split, shares), split.validation_cut, split.test_cut]
    result = []
    for cut, end in pairwise(cuts):
        learned = outcomes_at(dataset, cut, np.zeros(len(start), dtype=bool))
        fit = (start < cut) & (observed < cut) & (True if rows is None else rows)
        score = (start >= cut) & (start < end)
        is_last = end is split.test_cut
        if is_last or min((fit & learned.known).sum(), (score & known).sum()) >= min_rows:
            result.append(Origin(cut, fit, score, learned))
    return result


def cuts_of_training(dataset: Dataset, split: Split, shares: Sequence[float]) -> list[NDArray[np.datetime64]]:
    """Return the times at which such shares of a timeline's training items had begun, shape (n,) each."""
    start = dataset.first_times()
    cuts = [split.validation_cut.copy() for _ in shares]
    for line in np.unique(split.timeline.astype(str)):
        own = split.timeline == line
        times = np.sort(start[own & split.rows("train")])
        for share, cut in zip(shares, cuts, strict=True):
            if len(times):
                cut[own] = times[int(share * len(times))]
    return cuts
