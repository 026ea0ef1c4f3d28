"""How far a distribution has moved, beside how far chance alone would move it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_BINS = 10
# So that an empty bin gives a large figure and no infinite one.
_HALF = 0.5


@dataclass(frozen=True)
class Stability:
    """The population stability index of one column.

    Parameters
    ----------
    value : float
        0 for the same distribution; above 0.25 it is commonly called a large shift.
    noise : float
        What 95 of 100 pairs of samples of these sizes stay below when nothing has moved.
    n_expected, n_actual, n_bins : int
    """

    value: float
    noise: float
    n_expected: int
    n_actual: int
    n_bins: int


def population_stability(expected: pd.Series, actual: pd.Series) -> Stability:
    """Compare two samples of a column, numbers by the quantiles of the expected one, all else by value.

    Missing values are a bin of their own, and so are the values beyond the ten most frequent ones.

    Raises
    ------
    ValueError
        One of the samples is empty.

    Notes
    -----
    The index is the sum of (a - e) log(a / e) over the bins' shares. Without a shift it is distributed like
    (1 / n_expected + 1 / n_actual) times a chi-squared variable with one degree of freedom less than bins:
    Yurdakul (2018), "Statistical properties of the population stability index".
    """
    # In scipy.stats the same quantile has a plainer name, and half a second to load.
    from scipy.special import chdtri

    if expected.empty or actual.empty:
        raise ValueError("A sample without rows has no distribution: give both samples at least one.")
    are_numbers = _is_number(expected) and _is_number(actual)
    codes = _by_quantiles(expected, actual) if are_numbers else _by_values(expected, actual)
    n_bins = 1 + max(int(one.max()) for one in codes)
    counts = [np.bincount(one, minlength=n_bins) for one in codes]
    used = (counts[0] + counts[1]) > 0
    e, a = ((one[used] + _HALF) / (one[used] + _HALF).sum() for one in counts)
    value = float(((a - e) * np.log(a / e)).sum())
    freedom = int(used.sum()) - 1
    noise = float(chdtri(freedom, 0.05)) * (1 / len(expected) + 1 / len(actual)) if freedom else 0.0
    return Stability(value, noise, len(expected), len(actual), int(used.sum()))


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _by_quantiles(expected: pd.Series, actual: pd.Series) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    first, second = (one.to_numpy(dtype=float, na_value=np.nan) for one in (expected, actual))
    known = first[np.isfinite(first)]
    inner = np.unique(np.quantile(known, np.arange(1, _BINS) / _BINS)) if len(known) else np.array([])

    def code(values: NDArray[np.float64]) -> NDArray[np.intp]:
        return np.where(np.isnan(values), len(inner) + 1, np.searchsorted(inner, values, side="left"))

    return code(first), code(second)


def _by_values(expected: pd.Series, actual: pd.Series) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    first, second = (one.astype("string").fillna("(missing)") for one in (expected, actual))
    frequent = {name: place for place, name in enumerate(first.value_counts().index[:_BINS])}
    rest = len(frequent)
    return tuple(one.map(frequent).fillna(rest).to_numpy(np.intp) for one in (first, second))  # type: ignore[return-value]
