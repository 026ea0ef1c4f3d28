"""Empirical-Bayes shrinkage: a small slice borrows strength from the others of its dimension."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.bias.estimates.cells import Floats


def shrink(estimates: Floats, standard_errors: Floats) -> Floats:
    """Shrink estimates towards their precision-weighted mean.

    Parameters
    ----------
    estimates, standard_errors : arrays of shape (slices,)
        NaN, or a standard error of NaN or 0, means "unknown": such an estimate is returned as it is. A
        standard error within rounding of 0 is one of 0: the slice's rows are all alike.

    Returns
    -------
    array of shape (slices,)
        mean + (1 - B) (estimate - mean), where B = (k - 3) / (k - 1) · se² / (se² + tau²).

    Notes
    -----
    Morris (1983), "Parametric empirical Bayes inference"; tau² by the moments of DerSimonian & Laird (1986).
    Up to three estimates say too little of their own spread and are returned as they are.
    """
    shrunk = np.array(estimates, dtype=float)
    finite = np.isfinite(estimates) & np.isfinite(standard_errors)
    rounding = 1e-9 * np.abs(estimates[finite]).max(initial=0.0)
    usable = finite & (standard_errors > rounding)
    k = int(usable.sum())
    if k <= 3:
        return shrunk
    x, variance = shrunk[usable], standard_errors[usable] ** 2
    weight = 1 / variance
    q = float(weight @ (x - weight @ x / weight.sum()) ** 2)
    tau2 = max(0.0, (q - (k - 1)) / (weight.sum() - (weight**2).sum() / weight.sum()))
    mean = np.average(x, weights=1 / (variance + tau2))
    factor = (k - 3) / (k - 1) * variance / (variance + tau2)
    shrunk[usable] = mean + (1 - factor) * (x - mean)
    return shrunk


def shrink_within(owners: NDArray[np.object_], estimates: Floats, standard_errors: Floats) -> Floats:
    """`shrink` within each dimension; ``owners`` names the dimension of every slice."""
    shrunk = np.array(estimates, dtype=float)
    for name in pd.unique(owners):
        own = owners == name
        shrunk[own] = shrink(estimates[own], standard_errors[own])
    return shrunk
