"""What share of lives really ended by the time that a curve puts at a share: calibration under censoring.

A life that ends where its curve stands at u is one draw of u, even between 0 and 1 when the curves are right;
one that was last seen there is a draw censored at u. The product-limit estimate (Kaplan and Meier 1958) of
the draws says how the curves stand to the truth, whatever the censoring (Haider et al. 2020, D-calibration).
As a map it calibrates the chances of all horizons and all quantiles at once, and keeps their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from ml.store.trusted import loadable

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]
# Bounds of the bands of age, in days: 0, up to 1, up to 7, …, and beyond the last one.
BANDS = (0.0, 1.0, 7.0, 30.0, 90.0, 365.0)
MIN_LEFT = 10
KNOTS = np.linspace(0.0, 1.0, 21)


def band_of(age: Values) -> NDArray[np.intp]:
    """Return the number of every age's band, 0 for the age of 0."""
    # An observation a day after the start belongs to that day, whatever its last digits.
    return np.searchsorted(np.array(BANDS), np.asarray(age) - 1e-6, side="left")


def band_names() -> list[str]:
    """Return the names of the bands in their order: ``0d``, ``to_1d``, …, ``beyond_365d``."""
    return ["0d", *(f"to_{bound:g}d" for bound in BANDS[1:]), f"beyond_{BANDS[-1]:g}d"]


def share_ended(draw: Values, ended: Mask, at: Values, weights: Values | None = None) -> Values:
    """Return the product-limit estimate of the share of draws at or below ``at``.

    Parameters
    ----------
    draw : ndarray, shape (n,)
    ended : ndarray of bool, shape (n,)
        Whether the draw was seen; the others are censored there.
    at : ndarray, shape (k,)
    weights : ndarray, shape (n, r) or None
        How often each row counts, one column per resample.

    Returns
    -------
    ndarray, shape (k, r)
        NaN where fewer than `MIN_LEFT` rows were watched so far.
    """
    w = np.ones((len(draw), 1)) if weights is None else weights
    # An end comes before what is censored at the same place.
    order = np.lexsort((~ended, draw))
    w, seen = w[order], ended[order]
    left = w.sum(axis=0) - np.cumsum(w, axis=0) + w
    with np.errstate(invalid="ignore", divide="ignore"):
        steps = np.where(seen[:, None] & (left > 0), 1.0 - w / left, 1.0)
    survival = np.vstack([np.ones((1, w.shape[1])), np.cumprod(np.clip(steps, 0.0, 1.0), axis=0)])
    shares = 1.0 - survival[np.searchsorted(draw[order], at, side="right")]
    watched = len(draw) - np.searchsorted(draw[order], at, side="left")
    return np.where((watched >= MIN_LEFT)[:, None], shares, np.nan)


@loadable
class AgeCalibration(BaseEstimator):
    """A map of shares per band of age where ends suffice, else none.

    Parameters
    ----------
    min_ends : int
        Ends that a map is learned from.
    """

    def __init__(self, min_ends: int = 300) -> None:
        self.min_ends = min_ends

    def fit(self, draw: Values, ended: Mask, age: Values) -> Self:
        """Learn from rows that the curves were not learned from, shape (n,) each."""
        self.maps_: dict[str, list[float]] = {}
        bands = _bands(age)
        for key in np.unique(bands):
            rows = bands == key
            if ended[rows].sum() >= self.min_ends:
                shares = np.r_[0.0, share_ended(draw[rows], ended[rows], KNOTS[1:-1])[:, 0], 1.0]
                # Beyond what was watched the curves have the last word.
                seen = ~np.isnan(shares)
                rising = np.maximum.accumulate(np.interp(KNOTS, KNOTS[seen], shares[seen]))
                # Strictly rising, or two quantiles would be one.
                self.maps_[str(key)] = ((1.0 - 1e-3) * rising + 1e-3 * KNOTS).tolist()
        return self

    def keep(self, kept: Sequence[str]) -> Self:
        """Drop every map that is not named."""
        self.maps_ = {key: shares for key, shares in self.maps_.items() if key in kept}
        return self

    def keys_of(self, age: Values) -> NDArray[np.object_]:
        """Return the name of the map of every row, "" for none."""
        bands = _bands(age)
        return np.where(np.isin(bands, list(self.maps_)), bands, "")

    def calibrated(self, share: Values, keys: NDArray[np.object_]) -> Values:
        """Return what a curve's share really is, shape (n,)."""
        return self._mapped(share, keys, inverse=False)

    def uncalibrated(self, share: Values, keys: NDArray[np.object_]) -> Values:
        """Return where a curve stands when a ``share`` has really ended, shape (n,)."""
        return self._mapped(share, keys, inverse=True)

    def _mapped(self, share: Values, keys: NDArray[np.object_], inverse: bool) -> Values:
        result = np.array(share, dtype=float)
        for key in np.unique(keys[keys != ""]):
            rows, known = keys == key, np.array(self.maps_[str(key)])
            result[rows] = np.interp(result[rows], *((known, KNOTS) if inverse else (KNOTS, known)))
        return result


def _bands(age: Values) -> NDArray[np.object_]:
    return np.array(band_names(), dtype=object)[band_of(age)]
