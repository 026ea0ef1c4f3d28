"""How a figure of every slice comes from the sums: one sum over another, a formula of sums, or from the rows.

Recall is hits over positives, precision hits over what was selected: all follow from the same cells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from ml.bias.config import BiasConfig
from ml.bias.estimates.cells import ROWS, Floats
from ml.bias.estimates.comparison import Comparison, two_sided_p
from ml.bias.estimates.sums import Statistic, Sums

# Fewer rows than this of the kind that a rate is over (positives, for a recall), inside or outside, are too
# few; of all rows, the settings say how many are.
MIN_ROWS = 10


@dataclass(frozen=True)
class Figure:
    """One figure of every slice, arrays of shape (slices,).

    ``rest`` is the same of all other rows, ``inside`` what is compared with it, and ``enough`` says where
    there are rows and clusters enough on both sides.
    """

    value: Floats
    low: Floats
    high: Floats
    rest: Floats
    inside: Floats
    comparison: Comparison
    enough: NDArray[np.bool_]

    @classmethod
    def shown(cls, value: Floats, low: Floats | None = None, high: Floats | None = None) -> Figure:
        """A figure that is compared with nothing."""
        none = np.full(len(value), np.nan)
        nothing = Comparison(none, none, none, none, none, none, none)
        low, high = none if low is None else low, none if high is None else high
        return cls(value, low, high, none, value, nothing, np.zeros(len(value), dtype=bool))


class Estimate(Protocol):
    """How a figure is computed."""

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """What has to be added up for it."""

    @property
    def is_compared(self) -> bool:
        """Whether a slice is compared with the other rows."""

    def figure(self, sums: Sums, config: BiasConfig) -> Figure:
        """The figure of every slice."""


@dataclass(frozen=True)
class Ratio:
    """The sum of the statistic ``top`` over that of ``over``, or over the number of rows.

    Parameters
    ----------
    top : Statistic
    over : Statistic or None
    on_log : bool
        Compare the ratio to that of the other rows on its log scale (see `compare_with_complement`).
    is_share : bool
        Both statistics are 0 or 1 in every row: the figure is a share of rows.
    least_variance : callable (value, over) -> array, or None
        Variance that the figure has at least, whatever its few clusters happen to show.
    """

    top: Statistic
    over: Statistic | None = None
    on_log: bool = False
    is_share: bool = False
    least_variance: Callable[[Floats, Floats], Floats] | None = None
    is_compared: ClassVar[bool] = True

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """What has to be added up."""
        return (self.top,) if self.over is None else (self.top, self.over)

    def figure(self, sums: Sums, config: BiasConfig) -> Figure:
        """Measure, and compare with all other rows."""
        over = ROWS if self.over is None else self.over.name
        compared = sums.compare(self.top.name, self.on_log, over)
        n_in = sums.by_name(sums.totals)[over]
        n_out = sums.per_cluster(over).sum() - n_in
        least = share_variance if self.is_share else self.least_variance
        if least is not None:
            compared = _at_least(compared, least, n_in, n_out)
        value = self._of(sums.by_name(sums.totals), over)
        low, high = sums.interval(self._of(sums.by_name(sums.resampled), over), config, over)
        if self.is_share:
            low, high = _never_certain(value, low, high, n_in, config.confidence)
        enough = sums.large(config, over) & ~np.isnan(compared.p_value)
        if self.over is not None:
            enough &= np.minimum(*sums.rows_with(over)) >= MIN_ROWS
        rest = np.where(n_out > 0, compared.outside, np.nan)
        # The effect of a ratio is that of the very means that were compared.
        inside = compared.inside if self.on_log else value
        return Figure(value, low, high, rest, inside, compared, enough)

    def _of(self, sums: Mapping[str, Floats], over: str) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(sums[over] > 0, sums[self.top.name] / sums[over], np.nan)


@dataclass(frozen=True)
class Formula:
    """Any function of sums by name, with its bootstrap interval; compared with nothing.

    Parameters
    ----------
    statistics : tuple of Statistic
    of : callable (sums) -> array
        Elementwise; ``sums`` also has `ROWS`, and `OUTCOME` and `OUTCOME_SQUARED` where the set of metrics
        has an outcome.
    """

    statistics: tuple[Statistic, ...]
    of: Callable[[Mapping[str, Floats]], Floats]
    is_compared: ClassVar[bool] = False

    def figure(self, sums: Sums, config: BiasConfig) -> Figure:
        """Measure."""
        with np.errstate(divide="ignore", invalid="ignore"):
            value, resampled = (self.of(sums.by_name(totals)) for totals in (sums.totals, sums.resampled))
        return Figure.shown(value, *sums.interval(resampled, config))


@dataclass(frozen=True)
class OfRows:
    """Any figure of every slice that is no function of sums, such as a median; without an interval."""

    of: Callable[[Sums, BiasConfig], Floats]
    statistics: tuple[Statistic, ...] = ()
    is_compared: ClassVar[bool] = False

    def figure(self, sums: Sums, config: BiasConfig) -> Figure:
        """Measure."""
        return Figure.shown(self.of(sums, config))


def share_variance(share: Floats, n: Floats) -> Floats:
    """Variance of a share of ``n`` independent rows with one success and one failure added.

    Agresti & Caffo (2000): without them a slice of ten rows, none of which is a hit, had no variance at all.
    """
    p = (share * n + 1) / (n + 2)
    return p * (1 - p) / (n + 2)


def _never_certain(
    share: Floats, low: Floats, high: Floats, n: Floats, confidence: float
) -> tuple[Floats, Floats]:
    """The interval of a share that is 0 or 1, of which every resample is a copy: the exact one.

    Clopper & Pearson (1934): of n rows without a hit, the share may still be 1 - tail^(1 / n).
    """
    with np.errstate(divide="ignore"):
        slack = 1 - ((1 - confidence) / 2) ** (1 / n)
    known = ~np.isnan(low)
    return np.where(known & (share == 1), 1 - slack, low), np.where(known & (share == 0), slack, high)


def _at_least(
    compared: Comparison, variance: Callable[[Floats, Floats], Floats], n_in: Floats, n_out: Floats
) -> Comparison:
    """The comparison with standard errors no smaller than those of ``variance``."""
    with np.errstate(divide="ignore", invalid="ignore"):
        own, other = variance(compared.inside, n_in), variance(compared.outside, n_out)
    inside_error = np.fmax(compared.inside_error, np.sqrt(own))
    error = np.fmax(compared.standard_error, np.sqrt(own + other))
    tested = ~np.isnan(compared.p_value)
    p_value = np.where(tested, two_sided_p(compared.difference, error, compared.degrees), np.nan)
    return replace(compared, standard_error=error, inside_error=inside_error, p_value=p_value)
