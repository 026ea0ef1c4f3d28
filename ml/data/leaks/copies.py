"""Features that give the label away: by name, or as a copy of it in another unit, order, type or period.

A copy is told by pairs of rows: whatever was done to the label (unit, sign, logarithm, rank, rounding, an
offset that moves from period to period), two rows of one period keep its order. Honest features do not: one
that correlates with a duration by .9 keeps the order of 86 % of the pairs, a copy that of nearly all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.data.columns import Kind
from ml.stats.ranks import Places, places, rank_correlation

# Facts of an item's end under other names: never features, whatever the label relation is called.
OUTCOME_NAMES = frozenset(
    {
        "closed_at",
        "resolution_hours",
        "business_hours",
        "hours_from_assignment",
        "log_y",
        "target",
        "label",
    }
)

# Share of the pairs, of those that are not tied, which a copy of a duration keeps in order.
COPY = 0.975
# Labels of a few levels are ordered well by honest features too, and so are a few levels by a duration.
EXACT_COPY = 0.9995
FEW_LEVELS = 20
# So many pairs make chance impossible, and more of them tell nothing new.
ENOUGH_PAIRS, MOST_PAIRS = 200, 10_000
NEIGHBOURS = (1, 2, 3)
# Days, hours, seconds, milli-, micro- and nanoseconds in an hour: how the time of an end is written.
TIME_UNITS = (1 / 24, 1.0, 3.6e3, 3.6e6, 3.6e9, 3.6e12)
# A column of fewer values may be in the label's order by chance: 8 values have 40,320 orders.
ENOUGH_VALUES = 8
# What tells all positives from all negatives on so many rows, with so many of each, is no coincidence.
ENOUGH_ROWS, ENOUGH_OF_EACH = 100, 10
# With a threshold of its own in every period, chance has more room.
ENOUGH_PAIRS_WITHIN = 3000
# A text is a number, or a date, in writing when nearly all of them are.
WRITTEN = 0.95
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
DATE = r"^\d{4}-\d{2}-\d{2}"

Values = NDArray[np.float64]
Positions = NDArray[np.intp]


def refuse_outcome_names(features: Sequence[str], label_columns: Sequence[str]) -> None:
    """Refuse features that are named like a label or another fact of an item's end."""
    forbidden = OUTCOME_NAMES | (set(label_columns) - {"item_id"})
    leaked = [name for name in features if name in forbidden]
    if leaked:
        raise ValueError(f"The features contain the labels {leaked}: a model must not see them; drop them.")


def refuse_copies(
    items: pd.DataFrame,
    kinds: Mapping[str, Kind],
    y: Values,
    start: NDArray[np.datetime64],
    periods: Sequence[NDArray[np.object_]] = (),
) -> None:
    """Refuse a feature that gives the label away.

    Parameters
    ----------
    items : DataFrame
        Of n rows.
    kinds : mapping
        The features with what they hold.
    y : ndarray of float, shape (n,)
        The label, NaN where it is not known: durations, grades, or 0 and 1.
    start : ndarray of datetime64, shape (n,)
        When the item of a row began.
    periods : sequence of ndarray, shape (n,)
        Groups that may have an offset of their own, beside the calendar's.

    Raises
    ------
    ValueError
        The sentence names every such feature and the evidence.
    """
    told = copies(items, kinds, y, start, periods)
    if told:
        said = "; ".join(f"the feature {name!r} {evidence}" for name, evidence in told.items())
        verdict = "leaks; drop them" if len(told) > 1 else "a leak; drop it"
        raise ValueError(f"T{said[1:]}: {verdict}.")


def copies(
    items: pd.DataFrame,
    kinds: Mapping[str, Kind],
    y: Values,
    start: NDArray[np.datetime64],
    periods: Sequence[NDArray[np.object_]] = (),
) -> dict[str, str]:
    """Return how each feature that gives the label away does it; otherwise as `refuse_copies`."""
    known = ~np.isnan(y)
    if len(np.unique(y[known])) < 2:
        return {}
    label = _Label(y[known], start[known], [period[known] for period in periods])
    told = {name: label.told_by(items[name][known], kind) for name, kind in kinds.items()}
    return {name: evidence for name, evidence in told.items() if evidence}


