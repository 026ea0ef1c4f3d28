"""Is it the model or the mix? A slice against the others once more, with the mix of other slices equal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ml.bias.estimates.cells import Floats, sum_by
from ml.bias.slices.membership import Dimension

MODEL, MIX, UNCLEAR, INSEPARABLE = "model", "mix", "unclear", "not separable"
# Below this share of the slice's rows with a counterpart, the adjusted gap is one of another population.
_LEAST_OVERLAP = 0.5


def strata_of(
    dimensions: Sequence[Dimension], rows: NDArray[np.intp], but: str, mix: Sequence[str]
) -> NDArray[np.intp] | None:
    """Stratum of each row: its combination of slices in the dimensions of ``mix`` other than ``but``.

    A row in several slices of a dimension counts for the most frequent of them. None if nothing is left to
    hold equal.
    """
    held = [dimension for dimension in dimensions if dimension.name in mix and dimension.name != but]
    if not held:
        return None
    strata = np.zeros(len(rows), dtype=np.intp)
    for dimension in held:
        strata = strata * len(dimension.categories) + primary_slice(dimension)[rows]
    return np.unique(strata, return_inverse=True)[1]


def primary_slice(dimension: Dimension) -> NDArray[np.intp]:
    """The most frequent slice of each row."""
    matrix = dimension.matrix
    counts = np.bincount(matrix.indices, minlength=len(dimension.categories))
    rank = np.empty(len(counts), dtype=np.intp)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    best = np.minimum.reduceat(rank[matrix.indices], matrix.indptr[:-1])  # every row has at least one slice
    return np.argsort(rank, kind="stable")[best]


def adjusted_difference(
    values: Floats, inside: NDArray[np.bool_], strata: NDArray[np.intp], clusters: NDArray[np.intp]
) -> dict[str, float]:
    """Difference in means of ``values`` between the rows inside and those outside of the same stratum.

    Returns
    -------
    dict
        difference, base (mean outside, weighted alike), standard_error, degrees, overlap (share of the rows
        inside that have a counterpart).

    Notes
    -----
    Strata weigh n_in · n_out / (n_in + n_out), as in a regression with a fixed effect per stratum (Angrist
    1998); the standard error sums the influence of each cluster (Liang & Zeger 1986).
    """
    size = int(strata.max()) + 1
    n_in = np.bincount(strata[inside], minlength=size).astype(np.float64)
    n_out = np.bincount(strata[~inside], minlength=size).astype(np.float64)
    both = (n_in > 0) & (n_out > 0)
    weight = np.where(both, n_in * n_out / np.maximum(n_in + n_out, 1), 0.0)
    total = float(weight.sum())
    if total == 0:
        return {
            "difference": np.nan,
            "base": np.nan,
            "standard_error": np.nan,
            "degrees": np.nan,
            "overlap": 0.0,
        }
    mean_in = sum_by(strata[inside], values[inside], size) / np.maximum(n_in, 1)
    mean_out = sum_by(strata[~inside], values[~inside], size) / np.maximum(n_out, 1)
    influence = np.where(
        inside,
        (values - mean_in[strata]) / np.maximum(n_in, 1)[strata],
        -(values - mean_out[strata]) / np.maximum(n_out, 1)[strata],
    )
    used = both[strata]
    by_cluster = sum_by(clusters[used], (influence * weight[strata])[used] / total, int(clusters.max()) + 1)
    groups = len(np.unique(clusters[used & inside]))
    variance = float(by_cluster @ by_cluster) * groups / max(groups - 1, 1)
    return {
        "difference": float(weight @ (mean_in - mean_out)) / total,
        "base": float(weight @ mean_out) / total,
        "standard_error": float(np.sqrt(variance)) if groups > 1 else np.nan,
        "degrees": float(groups - 1),
        "overlap": float(n_in[both].sum() / n_in.sum()),
    }


def composition_line(
    adjusted: dict[str, float], raw_effect: float, flagged: bool, threshold: float, confidence: float
) -> dict[str, float | str]:
    """Effects relative to the rows outside, before and after the adjustment, and the cause of the raw one.

    "model": still above the threshold and beyond noise on equal mix. "mix": no longer above the threshold.
    "unclear": above, within noise. "not separable": too few rows have a counterpart. Only the difference of a
    flagged slice asks for a cause.
    """
    base = adjusted["base"] if adjusted["base"] > 0 else np.nan
    effect = adjusted["difference"] / base
    half = special.stdtrit(max(adjusted["degrees"], 1), (1 + confidence) / 2)
    half *= adjusted["standard_error"] / base
    cause = ""
    if flagged:
        if np.isnan(effect) or adjusted["overlap"] < _LEAST_OVERLAP:
            cause = INSEPARABLE
        elif effect <= threshold:
            cause = MIX
        else:
            cause = MODEL if effect - half > 0 else UNCLEAR
    return {
        "raw_effect": raw_effect,
        "adjusted_effect": effect,
        "ci_low": effect - half,
        "ci_high": effect + half,
        "overlap": adjusted["overlap"],
        "cause": cause,
    }
