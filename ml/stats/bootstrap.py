"""Bootstrap weights that depend on the row's key and nothing else, and the intervals made from them.

A resample drawn from a random stream changes when rows are reordered or added; one drawn from a hash of
the key does not, can be computed in parallel, and gives all rows of one cluster the same weight.
"""

import math

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

_DRAWS_PER_HASH = 4  # one 64-bit hash holds four 16-bit uniforms
_GOLDEN = 0x9E3779B97F4A7C15
_MASK = 0xFFFFFFFFFFFFFFFF
# Long enough to keep the per-block overhead small, short enough for the block to stay in the cache.
_BLOCK_HASHES = 1 << 17


def poisson_weights(keys: ArrayLike, replicates: int, seed: int = 0) -> NDArray[np.uint8]:
    """Poisson(1) bootstrap weights from a hash of (key, replicate).

    Parameters
    ----------
    keys : array of shape (n,)
        Strings or integers. Equal keys get equal weights: pass cluster identifiers for a cluster bootstrap.
    replicates : int
        Number of resamples.
    seed : int, default 0
        Another seed gives another, independent set of resamples.

    Returns
    -------
    array of uint8, shape (n, replicates)
        ``weights[i, r]`` is how often row ``i`` counts in resample ``r``.

    Raises
    ------
    ValueError
        If ``replicates`` is less than one or ``keys`` is not one-dimensional.

    Notes
    -----
    Poisson bootstrap: Chamandy, Muralidharan, Najmi & Naidu (2012), "Estimating uncertainty for massive
    data streams". The mixing function is SplitMix64 (Steele, Lea & Flood 2014). Draws have 16 bits, so a
    weight above 8 (probability 1e-6) is cut to 8.
    """
    if replicates < 1:
        raise ValueError(f"replicates must be at least 1, got {replicates}")
    unique, position = _hash_distinct(keys)
    hashes_per_key = math.ceil(replicates / _DRAWS_PER_HASH)
    base = _mix(unique ^ _mix(np.array([seed & _MASK], dtype=np.uint64)))
    steps = np.arange(1, hashes_per_key + 1, dtype=np.uint64) * np.uint64(_GOLDEN)
    table = _inverse_poisson_table()
    weights = np.empty((len(unique), hashes_per_key * _DRAWS_PER_HASH), dtype=np.uint8)
    block = max(1, _BLOCK_HASHES // hashes_per_key)
    for start in range(0, len(unique), block):
        hashes = _mix(base[start : start + block, None] + steps)
        np.take(table, hashes.view(np.uint16), out=weights[start : start + block])
    weights = weights[:, :replicates]
    return weights if position is None else weights[position]


def _hash_distinct(keys: ArrayLike) -> tuple[NDArray[np.uint64], NDArray[np.intp] | None]:
    """Hash each distinct key once; positions of the rows among them (None when all keys differ)."""
    values = keys if isinstance(keys, pd.Series | pd.Index) else np.asarray(keys)
    if values.ndim != 1:
        raise ValueError(f"keys must be one-dimensional, got shape {values.shape}")
    codes, distinct = pd.factorize(values, use_na_sentinel=False)
    hashed = pd.util.hash_pandas_object(pd.Index(distinct), index=False, categorize=False)
    return np.asarray(hashed, dtype=np.uint64), None if len(distinct) == len(values) else codes


def hashed_half(keys: ArrayLike, seed: int = 0) -> NDArray[np.bool_]:
    """A random half of the keys, by their hash: rows with equal keys are on the same side."""
    unique, position = _hash_distinct(keys)
    side = (_mix(unique ^ _mix(np.array([seed & _MASK], dtype=np.uint64))) >> np.uint64(63)).astype(bool)
    return side if position is None else side[position]


def percentile_interval(
    replicates: NDArray[np.floating], confidence: float = 0.95, axis: int = -1
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Percentile bootstrap interval along ``axis`` (Efron 1979); NaN replicates are left out.

    A resample in which a slice has no row gives NaN for that slice and says nothing about its value.

    Raises
    ------
    ValueError
        If ``confidence`` is not strictly between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie strictly between 0 and 1, got {confidence}")
    tail = (1 - confidence) / 2
    ordered = np.sort(np.moveaxis(np.asarray(replicates, dtype=float), axis, -1), axis=-1)
    valid = np.count_nonzero(~np.isnan(ordered), axis=-1)  # np.sort puts NaN last
    return _order_statistic(ordered, valid, tail), _order_statistic(ordered, valid, 1 - tail)


def _order_statistic(ordered: NDArray[np.float64], valid: NDArray[np.intp], q: float) -> NDArray[np.float64]:
    """Linear interpolation between order statistics, as numpy.quantile does, of the first ``valid`` ones."""
    position = q * np.maximum(valid - 1, 0)
    lower = np.floor(position).astype(np.intp)
    upper = np.minimum(lower + 1, np.maximum(valid - 1, 0))
    low = np.take_along_axis(ordered, lower[..., None], axis=-1)[..., 0]
    high = np.take_along_axis(ordered, upper[..., None], axis=-1)[..., 0]
    return low + (high - low) * (position - lower)


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64, in place on a fresh array where it can be."""
    z = x + np.uint64(_GOLDEN)
    z ^= z >> np.uint64(30)
    z *= np.uint64(0xBF58476D1CE4E5B9)
    z ^= z >> np.uint64(27)
    z *= np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return z


def _inverse_poisson_table() -> NDArray[np.uint8]:
    """Poisson(1) quantile of each of the 65,536 16-bit uniforms (taken at the middle of its step)."""
    cumulative = np.cumsum([math.exp(-1) / math.factorial(k) for k in range(8)])
    return np.searchsorted(cumulative, (np.arange(1 << 16) + 0.5) / (1 << 16)).astype(np.uint8)
