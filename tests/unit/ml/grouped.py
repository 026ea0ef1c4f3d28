"""A small synthetic training set of groups in time, with 0/1 labels, grades and a planted signal."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ml.data.dataset import Dataset
from ml.data.domain import DomainConfig

CONFIG = DomainConfig(name="parcels", baselines={"baseline": ("hint", "urgency")})


def frames(n_groups: int = 14, size: int = 60, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return items and labels: one group a week, labels known 1 to 20 days later."""
    rng = np.random.default_rng(seed)
    n = n_groups * size
    group = np.repeat(np.arange(n_groups), size)
    start = pd.Timestamp("2021-01-04") + pd.to_timedelta(7 * group, unit="D")
    weight = rng.normal(size=n)
    kind = rng.choice(["letter", "box", "crate"], n)
    urgency = rng.integers(0, 5, n)
    odds = 1.6 * weight + 1.2 * (kind == "crate") - 2.0
    y = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(float)
    items = pd.DataFrame(
        {
            "item_id": [f"parcel#{k:05d}" for k in range(n)],
            "event_at": pd.Series(start).astype("datetime64[us]"),
            "entity_id": rng.choice([f"sender{k}" for k in range(40)], n),
            "group_id": [f"week-{g:02d}" for g in group],
            "weight": np.where(rng.random(n) < 0.05, np.nan, weight),
            "noise": rng.normal(size=n),
            "urgency": urgency,
            "hint": rng.random(n),
            "kind": kind,
            "text": np.where(kind == "crate", "a heavy wooden crate", "something light and small"),
            "slice_kind": kind,
        }
    ).rename(columns={"weight": "load"})
    labels = pd.DataFrame(
        {
            "item_id": items["item_id"],
            "y": y,
            "is_censored": False,
            "observed_until": pd.Series(np.full(n, start.max() + pd.Timedelta(days=30))).astype(
                "datetime64[us]"
            ),
            "relevance": np.where(y > 0, 2 + (urgency >= 3) + (urgency >= 4), 0),
            "weight": 1.0,
            "labelled_at": pd.Series(start + pd.to_timedelta(rng.uniform(1, 20, n), unit="D")).astype(
                "datetime64[us]"
            ),
        }
    )
    return items, labels


def dataset(n_groups: int = 14, size: int = 60, seed: int = 0) -> Dataset:
    """Return the frames as a dataset."""
    return Dataset(*frames(n_groups, size, seed), CONFIG)
