"""What is known of each item's end at a cut in time: hours, censoring and horizon labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.data.dataset import Dataset

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Right-censored durations of the rows of a dataset, as known at a cut.

    Parameters
    ----------
    known : ndarray of bool, shape (n,)
        The end is known at the cut.
    hours : ndarray of float, shape (n,)
        Hours to the end where known, else hours observed without an end.
    age : ndarray of float, shape (n,)
        Hours from the item's start to the end of its observation, whether it ended or not.
    """

    known: NDArray[np.bool_]
    hours: FloatArray
    age: FloatArray

    def at(self, rows: NDArray[np.intp]) -> Outcomes:
        """Return the outcomes of ``rows`` only."""
        return Outcomes(self.known[rows], self.hours[rows], self.age[rows])

    def within(self, days: float) -> FloatArray:
        """Return 1 where ended within ``days``, 0 where not, NaN where the item is not that old yet.

        An item that ended early but is younger than the horizon stays undefined: its open siblings are
        undefined too, and keeping only the ended ones would overstate the share.
        """
        limit = 24.0 * days
        ended = self.known & (self.hours <= limit)
        label = np.where(ended, 1.0, 0.0)
        return np.where(self.age >= limit, label, np.nan)


def known_at(
    dataset: Dataset, cut: NDArray[np.datetime64], is_last: NDArray[np.bool_] | bool
) -> NDArray[np.bool_]:
    """Return whether each row's label is known before its cut; of the last rows every given one is.

    ``labelled_at`` alone decides.
    """
    labels = dataset.row_labels()
    in_time = labels["labelled_at"].to_numpy("datetime64[us]") < cut
    return ~labels["is_censored"].to_numpy() & (is_last | in_time)


def outcomes_at(dataset: Dataset, cut: NDArray[np.datetime64], is_last: NDArray[np.bool_]) -> Outcomes:
    """Return what is known of each row's end before ``cut``.

    Parameters
    ----------
    dataset : Dataset
    cut : ndarray of datetime64[us], shape (n,)
    is_last : ndarray of bool, shape (n,)
        Rows whose cut is the end of observation itself: every label that is given counts.
    """
    labels = dataset.row_labels()
    start = dataset.first_times()
    observed = labels["observed_until"].to_numpy("datetime64[us]")
    known = known_at(dataset, cut, is_last)
    # A closed item stays observable up to the cut; an open one only as long as it was watched.
    end = np.where(known, cut, np.minimum(cut, observed))
    age = np.maximum((end - start) / np.timedelta64(1, "us") / 3.6e9, 0.0)
    hours = np.where(known, labels["y"].to_numpy(), age)
    return Outcomes(known=known, hours=hours, age=age)
