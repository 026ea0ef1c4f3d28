"""Who gets the attention: the exposure of ranked items, and that of the order that their grades deserve."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.stats.rank_metrics import Grouping


def attention(lists: Grouping, score: NDArray[np.float64], places: int | None = None) -> NDArray[np.float64]:
    """Attention that every row gets in its list: 1 / log2(1 + rank), none beyond the first ``places``.

    Rows with equal scores share alike, so that the order of the rows decides nothing (Singh & Joachims
    2018). Of the score that is the grade itself it is the target: what an order by merit would give, alike
    to rows of equal merit (Diaz et al. 2020, "expected exposure").
    """
    rank = lists.places(score)
    given = 1 / np.log2(2.0 + rank)
    if places is not None:
        given[rank >= places] = 0
    tie = tied(lists, score)
    return (np.bincount(tie, weights=given) / np.bincount(tie))[tie]


def tied(lists: Grouping, score: NDArray[np.float64]) -> NDArray[np.intp]:
    """Number of every row's tie: rows of one list with equal scores have the same."""
    _, level = np.unique(score, return_inverse=True)
    return pd.factorize(lists.codes * (level.max(initial=0) + 1) + level)[0]


def attention_of_places(places: int) -> float:
    """Mean attention of a place, weighted by attention: the unit in which shares of it are noisy."""
    given = 1 / np.log2(np.arange(places) + 2.0)
    return float((given**2).sum() / given.sum())


def gini_of_segments(
    amounts: NDArray[np.float64], segment: NDArray[np.intp], sizes: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Gini (1912) of each segment's amounts in each column; NaN where nobody has anything.

    Parameters
    ----------
    amounts : array, shape (n, r)
        Not negative.
    segment : array of int, shape (n,)
        From 0, in ascending order, each at least once.
    sizes : array of int, shape (segments,)
        Number of all who could have something; those without a row have nothing.

    Returns
    -------
    array, shape (segments, r)
    """
    start = np.flatnonzero(np.r_[True, segment[1:] != segment[:-1]])
    rows = np.diff(np.r_[start, len(segment)])
    apart = (segment * (amounts.max(initial=0) + 1))[:, None]
    ordered = np.sort(amounts + apart, axis=0) - apart
    # Those without a row come first.
    place = np.arange(len(segment)) - np.repeat(start + rows - sizes, rows) + 1
    lean = (2 * place - np.repeat(sizes, rows) - 1)[:, None] * ordered
    total = np.add.reduceat(ordered, start, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(total > 0, np.add.reduceat(lean, start, axis=0) / (sizes[:, None] * total), np.nan)