class _Label:
    """The known labels of n rows, and the pairs of rows by which a copy of them is told."""

    def __init__(
        self, y: Values, start: NDArray[np.datetime64], periods: Sequence[NDArray[np.object_]]
    ) -> None:
        self.y = y
        self.hours = (start - start.min()) / np.timedelta64(1, "h")
        self.time = places(self.hours)
        self.is_binary = set(np.unique(y)) == {0.0, 1.0}
        self.copy = EXACT_COPY if len(np.unique(y)) < FEW_LEVELS else COPY
        calendar = [start.astype(f"datetime64[{unit}]").astype(np.int64) for unit in ("M", "W", "D")]
        everything = np.zeros(len(y))
        self.lines = [pd.factorize(line)[0] for line in (everything, *periods, *calendar)]
        by_time = np.argsort(start, kind="stable")
        self.pairs = [neighbours(y, line, by_time) for line in self.lines]

    def told_by(self, column: pd.Series, kind: Kind) -> str:
        """Return how the feature gives the label away, or nothing."""
        if self.is_binary and (found := self._separated_by_levels(column, kind)):
            return found
        for values, reading in readings(column, kind):
            place = places(values)
            given = place >= 0
            values = np.where(given, values, np.nan)
            if given.sum() * 2 < len(values) or place.max() < 1:
                continue
            found = self._separated(values, given) if self.is_binary else self._copied(values, place)
            if found:
                return reading + found
        return ""

    def _copied(self, values: Values, place: Places) -> str:
        given = place >= 0
        n = int(given.sum())
        kept = signs(values, *self.pairs[0][:2]) * self.pairs[0][2]
        for sign in (1, -1):
            if not (kept == -sign).any() and _in_order(self.y[given], sign * values[given]):
                return f"equals the label but for its unit or direction on the {n} known rows that have it"
        if n >= ENOUGH_ROWS and place.max() < FEW_LEVELS and _in_ranges(self.y[given], place[given]):
            return f"splits the label into ranges that do not overlap, on {n} known rows"
        found = self._ordered(values)
        if found or not follows(place, self.time):
            return found
        # The time of an end is the start plus the label: what is left of it without the start is a copy.
        for unit in TIME_UNITS:
            found = self._ordered(values - unit * self.hours)
            if found:
                return f"less the start of the item {found}"
        return ""

    def _ordered(self, values: Values) -> str:
        for left, right, direction in self.pairs:
            kept = signs(values, left, right) * direction
            n_right, n_wrong = int((kept > 0).sum()), int((kept < 0).sum())
            untied, comparable = n_right + n_wrong, int((~np.isnan(kept)).sum())
            if untied < ENOUGH_PAIRS:
                continue
            share = max(n_right, n_wrong) / untied
            if share >= (self.copy if 2 * untied >= comparable else EXACT_COPY):
                order = "the order of the label" if n_right > n_wrong else "the label's order, turned round,"
                return f"keeps {order} in {share:.1%} of {untied} pairs of rows of one period"
        return ""

    def _separated(self, values: Values, given: NDArray[np.bool_]) -> str:
        low, high = values[given & (self.y == 0)], values[given & (self.y == 1)]
        if len(low) + len(high) < ENOUGH_ROWS or min(len(low), len(high)) < ENOUGH_OF_EACH:
            return ""
        if low.max() < high.min() or high.max() < low.min():
            return "alone tells every positive from every negative"
        for line, (left, right, direction) in zip(self.lines, self.pairs, strict=True):
            kept = signs(values, left, right) * direction
            kept = kept[~np.isnan(kept)]
            if len(kept) and abs(kept.sum()) == len(kept) and self._separated_within(values, given, line):
                return "tells every positive from every negative within each of the periods or groups"
        return ""

    def _separated_within(self, values: Values, given: NDArray[np.bool_], line: Positions) -> bool:
        frame = pd.DataFrame({"line": line, "y": self.y, "value": values})[given]
        found = frame.groupby(["line", "y"])["value"].agg(["min", "max", "size"]).unstack("y").dropna()
        if found.empty:
            return False
        low, high = ({part: found[part, level] for part in ("min", "max", "size")} for level in (0.0, 1.0))
        if not ((low["max"] < high["min"]).all() or (high["max"] < low["min"]).all()):
            return False
        enough = low["size"].sum() + high["size"].sum() >= ENOUGH_ROWS
        enough &= min(low["size"].sum(), high["size"].sum()) >= ENOUGH_OF_EACH
        # One value for every negative of a period and one for every positive is a copy and no strong feature.
        is_copy = (low["min"] == low["max"]).all() and (high["min"] == high["max"]).all()
        pairs = float((low["size"] * high["size"]).sum())
        return bool(enough and (is_copy or pairs >= ENOUGH_PAIRS_WITHIN))

    def _separated_by_levels(self, column: pd.Series, kind: Kind) -> str:
        positive = self.y > 0
        n = len(positive)
        if n < ENOUGH_ROWS or min(positive.sum(), n - positive.sum()) < ENOUGH_OF_EACH:
            return ""
        absent = column.isna().to_numpy()
        reveals = bool((absent == positive).all() or (absent != positive).all())
        if kind == "category":
            levels = pd.Series(positive).groupby(column.astype(object).fillna("").astype(str).to_numpy())
            mixed = levels.nunique()
            reveals |= bool(len(mixed) <= FEW_LEVELS and (mixed == 1).all())
        return "alone tells every positive from every negative" if reveals else ""


