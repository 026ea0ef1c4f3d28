"""Sample weights in time: by a row's age, and against what censoring hides."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.data.outcomes import Outcomes

Weights = NDArray[np.float64]


def recency_weights(
    start: NDArray[np.datetime64], timeline: NDArray[np.object_], half_life: float | None
) -> Weights:
    """Return weights that halve with every ``half_life`` of a timeline's rows, counted back from the newest.

    Parameters
    ----------
    start : ndarray of datetime64, shape (n,)
    timeline : ndarray, shape (n,)
        Rows are ranked within their timeline: eras of different length are treated alike.
    half_life : float or None
        Share of the timeline's rows; None for equal weights.
    """
    weight = np.ones(len(start))
    if half_life is None:
        return weight
    for rows in _rows_of_groups(timeline):
        times = np.sort(start[rows])
        # Equal times get equal ranks, whatever the order of the rows.
        newer = len(rows) - np.searchsorted(times, start[rows], side="right")
        weight[rows] = 0.5 ** (newer / len(rows) / half_life)
    return weight


def censoring_weights(outcomes: Outcomes, group: NDArray[np.object_], cap: float = 10.0) -> Weights:
    """Return the inverse probability, per row, that an end after its hours could have been seen.

    Ends that are known at a cut are short ones above all: a slow item of the last year has no end yet. An
    end after t hours is seen only in rows watched for longer, so each known row stands for 1 / P(watched
    longer than t) rows of its group (Robins and Rotnitzky 1992; Kaplan-Meier is the special case).

    Parameters
    ----------
    outcomes : Outcomes
        Of n rows.
    group : ndarray, shape (n,)
    cap : float
        Largest weight.

    Returns
    -------
    ndarray, shape (n,)
        1 or more for known rows; 1, to be left out, for the others.
    """
    weight = np.ones(len(group))
    for rows in _rows_of_groups(group):
        watched = np.sort(outcomes.age[rows])
        known = rows[outcomes.known[rows]]
        longer = 1.0 - np.searchsorted(watched, outcomes.hours[known], side="left") / len(watched)
        weight[known] = 1.0 / np.maximum(longer, 1.0 / cap)
    return weight


def _rows_of_groups(group: NDArray[np.object_]) -> list[NDArray[np.intp]]:
    """Return the positions of every group's rows, in one sort: names are compared once, not per group."""
    codes, names = pd.factorize(group.astype(str))
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.cumsum(np.bincount(codes, minlength=len(names)))[:-1])
