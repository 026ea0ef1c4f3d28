"""Which features look like leaks: each is compared with the outcome over time, and suspects get evidence.

The copies that `ml.data.leaks.copies` refuses are certain; what is named here is worth a look. Rows are
compared with their neighbours in time, so that neither a trend nor a season passes for skill, and what is
found must be gone when the feature is shuffled within periods. Of texts it looks at their presence and at
numbers and dates in them, not at the words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.data.columns import Kind, kind_of
from ml.data.contract import conform, is_feature
from ml.data.leaks.copies import (
    ENOUGH_PAIRS,
    ENOUGH_ROWS,
    FEW_LEVELS,
    OUTCOME_NAMES,
    TIME_UNITS,
    copies,
    follows,
    neighbours,
    readings,
    signs,
)
from ml.errors import TooLittleDataError
from ml.stats.bootstrap import hashed_half
from ml.stats.ranks import Places, places, rank_correlation

# A gap or a level matters when it tells so many of the pairs apart.
SHARE_TOLD = 0.1
# By so much more a feature follows the time watched among open items than among those that ended. Survival
# alone makes what is honest and strong follow it by .3 to .5: what is open for long is one of the slow.
GROWS = 0.6
# Skill, as a share of pairs in order, that is lost when the value of the row before is taken.
VANISHES = 0.15
PERIODS, SHUFFLES = 12, 20

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]
Pairs = tuple[NDArray[np.intp], NDArray[np.intp], Values]


@dataclass(frozen=True)
class _Limit:
    """What one honest feature does not reach: a share of all pairs, ties counting half, and of the untied."""

    of_all: float
    of_untied: float
    enough: int


# Honest features put up to .74 of the untied pairs of durations in order, and tell .83 of late ends from
# items still open, by chance more where few are open. Of 0 and 1 they order .94 of all pairs; and that who
# never did a thing will not do it now holds for .993 of the untied.
DURATION, END, BINARY = _Limit(0.85, 0.85, 200), _Limit(0.9, 0.98, 60), _Limit(0.97, 0.998, 400)


@dataclass(frozen=True)
class _Comparison:
    """Pairs of rows that differ in one fact of the end, its rank from 0 to 1, and the words for it."""

    rank: Values
    pairs: Pairs
    limit: _Limit
    words: str


def suspects(items: pd.DataFrame, labels: pd.DataFrame) -> dict[str, list[str]]:
    """Return the features that look like leaks, each with its evidence.

    Parameters
    ----------
    items, labels : DataFrame
        See `ml.data.dataset.Dataset`; the labels ``y`` are hours, or 0 and 1.

    Raises
    ------
    ValueError
        When the frames break the contract.
    TooLittleDataError
        When there is no feature, or no two different known labels to compare it with.
    """
    items, labels = conform(items, labels)
    features = {name: kind_of(items[name]) for name in items.columns if is_feature(name)}
    if not features:
        raise TooLittleDataError("The items have no feature column: add at least one to be audited.")
    outcome = _Outcome(items, labels)
    certain = copies(items, features, outcome.y, outcome.start)
    found: dict[str, list[str]] = {}
    for name, kind in features.items():
        evidence = [certain[name]] if name in certain else []
        if name in OUTCOME_NAMES | set(labels.columns):
            evidence.append("is named like the label or another fact of the end")
        evidence += outcome.evidence(items[name], kind)
        if evidence:
            found[name] = evidence
    return found


class _Outcome:
    """What is known of the end of n rows, and the pairs of rows by which features are compared with it."""

    def __init__(self, items: pd.DataFrame, labels: pd.DataFrame) -> None:
        position = pd.Index(labels["item_id"]).get_indexer(pd.Index(items["item_id"]))
        labels = labels.iloc[position].reset_index(drop=True)
        at = items["event_at"]
        self.start = items.groupby("item_id")["event_at"].transform("min").to_numpy("datetime64[us]")
        self.item = pd.factorize(items["item_id"])[0]
        self.half = hashed_half(items["item_id"].astype(str).to_numpy())
        self.hours = (at - at.min()).to_numpy() / np.timedelta64(1, "h")
        self.time = places(self.hours)
        by_time = np.argsort(self.time, kind="stable")
        self.period = np.empty(len(items), dtype=np.intp)
        self.period[by_time] = np.arange(len(items)) * PERIODS // len(items)
        is_open = labels["is_censored"].to_numpy()
        self.y = labels["y"].where(~is_open).to_numpy(float)
        levels = np.unique(self.y[~np.isnan(self.y)])
        if len(levels) < 2:
            raise TooLittleDataError(
                "There are no two different known labels: give both, for features are compared with them."
            )
        self.is_binary = set(levels) == {0.0, 1.0}
        # That an item has lasted until a later row of it is known there; what is still to come is not.
        age = (at.to_numpy("datetime64[us]") - self.start) / np.timedelta64(1, "h")
        left = self.y if self.is_binary else self.y - age
        self.left = np.where(left >= 0, left, np.nan)
        self.watched = (labels["observed_until"] - at).to_numpy() / np.timedelta64(1, "h")
        self.open = is_open & (self.watched > 0)
        self.watched_place = places(self.watched)
        self.comparisons = list(self._comparisons())
        self.before = self._rows_before()
        self.later_pairs = self._pairs(np.where(self.before >= 0, self.left, np.nan))

    def _comparisons(self) -> Iterator[_Comparison]:
        if self.is_binary:
            yield self._comparison(self.left, BINARY, "puts 0 and 1 in order")
            return
        yield self._comparison(self.left, DURATION, "puts the durations in order")
        # Honest features see little difference between a late end and none yet: a fact of the end sees all.
        middle = pd.Series(self.left).groupby(self.period).transform("median").to_numpy()
        ended = np.where(self.open, 0.0, np.where(self.left > middle, 1.0, np.nan))
        yield self._comparison(ended, END, "tells late ends from items still open")

    def _comparison(self, target: Values, limit: _Limit, words: str) -> _Comparison:
        rank = np.asarray(pd.Series(target).rank(pct=True))
        return _Comparison(rank, self._pairs(target), limit, words)

    def _pairs(self, target: Values) -> Pairs:
        rows = np.flatnonzero(~np.isnan(target))
        if len(rows) < 2:
            return np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0)
        by_time = np.argsort(self.time[rows], kind="stable")
        left, right, direction = neighbours(target[rows], self.period[rows], by_time)
        left, right = rows[left], rows[right]
        apart = self.item[left] != self.item[right]
        return left[apart], right[apart], direction[apart]

    def _rows_before(self) -> NDArray[np.intp]:
        """Return for every row the one before it of the same item, or -1."""
        order = np.lexsort((self.hours, self.item))
        same = self.item[order[1:]] == self.item[order[:-1]]
        before = np.full(len(order), -1, dtype=np.intp)
        before[order[1:][same]] = order[:-1][same]
        return before

    def evidence(self, column: pd.Series, kind: Kind) -> list[str]:
        """Return in words what makes the feature a suspect, if anything."""
        read = [(values, places(values), words) for values, words in readings(column, kind)]
        views = [view for reading in read for view in self._views(*reading)]
        given = column.notna().to_numpy()
        if not given.all():
            views.append((given.astype(float), "by having a value at all "))
        codes = read[0][1] + 1 if kind == "number" else pd.factorize(column, use_na_sentinel=False)[0]
        has_levels = kind == "category" or codes.max() < FEW_LEVELS
        found = []
        for comparison in self.comparisons:
            is_leveled = has_levels and len(comparison.pairs[0])
            by_level = [(self._levels(codes, comparison.rank), "by its levels ")] if is_leveled else []
            said = (self._told(values, comparison, words) for values, words in views + by_level)
            found.append(next(filter(None, said), ""))
        if kind == "number":
            found += [self._grows(read[0][1]), self._vanishes(read[0][0])]
        return [said for said in found if said]

    def _views(self, values: Values, place: Places, words: str) -> Iterator[tuple[Values, str]]:
        yield values, words
        if follows(place, self.time):
            for unit in TIME_UNITS:
                yield values - unit * self.hours, f"{words}less the time of its row "

    def _levels(self, codes: Places, rank: Values) -> Values:
        """Return per row the mean rank of the target at its level among the items of the other half."""
        known = ~np.isnan(rank)
        values = np.full(len(codes), rank[known].mean())
        for half in (self.half, ~self.half):
            seen = half & known
            counts = np.bincount(codes[seen], minlength=codes.max() + 1)[codes]
            sums = np.bincount(codes[seen], rank[seen], minlength=codes.max() + 1)[codes]
            told = ~half & (counts > 0)
            values[told] = sums[told] / counts[told]
        return values

    def _told(self, values: Values, comparison: _Comparison, reading: str) -> str:
        limit, pairs = comparison.limit, comparison.pairs
        share, untied, n = _in_order(values, pairs)
        if untied < max(limit.enough, SHARE_TOLD * len(pairs[0])):
            return ""
        of_all = 0.5 + abs(share - 0.5)
        of_untied = 0.5 + (of_all - 0.5) * n / untied
        if of_all < limit.of_all and of_untied < limit.of_untied:
            return ""
        chance = self._by_chance(values, pairs)
        if of_all <= chance:
            return ""
        return (
            f"{reading}alone {comparison.words}: {of_all:.1%} of {n:,} pairs of neighbours in time, "
            f"{of_untied:.1%} of the {untied:,} that differ in it; "
            f"shuffled within periods at most {chance:.1%}"
        )

    def _by_chance(self, values: Values, pairs: Pairs) -> float:
        """Return the largest share in order, either way, when the feature is shuffled within periods."""
        random, largest = np.random.default_rng(0), 0.5
        by_period = np.argsort(self.period, kind="stable")
        for _ in range(SHUFFLES):
            shuffled = np.empty(len(values))
            shuffled[by_period] = values[np.lexsort((random.random(len(values)), self.period))]
            share = _in_order(shuffled, pairs)[0]
            largest = max(largest, share, 1 - share)
        return largest

    def _grows(self, place: Places) -> str:
        """Say whether the feature knows how long an open item was watched, beyond what its start tells."""
        if self.is_binary:
            return ""
        of_open = self._follows_watching(place, self.open)
        of_ended = self._follows_watching(place, ~np.isnan(self.left))
        if of_open < GROWS or of_open - of_ended < GROWS:
            return ""
        return (
            f"grows with the time that open items were watched: rank correlation {of_open:.2f}, "
            f"and {of_ended:.2f} with the same time among items that ended"
        )

    def _follows_watching(self, place: Places, rows: Mask) -> float:
        """Return the rank correlation with the time watched; 0 on too few rows."""
        rows = rows & (place >= 0)
        if rows.sum() < ENOUGH_ROWS:
            return 0.0
        return rank_correlation(place[rows], self.watched_place[rows])

    def _vanishes(self, values: Values) -> str:
        """Say whether the skill is gone when the value is taken as of the item's row before."""
        if len(self.later_pairs[0]) < ENOUGH_PAIRS:
            return ""
        now, then = (
            0.5 + abs(_in_order(taken, self.later_pairs)[0] - 0.5) for taken in (values, values[self.before])
        )
        if now - then < VANISHES:
            return ""
        return f"puts {now:.1%} of pairs in order, and as of the row before of the same item {then:.1%}"


def _in_order(values: Values, pairs: Pairs) -> tuple[float, int, int]:
    """Return the share of pairs in order, ties counting half, how many are untied, and how many there are."""
    left, right, direction = pairs
    kept = signs(values, left, right) * direction
    kept = kept[~np.isnan(kept)]
    if not len(kept):
        return 0.5, 0, 0
    return float(0.5 + kept.mean() / 2), int(np.abs(kept).sum()), len(kept)
