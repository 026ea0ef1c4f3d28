"""Labels that are settled a while after an item's start, for every item old enough: 0/1, or a grade."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.data.dataset import Dataset
from ml.errors import TooLittleDataError


def within_horizon(dataset: Dataset, days: float) -> Dataset:
    """Return the same items labelled 1 when they ended within ``days`` of their start, 0 when not.

    The label is known ``days`` after the start and not before, whether the item ended early or not: counting
    early ends at once would leave the training part with too many of them. Items whose group was not
    watched for that long stay unlabelled.

    Parameters
    ----------
    dataset : Dataset
        With durations in hours as ``y``.
    days : float

    Raises
    ------
    ValueError
        When ``days`` is not positive, or the labels are no durations.
    TooLittleDataError
        When no item is that old.
    """
    rows = dataset.row_labels()
    return _settled(dataset, days, rows, _has_ended(rows, days).astype(float))


def beyond_horizon(dataset: Dataset, days: float) -> Dataset:
    """Return the same items labelled 1 when they had not ended ``days`` after their start, 0 when they had.

    Otherwise as `within_horizon`: every item old enough has a label, and the label is known only then.
    """
    rows = dataset.row_labels()
    return _settled(dataset, days, rows, (~_has_ended(rows, days)).astype(float))


def graded_after(dataset: Dataset, days: float) -> Dataset:
    """Return the same items with the grades that are given, ``y`` saying whether a grade is above 0.

    A grade is known ``days`` after the start and not before, for the reason that `within_horizon` gives: that
    must be the time that the grade looks ahead. Items without a grade, and items whose group was not watched
    for that long, stay unlabelled.

    Parameters
    ----------
    dataset : Dataset
        With grades as ``relevance``, given for ended and for open items alike.
    days : float

    Raises
    ------
    ValueError
        When ``days`` is not positive.
    TooLittleDataError
        When no item that old has a grade.
    """
    rows = dataset.row_labels()
    grade = rows["relevance"].astype("Float64").to_numpy(float, na_value=np.nan)
    positive = np.where(np.isnan(grade), np.nan, (grade > 0).astype(float))
    return _settled(dataset, days, rows, positive)


def _has_ended(rows: pd.DataFrame, days: float) -> NDArray[np.bool_]:
    if rows["y"].notna().any() and set(rows["y"].dropna()) <= {0.0, 1.0}:
        raise ValueError("The labels are 0 and 1 and no durations: a horizon is for hours; leave it out.")
    return np.asarray(~rows["is_censored"].to_numpy() & (rows["y"].to_numpy() <= 24.0 * days))


def _settled(dataset: Dataset, days: float, rows: pd.DataFrame, y: NDArray[np.float64]) -> Dataset:
    """Replace the labels by ``y``, aligned to ``rows`` (NaN: undefined), known ``days`` after the start."""
    if not days > 0:
        raise ValueError(f"The horizon must be above 0 days, not {days}: correct it.")
    limit = dataset.first_times() + np.timedelta64(round(days * 86_400_000_000), "us")
    watched = rows["observed_until"].groupby(dataset.groups(dataset.config.timeline)).transform("max")
    # An open item is seen until its own last observation, a closed one as long as its group was watched.
    own = rows["observed_until"].to_numpy("datetime64[us]")
    seen = np.where(rows["is_censored"].to_numpy(), own, watched.to_numpy("datetime64[us]"))
    defined = (seen >= limit) & ~np.isnan(y)
    if not defined.any():
        raise TooLittleDataError(f"No item was watched for {days:g} days: choose a shorter horizon.")
    first = ~rows["item_id"].duplicated().to_numpy()
    labels = rows.assign(
        y=np.where(defined, y, np.nan),
        is_censored=~defined,
        labelled_at=np.where(defined, limit, np.datetime64("NaT", "us")),
    )[first].reset_index(drop=True)
    return Dataset(dataset.items, labels, dataset.config)
