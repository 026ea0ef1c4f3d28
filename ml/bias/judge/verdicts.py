"""From the figures of the slices to a verdict on each: effects, one false-discovery rate, shrunken values."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.bias.config import BiasConfig
from ml.bias.estimates.cells import Floats
from ml.bias.estimates.comparison import q_values, two_sided_p
from ml.bias.estimates.figures import Figure
from ml.bias.estimates.shrinkage import shrink_within
from ml.bias.estimates.sums import Statistic, Sums
from ml.bias.metrics.declared import Metric, MetricSet, RestOf
from ml.bias.slices.membership import Membership, has_a_peer


def judge(metrics: MetricSet, sums: Sums, config: BiasConfig) -> tuple[pd.DataFrame, dict[str, Figure]]:
    """One row per slice and metric, with everything that is known of it; and the figures of all metrics.

    A row is flagged when it is to the slice's disadvantage by more than the threshold, and the
    false-discovery rate over all slices and tested metrics is below alpha.

    Returns
    -------
    (DataFrame, dict of str to Figure)
        dimension, slice, metric, the counts, then the columns of `ml.bias.tables.columns.JUDGED`; ``base`` is
        what the effect is relative to, ``mae`` that of the slice (NaN where the set has none), ``is_large``
        whether the slice has rows enough.
    """
    measured = [m for m in metrics.every if all(s.name in sums.values for s in m.estimate.statistics)]
    figures = {metric.name: metric.estimate.figure(sums, config) for metric in measured}
    judged = [metric for metric in measured if metric in metrics.metrics]
    membership = sums.membership
    is_outcome = np.array([config.is_outcome(name) for name in membership.dimension], dtype=bool)
    bases = {metric.name: _base(metric, figures, sums) for metric in judged}
    large = np.stack([figures[m.name].enough & _has_base(m, bases[m.name]) for m in judged])
    alone = np.stack([~_has_peer(m, enough, membership) for m, enough in zip(judged, large, strict=True)])
    assessable = large & ~alone & ~is_outcome
    p_values = np.stack([_p_of_disadvantage(metric, figures[metric.name]) for metric in judged])
    q = q_values(np.where(assessable, p_values, np.nan), membership.overlapping)
    effects = np.stack([_effect(metric, figures[metric.name], bases[metric.name]) for metric in judged])
    intervals = [figures[m.name].comparison.ratio_interval(config.confidence) for m in judged]

    def stacked(name: str) -> NDArray[np.float64]:
        return np.stack([getattr(figures[metric.name], name) for metric in judged])

    table = {
        "value": stacked("value"),
        "ci_low": stacked("low"),
        "ci_high": stacked("high"),
        "rest_value": stacked("rest"),
        "effect": effects,
        "effect_ci_low": np.where(large, [low for low, _ in intervals], np.nan),
        "effect_ci_high": np.where(large, [high for _, high in intervals], np.nan),
        "q_value": q,
        "shrunk": np.stack(
            [
                shrink_within(
                    membership.dimension,
                    figures[metric.name].value,
                    np.where(enough, figures[metric.name].comparison.inside_error, np.nan),
                )
                for metric, enough in zip(judged, large, strict=True)
            ]
        ),
        "assessable": assessable,
        "flagged": (q < config.alpha) & (effects > config.threshold),
        "base": np.stack([bases[metric.name] for metric in judged]),
    }
    mae = figures["mae"].value if "mae" in figures else np.full(len(membership.slice), np.nan)
    repeated = {
        "dimension": membership.dimension,
        "slice": membership.slice,
        **{name: np.asarray(count(sums)).astype(np.int64) for name, count in metrics.counts.items()},
        "pooled": membership.pooled,
        "is_outcome": is_outcome,
        "is_large": membership.n >= config.min_slice_size,
        "mae": mae,
    }
    long = pd.DataFrame({name: np.repeat(values, len(judged)) for name, values in repeated.items()})
    long["metric"] = np.tile([metric.name for metric in judged], len(membership.slice))
    long["worse"] = np.tile([metric.worse or "" for metric in judged], len(membership.slice))
    return long.assign(**{name: values.T.ravel() for name, values in table.items()}), figures


def _base(metric: Metric, figures: Mapping[str, Figure], sums: Sums) -> Floats:
    """What the metric's effect is relative to, of every slice."""
    n = len(sums.membership.slice)
    match metric.relative_to:
        case Statistic(name=name):
            return np.full(n, sums.mean(name))
        case RestOf(metric=name):
            return figures[name].rest
        case "absolute":
            return np.ones(n)
        case _:
            return figures[metric.name].rest


def _has_base(metric: Metric, base: Floats) -> NDArray[np.bool_]:
    # Without any positive, a deviation relative to their share says nothing.
    return base > 0 if isinstance(metric.relative_to, Statistic) else np.ones(len(base), dtype=bool)


def _has_peer(metric: Metric, enough: NDArray[np.bool_], membership: Membership) -> NDArray[np.bool_]:
    # Whether a slice does worse than a baseline needs no other slice.
    if metric.worse == "negative":
        return np.ones(len(membership.slice), dtype=bool)
    return has_a_peer(membership.dimension, enough)


def _p_of_disadvantage(metric: Metric, figure: Figure) -> Floats:
    """p-value of what is to the slice's disadvantage; NaN for a metric that is not tested.

    Only what is to a slice's disadvantage is a discovery, so that the rate is that of the slices flagged. A
    deviation must differ both from the others' and from zero: the larger p-value is that of both (Berger
    1982, intersection-union test).
    """
    compared = figure.comparison
    match metric.worse:
        case "larger":
            return compared.p_larger
        case "smaller":
            return 1 - compared.p_larger
        case "different":
            return compared.p_value
        case None:
            return np.full(len(figure.value), np.nan)
    own = two_sided_p(compared.inside, compared.inside_error, compared.degrees)
    if metric.worse == "either":
        return np.maximum(compared.p_value, own)
    return np.where(compared.inside < 0, own / 2, 1 - own / 2)


def _effect(metric: Metric, figure: Figure, base: Floats) -> Floats:
    """Size of a difference, comparable with the threshold; positive is to the slice's disadvantage.

    A deviation from zero counts as far as it is beyond both zero and the others: a slice without any is at
    no disadvantage where the others have some.
    """
    inside, outside = figure.inside, figure.rest
    match metric.worse:
        case "larger":
            difference = inside - outside
        case "different":
            difference = np.abs(inside - outside)
        case "either":
            difference = np.minimum(np.abs(inside - outside), np.abs(inside))
        case "negative":
            difference = -inside
        case _:
            difference = outside - inside
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(difference == 0, 0.0, difference / base)