def readings(column: pd.Series, kind: Kind) -> Iterator[tuple[Values, str]]:
    """Give the numbers that a column holds, is written as, or is ordered by, with the words for each."""
    if kind == "number":
        numbers = column.astype("Float64") if column.dtype == object else column
        yield np.asarray(numbers.to_numpy(float, na_value=np.nan)), ""
        return
    is_text = isinstance(column.dtype, pd.StringDtype)
    texts = column if is_text else column.astype(object).where(column.notna(), None).astype("str")
    given = texts[texts.notna()]
    if given.empty:
        return
    some = given.iloc[:: max(1, len(given) // 1000)]
    if some.str.contains(DATE).mean() >= WRITTEN:
        dates = pd.to_datetime(texts, errors="coerce", utc=True, format="ISO8601")
        hours = (dates - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(hours=1)
        yield np.asarray(hours, dtype=float), "read as a time "
    elif some.str.contains(NUMBER).mean() >= WRITTEN:
        plain = texts.str.replace(r"(?<=\d),(?=\d{3})", "", regex=True)
        yield np.asarray(plain.str.extract(f"({NUMBER})")[0], dtype=float), "read as a number "
    if kind == "category" and given.nunique() > 1:
        ordered = pd.Categorical(texts, ordered=True).codes.astype(float)
        yield np.where(ordered < 0, np.nan, ordered), "in the order of its letters "


def neighbours(y: Values, line: Positions, by_time: Positions) -> tuple[Positions, Positions, Values]:
    """Return neighbours in time of one line whose labels differ, and the sign of the difference."""
    order = by_time[np.argsort(line[by_time], kind="stable")]
    left = np.concatenate([order[:-step] for step in NEIGHBOURS if step < len(order)])
    right = np.concatenate([order[step:] for step in NEIGHBOURS if step < len(order)])
    differ = (line[left] == line[right]) & (y[left] != y[right])
    left, right = left[differ], right[differ]
    thinned = slice(None, None, max(1, len(left) // MOST_PAIRS))
    left, right = left[thinned], right[thinned]
    return left, right, signs(y, left, right)


def signs(values: Values, left: Positions, right: Positions) -> Values:
    """Return per pair 1 where the right one is larger, -1 where it is smaller, NaN where one is missing."""
    one, other = values[left], values[right]
    direction = (other > one).astype(float) - (other < one)
    direction[np.isnan(one) | np.isnan(other)] = np.nan
    return direction


def _in_order(y: Values, values: Values) -> bool:
    """Say whether no pair of rows is ordered differently by the two, over enough values of both."""
    if min(len(np.unique(y)), len(np.unique(values))) < ENOUGH_VALUES:
        return False
    order = np.lexsort((values, y))
    y, values = y[order], values[order]
    before = np.maximum.accumulate(values)[:-1]
    return bool((before <= values[1:])[y[1:] != y[:-1]].all())


def follows(place: Places, time: Places) -> bool:
    """Say whether the values grow with time, by ranks: a line would follow the largest values alone."""
    return rank_correlation(place, time) > 0.5


def _in_ranges(y: Values, place: Places) -> bool:
    """Say whether a few levels, two of them with enough rows, have labels in ranges that do not overlap."""
    ranges = pd.Series(y).groupby(place).agg(["min", "max", "size"]).sort_values("min")
    apart = ranges["max"].to_numpy()[:-1] < ranges["min"].to_numpy()[1:]
    return bool(apart.all() and (ranges["size"] >= ENOUGH_OF_EACH).sum() >= 2)
