"""Ranks of numbers that are compared in many subsets: sorted once, ranked by counting."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Places = NDArray[np.intp]


def places(values: NDArray[np.float64]) -> Places:
    """Return for every value its place among the distinct ones, from 0; -1 where it is not finite."""
    return pd.factorize(np.where(np.isfinite(values), values, np.nan), sort=True)[0]


def rank_correlation(one: Places, other: Places) -> float:
    """Return Spearman's correlation of the rows that have both; 0 where either is constant there."""
    both = (one >= 0) & (other >= 0)
    a, b = _centred_ranks(one[both]), _centred_ranks(other[both])
    # No product of BLAS: its threads cost more than they save on vectors.
    spread = np.sqrt((a * a).sum() * (b * b).sum())
    return float((a * b).sum() / spread) if spread else 0.0


def _centred_ranks(of: Places) -> NDArray[np.float64]:
    """Return the mean rank of every row less the mean of all."""
    sizes = np.bincount(of)
    return (np.cumsum(sizes) - sizes / 2)[of] - len(of) / 2
