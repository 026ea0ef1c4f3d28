"""What lies ahead of a row, cut into periods: who was at risk in which, and who ended in it.

A row is at risk in every period after its observation, up to the one that it ends in, as far as each was
watched to its end (Singer and Willett 1993). An item that is still open teaches all that it has lived
through, and nothing is taken for the truth before it could be known. Periods are counted from the observation
and not from the start: what was seen just now says most of the next days, whatever the age (van Houwelingen
2007). Ends are rare among the rows at risk: a draw keeps them and weighs the others (King and Zeng 2001), and
so teaches more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ml.data.outcomes import Outcomes

Values = NDArray[np.float64]
# What a learner is told of a period, beside the features of the row: its begin, and the age that the item has
# then; so often that hardly a tree that draws a few of the columns has neither.
REPEATS = 6
PERIOD_FEATURES = ("period_begin_days", "period_age_days") * REPEATS


@dataclass(frozen=True, eq=False)
class AtRisk:
    """Rows at risk in a period, and whether they ended in it.

    Parameters
    ----------
    row : ndarray of int, shape (m,)
        Position of the row among those of the dataset.
    period : ndarray of int, shape (m,)
    ended : ndarray, shape (m,)
        1 or 0.
    stands_for : ndarray, shape (m,)
        Rows at risk that each stands for, itself and those that were not drawn.
    """

    row: NDArray[np.intp]
    period: NDArray[np.intp]
    ended: Values
    stands_for: Values


def at_risk(rows: NDArray[np.bool_], age: Values, outcomes: Outcomes, edges: Sequence[float]) -> AtRisk:
    """Return every period that a row was at risk in after it was observed, and that was watched to its end.

    Parameters
    ----------
    rows : ndarray of bool, shape (n,)
        The rows in use.
    age : ndarray, shape (n,)
        Days from the item's start to the observation.
    outcomes : Outcomes
        As known at the cut that learning stops at; what ended early counts as watched like its open siblings.
    edges : sequence of float
        Days from the observation, ascending from 0: between two neighbours is a period.
    """
    life = np.where(outcomes.known, outcomes.hours, np.inf) / 24.0 - age
    watched = outcomes.age / 24.0 - age
    chosen = np.flatnonzero(rows)
    rows_of, periods, ends = [], [], []
    for number, (begin, end) in enumerate(pairwise(edges)):
        seen = (life[chosen] > begin) & (watched[chosen] >= end)
        own = chosen[seen]
        rows_of.append(own)
        periods.append(np.full(len(own), number))
        ends.append((life[own] <= end).astype(np.float64))
    ended = np.concatenate(ends)
    return AtRisk(np.concatenate(rows_of), np.concatenate(periods), ended, np.ones(len(ended)))


def drawn(found: AtRisk, limit: int, seed: int) -> AtRisk:
    """Return at most ``limit`` of the rows at risk in their order, drawn by the seed: those that ended first.

    At most half of them are ends. What is drawn of each class stands for the rest of it.
    """
    if len(found.row) <= limit:
        return found
    rng, ended = np.random.default_rng(seed), found.ended > 0
    ends = min(int(ended.sum()), max(1, limit // 2))
    stands_for = np.zeros(len(ended))
    for rows, room in ((np.flatnonzero(ended), ends), (np.flatnonzero(~ended), limit - ends)):
        n = min(room, len(rows))
        stands_for[rng.choice(rows, n, replace=False)] = len(rows) / max(n, 1)
    kept = np.flatnonzero(stands_for)
    return AtRisk(found.row[kept], found.period[kept], found.ended[kept], stands_for[kept])


def with_period(x: NDArray[np.float32], age: Values, begin: Values) -> NDArray[np.float32]:
    """Return encoded rows, shape (m, d), with the columns of `PERIOD_FEATURES` behind them."""
    told = np.empty((len(x), x.shape[1] + len(PERIOD_FEATURES)), dtype=np.float32)
    told[:, : x.shape[1]] = x
    tell_period(told, age, begin)
    return told


def tell_period(told: NDArray[np.float32], age: Values, begin: Values | float) -> None:
    """Write another period into rows that have one, as `with_period` does: the rows stay where they are."""
    told[:, -len(PERIOD_FEATURES) :: 2] = np.broadcast_to(begin, age.shape)[:, None]
    told[:, -len(PERIOD_FEATURES) + 1 :: 2] = (begin + age)[:, None]
