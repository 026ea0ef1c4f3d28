"""Sample weights: by the size of a row's group, by its age, and against what censoring hides."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml.data.outcomes import Outcomes

Weights = NDArray[np.float64]


def group_weights(group: NDArray[np.object_], power: float = 1.0) -> Weights:
    """Return the weight of each row, (N / (groups x size of its group)) to the ``power``.

    Parameters
    ----------
    group : ndarray, shape (n,)
    power : float
        1 gives every group the same total weight, 0 every row; between them the weights are tempered.
    """
    _, code, size = np.unique(group.astype(str), return_inverse=True, return_counts=True)
    return (len(group) / (len(size) * size[code])) ** power


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
    for line in np.unique(timeline.astype(str)):
        rows = np.flatnonzero(timeline.astype(str) == line)
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
    for name in np.unique(group.astype(str)):
        rows = np.flatnonzero(group.astype(str) == name)
        watched = np.sort(outcomes.age[rows])
        known = rows[outcomes.known[rows]]
        longer = 1.0 - np.searchsorted(watched, outcomes.hours[known], side="left") / len(watched)
        weight[known] = 1.0 / np.maximum(longer, 1.0 / cap)
    return weight
