"""From durations to 0/1: whether an item ended within a horizon, for every item that is old enough to say."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from ml.dataset import Dataset


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
        When ``days`` is not positive, or no item is that old.
    """
    if not days > 0:
        raise ValueError(f"The horizon must be above 0 days, not {days}: correct it.")
    rows = dataset.row_labels()
    start = dataset.first_times()
    limit = start + np.timedelta64(round(days * 86_400_000_000), "us")
    watched = rows["observed_until"].groupby(dataset.groups(dataset.config.timeline)).transform("max")
    ended = ~rows["is_censored"].to_numpy() & (rows["y"].to_numpy() <= 24.0 * days)
    # An open item is seen until its own last observation, a closed one as long as its group was watched.
    own = rows["observed_until"].to_numpy("datetime64[us]")
    seen = np.where(rows["is_censored"].to_numpy(), own, watched.to_numpy("datetime64[us]"))
    defined = seen >= limit
    if not defined.any():
        raise ValueError(f"No item was watched for {days:g} days: choose a shorter horizon.")
    first = ~rows["item_id"].duplicated().to_numpy()
    labels = rows.assign(
        y=np.where(defined, ended.astype(float), np.nan),
        is_censored=~defined,
        labelled_at=np.where(defined, limit, np.datetime64("NaT", "us")),
    )[first].reset_index(drop=True)
    digest = hashlib.sha256(f"{dataset.snapshot_id}/within {days:g} days".encode()).hexdigest()
    return Dataset(dataset.items, labels, replace(dataset.config, snapshot_id=None), digest)
