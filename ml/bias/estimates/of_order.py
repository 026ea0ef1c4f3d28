"""Figures of an order of rows, beside those that are made of sums: they take every resample's own order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from ml.bias.config import BiasConfig
from ml.bias.estimates.cells import ROWS, Floats, spread
from ml.bias.estimates.comparison import Comparison, two_sided_p
from ml.bias.estimates.figures import MIN_ROWS, Figure
from ml.bias.estimates.order import OrderFigures, order_figures
from ml.bias.estimates.sums import Statistic, Sums


@dataclass(frozen=True)
class OfOrder:
    """Area under the ROC curve, or average precision, of an order of rows.

    Compared with the other rows by the spread of the difference over the resamples; average precision, which
    depends on the share of positives, with nothing.

    Parameters
    ----------
    kind : {"auc", "average_precision"}
    positive, negative : Statistic
        1 or 0 of every row.
    score : callable (rows) -> array of shape (rows,)
        Higher is more likely positive.
    """

    kind: Literal["auc", "average_precision"]
    positive: Statistic
    negative: Statistic
    score: Callable[[Any], Floats]
    is_compared: ClassVar[bool] = True

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """What has to be added up."""
        return self.positive, self.negative

    def figure(self, sums: Sums, config: BiasConfig) -> Figure:
        """Measure, and compare with all other rows."""
        found = sums.once("order", lambda: self._order(sums))
        inside = getattr(found, self.kind)
        outside = found.rest_auc if self.kind == "auc" else np.full_like(inside, np.nan)
        (positive, other_positive), (negative, other_negative) = (
            sums.rows_with(statistic.name) for statistic in self.statistics
        )
        enough = (
            (sums.membership.n >= config.min_slice_size)
            & (np.minimum(positive, negative) >= MIN_ROWS)
            & (sums.clusters_with(self.positive.name) >= config.min_clusters)
        )
        if self.kind == "auc":
            enough &= (np.minimum(other_positive, other_negative) >= MIN_ROWS) & (
                len(sums.clusters) - sums.membership.n >= config.min_slice_size
            )
        low, high = sums.interval(inside[:, 1:], config, self.positive.name)
        value, rest = inside[:, 0], outside[:, 0]
        return Figure(value, low, high, rest, value, _compared(sums, inside, outside), enough)

    def _order(self, sums: Sums) -> OrderFigures:
        ones = np.ones((len(sums.clusters), 1), dtype=np.uint8)
        weights = np.hstack([ones, sums.weights[sums.clusters]])
        positive = sums.values[self.positive.name] > 0
        return order_figures(sums.membership, positive, self.score(sums.rows), weights)


def _compared(sums: Sums, inside: Floats, outside: Floats) -> Comparison:
    """Comparison of two columns of figures, the first of which is that of the rows themselves.

    The resamples of G clusters spread by (G - 1) / G too little; the degrees of freedom are the effective
    number of the slice's clusters minus 1.
    """
    groups = len(sums.weights)
    stretch = np.sqrt(groups / max(groups - 1, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        error, own = (spread(values[:, 1:]) * stretch for values in (inside - outside, inside))
        n = sums.cells.column(ROWS)
        degrees = sums.cells.per_slice(n) ** 2 / sums.cells.per_slice(n**2) - 1
    difference = inside[:, 0] - outside[:, 0]
    p_value = np.where(np.isfinite(error), two_sided_p(difference, error, degrees), np.nan)
    return Comparison(inside[:, 0], outside[:, 0], difference, error, own, degrees, p_value)
