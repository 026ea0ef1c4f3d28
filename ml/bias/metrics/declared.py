"""What a bias metric says of itself, once; tables, texts, page and descriptions are made from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from numpy.typing import NDArray

from ml.bias.estimates.figures import Estimate
from ml.bias.estimates.sums import Statistic, Sums

# What is to a slice's disadvantage: less or more than the others have; another value than theirs, either way;
# a deviation from zero and from them, either way; or, for the gain over a baseline, a loss.
Worse = Literal["smaller", "larger", "different", "either", "negative"]
# What an effect is relative to, beside a statistic's mean over all rows: the metric of the other rows, or
# nothing (a difference of shares is one as it stands).
REST: Literal["rest"] = "rest"
ABSOLUTE: Literal["absolute"] = "absolute"


@dataclass(frozen=True)
class RestOf:
    """An effect is relative to another metric of the other rows."""

    metric: str


RelativeTo = Literal["rest", "absolute"] | Statistic | RestOf


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric of a slice.

    Parameters
    ----------
    name : str
        As the tables have it.
    estimate : Estimate
        Its formula: `Ratio`, `Formula`, `OfRows` or `OfOrder`.
    unit : str
        Empty for a number without one.
    description : str
        For people, a sentence without its full stop.
    worse : Worse or None
        What is tested; None for a metric that slices differ in by nature and that is only shown.
    relative_to : RelativeTo
        What the effect, which is held against the threshold, is relative to.
    has_gap : bool
        A tested metric has a line in ``bias.summary`` for every dimension, and may stand against a model.
    place : {"first", "later", "last"}
        Where ``bias.slice_metrics`` has its column: before the verdict, behind it, or at the end.
    """

    name: str
    estimate: Estimate
    unit: str
    description: str
    worse: Worse | None = None
    relative_to: RelativeTo = REST
    has_gap: bool = True
    place: Literal["first", "later", "last"] = "later"

    @property
    def has_line(self) -> bool:
        """Whether the summary has a line of it."""
        return self.worse not in (None, "negative") and self.has_gap


@dataclass(frozen=True)
class MetricSet:
    """Metrics of one kind of rows, judged under one false-discovery rate.

    Parameters
    ----------
    metrics : tuple of Metric
    counts : mapping of str to callable (sums) -> array of shape (slices,)
        Whole numbers to show beside the figures.
    also : tuple of Metric
        Shown in ``bias.slice_metrics`` alone.
    first : tuple of Statistic
        To be added up whatever the metrics need.
    tables : tuple of str
        Published tables that show them (see `ml.bias.tables.layout`).
    leading : str or None
        Metric whose verdict is that of the slice; None where it is that of all tested ones together.
    """

    metrics: tuple[Metric, ...]
    counts: Mapping[str, Callable[[Sums], NDArray[Any]]]
    tables: tuple[str, ...]
    also: tuple[Metric, ...] = ()
    first: tuple[Statistic, ...] = ()
    leading: str | None = None

    def __post_init__(self) -> None:
        names = [metric.name for metric in self.every]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"The metric {min(twice)!r} is declared twice.")
        for statistic in self.statistics:
            if any(s.name == statistic.name and s != statistic for s in self.statistics):
                raise ValueError(f"The statistic {statistic.name!r} is declared twice, with two meanings.")

    @property
    def every(self) -> tuple[Metric, ...]:
        """All metrics."""
        return (*self.metrics, *self.also)

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """What has to be added up, each once."""
        needed = [*self.first, *(s for metric in self.every for s in metric.estimate.statistics)]
        return tuple(dict.fromkeys(needed))

    @property
    def gaps(self) -> tuple[Metric, ...]:
        """Metrics that have a line in the summary."""
        return tuple(metric for metric in self.metrics if metric.has_line)

    def __add__(self, more: Metric) -> MetricSet:
        """The set with one metric more."""
        return replace(self, metrics=(*self.metrics, more))
