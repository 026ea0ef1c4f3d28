"""From the figures of the slices to a verdict on each: effects, one false-discovery rate, shrunken values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.bias.config import BiasConfig
from ml.bias.estimates.cells import Floats
from ml.bias.estimates.comparison import q_values, two_sided_p
from ml.bias.estimates.figures import Figure
from ml.bias.estimates.shrinkage import shrink_within
from ml.bias.slices.membership import Membership, has_a_peer

# Beside the keys and the counts of a long table.
JUDGED_COLUMNS = [
    "value", "ci_low", "ci_high", "rest_value", "effect", "q_value", "shrunk", "assessable", "flagged",
    "pooled", "is_outcome", "worse",
]  # fmt: skip


def judge(
    figures: Sequence[Figure], membership: Membership, counts: Mapping[str, Floats], config: BiasConfig
) -> pd.DataFrame:
    """One row per slice and figure, with everything that is known of it.

    A row is flagged when it is to the slice's disadvantage by more than the threshold, and the
    false-discovery rate over all slices and tested figures is below alpha.

    Parameters
    ----------
    figures : sequence of Figure
    membership : Membership
    counts : mapping of str to array, shape (slices,)
        Whole numbers to show beside the figures.
    config : BiasConfig

    Returns
    -------
    DataFrame
        dimension, slice, metric, the counts, then `JUDGED_COLUMNS`; ``base`` is what the effect is relative
        to.
    """
    is_outcome = np.array([config.is_outcome(name) for name in membership.dimension], dtype=bool)
    large = np.stack([figure.enough for figure in figures])
    alone = np.stack([~_has_peer(figure, membership) for figure in figures])
    assessable = large & ~alone & ~is_outcome
    p_values = np.stack([_p_of_disadvantage(figure) for figure in figures])
    q = q_values(np.where(assessable, p_values, np.nan), membership.overlapping)
    effects = np.stack([_effect(figure) for figure in figures])
    shrunk = [
        shrink_within(membership.dimension, f.value, np.where(f.enough, f.comparison.inside_error, np.nan))
        for f in figures
    ]
    judged = {
        "value": np.stack([figure.value for figure in figures]),
        "ci_low": np.stack([figure.low for figure in figures]),
        "ci_high": np.stack([figure.high for figure in figures]),
        "rest_value": np.stack([figure.rest for figure in figures]),
        "effect": effects,
        "q_value": q,
        "shrunk": np.stack(shrunk),
        "assessable": assessable,
        "flagged": (q < config.alpha) & (effects > config.threshold),
        "base": np.stack([figure.base for figure in figures]),
    }
    each = len(figures)
    repeated = {
        "dimension": membership.dimension,
        "slice": membership.slice,
        **{name: np.asarray(values).astype(np.int64) for name, values in counts.items()},
        "pooled": membership.pooled,
        "is_outcome": is_outcome,
    }
    table = pd.DataFrame({name: np.repeat(values, each) for name, values in repeated.items()})
    table["metric"] = np.tile([figure.name for figure in figures], len(membership.slice))
    table["worse"] = np.tile([figure.worse or "" for figure in figures], len(membership.slice))
    for name, values in judged.items():
        table[name] = values.T.ravel()
    return table[["dimension", "slice", "metric", *counts, *JUDGED_COLUMNS, "base"]]


def _has_peer(figure: Figure, membership: Membership) -> NDArray[np.bool_]:
    # Whether a slice does worse than a baseline needs no other slice.
    if figure.worse == "negative":
        return np.ones(len(membership.slice), dtype=bool)
    return has_a_peer(membership.dimension, figure.enough)


def _p_of_disadvantage(figure: Figure) -> Floats:
    """p-value of what is to the slice's disadvantage; NaN for a figure that is not tested.

    A deviation must differ both from the others' and from zero: the larger p-value is that of both (Berger
    1982, intersection-union test).
    """
    compared = figure.comparison
    if figure.worse is None:
        return np.full(len(figure.value), np.nan)
    if figure.worse in ("either", "negative"):
        own = two_sided_p(compared.inside, compared.inside_error, compared.degrees)
        if figure.worse == "either":
            return np.maximum(compared.p_value, own)
        return np.where(compared.inside < 0, own / 2, 1 - own / 2)
    return compared.p_larger if figure.worse == "larger" else 1 - compared.p_larger


def _effect(figure: Figure) -> Floats:
    """Size of a difference, comparable with the threshold; positive is to the slice's disadvantage.

    A deviation from zero counts as far as it is beyond both zero and the others: a slice without any is at
    no disadvantage where the others have some.
    """
    inside, outside = figure.value, figure.rest
    difference = {
        "larger": inside - outside,
        "either": np.minimum(np.abs(inside - outside), np.abs(inside)),
        "negative": -inside,
    }.get(figure.worse or "smaller", outside - inside)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(difference == 0, 0.0, difference / figure.base)
