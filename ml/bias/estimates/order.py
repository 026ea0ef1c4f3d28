"""How well a score orders the rows of every slice, and of its complement, in every resample at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.bias.estimates.cells import Floats
from ml.bias.slices.membership import Membership

# Numbers in one block of ties and resamples: a few such arrays fit into a small machine's memory.
_BLOCK = 1 << 20


@dataclass(frozen=True)
class OrderFigures:
    """Arrays of shape (slices, columns of the weights); NaN where a class has no weight."""

    auc: Floats
    rest_auc: Floats
    average_precision: Floats


def order_figures(
    membership: Membership, positive: NDArray[np.bool_], score: Floats, weights: NDArray[np.uint8]
) -> OrderFigures:
    """Area under the ROC curve inside and outside of every slice, and average precision inside.

    Parameters
    ----------
    membership : Membership
        Its matrix has the shape (slices, rows).
    positive : array of bool, shape (rows,)
    score : array, shape (rows,)
        Higher is more likely positive; ties count half (AUC) or as one step (average precision).
    weights : array of uint8, shape (rows, columns)

    Notes
    -----
    The AUC counts the pairs of a positive and a negative row that are in order (Mann & Whitney 1947). Those
    outside of a slice are all pairs, minus those with the slice's positives, minus those with its
    negatives, plus those with both: so the complement costs no more than the slice.
    """
    _, level = np.unique(score, return_inverse=True)
    ties = _Ties.of(membership, level)
    blocks = [_block(ties, positive, level, drawn) for drawn in _columns(weights, len(ties.row))]
    parts = [np.concatenate(columns, axis=1) for columns in zip(*blocks, strict=True)]
    figures = np.full((3, len(membership.slice), weights.shape[1]), np.nan)
    figures[:, ties.slices] = parts
    return OrderFigures(*figures)


@dataclass(frozen=True)
class _Ties:
    """The (slice, row) pairs ordered by slice and score: ``row`` of each, where each run of equal scores
    starts and its level, and where each of the ``slices`` with rows starts among the runs.
    """

    row: NDArray[np.intp]
    first: NDArray[np.intp]
    level: NDArray[np.intp]
    slices: NDArray[np.intp]
    start: NDArray[np.intp]

    @classmethod
    def of(cls, membership: Membership, level: NDArray[np.intp]) -> _Ties:
        key = membership.slice_of_pair * (level.max() + 1) + level[membership.matrix.indices]
        order = np.argsort(key, kind="stable")
        ordered = key[order]
        first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        owner, levels = np.divmod(ordered[first], level.max() + 1)
        start = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
        return cls(membership.matrix.indices[order], first, levels, owner[start], start)

    def within(self, values: Floats) -> Floats:
        """Running sum of runs before each one, within its slice."""
        before = np.cumsum(values, axis=0) - values
        length = np.diff(np.r_[self.start, len(self.level)])
        return before - np.repeat(before[self.start], length, axis=0)

    def total(self, values: Floats) -> Floats:
        """Sum over each slice's runs."""
        return np.add.reduceat(values, self.start, axis=0)


def _columns(weights: NDArray[np.uint8], size: int) -> Iterator[Floats]:
    width = max(1, _BLOCK // max(size, 1))
    for start in range(0, weights.shape[1], width):
        yield weights[:, start : start + width].astype(np.float64)


def _block(
    ties: _Ties, positive: NDArray[np.bool_], level: NDArray[np.intp], drawn: Floats
) -> tuple[Floats, Floats, Floats]:
    hits, others = np.where(positive[:, None], drawn, 0.0), np.where(positive[:, None], 0.0, drawn)
    p, q = (np.add.reduceat(values[ties.row], ties.first, axis=0) for values in (hits, others))
    n_p, n_q = ties.total(p), ties.total(q)
    length = np.diff(np.r_[ties.start, len(ties.level)])
    inside = ties.total(p * (ties.within(q) + q / 2))

    # All rows as one slice: how many negatives each level has below it, and positives above it.
    levels = level.max() + 1
    by_level = np.argsort(level, kind="stable")
    starts = np.searchsorted(level[by_level], np.arange(levels))
    all_p, all_q = (np.add.reduceat(values[by_level], starts, axis=0) for values in (hits, others))
    below = np.cumsum(all_q, axis=0) - all_q / 2
    above = all_p.sum(axis=0) - np.cumsum(all_p, axis=0) + all_p / 2
    touched = ties.total(p * below[ties.level] + q * above[ties.level])
    outside = (all_p * below).sum(axis=0) - touched + inside

    reached = np.repeat(n_p, length, axis=0) - ties.within(p)
    seen = reached + np.repeat(n_q, length, axis=0) - ties.within(q)
    with np.errstate(divide="ignore", invalid="ignore"):
        pairs, rest = n_p * n_q, (all_p.sum(axis=0) - n_p) * (all_q.sum(axis=0) - n_q)
        auc = np.where(pairs > 0, inside / pairs, np.nan)
        rest_auc = np.where(rest > 0, outside / rest, np.nan)
        precision = np.where(seen > 0, reached / seen, 0.0)
        average = np.where(n_p > 0, ties.total(p * precision) / n_p, np.nan)
    return auc, rest_auc, average
