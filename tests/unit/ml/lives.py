"""Simulated lives: Weibull times that a load decides, watched until a common end, seen at several ages."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.data.dataset import Dataset
from ml.data.domain import DomainConfig

AGES = (0.0, 1.0, 7.0, 30.0, 90.0, 365.0, 730.0)
SHAPE = 0.9
BEGIN, DAYS = pd.Timestamp("2015-01-01"), 2000.0
CONFIG = DomainConfig(name="machines", timeline="slice_hall", weight_by="slice_hall")


def scale_of(load: NDArray[np.float64]) -> NDArray[np.float64]:
    """Days by which 63 % of the lives of a load have ended."""
    return 700.0 * np.exp(-0.8 * load)


def median_ahead(load: NDArray[np.float64], age: NDArray[np.float64]) -> NDArray[np.float64]:
    """Days by which half of the lives of a load that have reached an age have ended."""
    scale = scale_of(load)
    return scale * ((age / scale) ** SHAPE + np.log(2.0)) ** (1.0 / SHAPE) - age


def frames(
    n: int = 3000,
    seed: int = 0,
    ages: tuple[float, ...] = AGES,
    scale: float = 1.0,
    days: float = DAYS,
    answered: bool = False,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return items at every age that they reached before they ended or the watch did, and labels.

    Where they are ``answered``, each at some time if it lives to see it, a fifth of what was left of a life
    is left from then on, and a column says whether it was answered.
    """
    rng = np.random.default_rng(seed)
    load, colour = rng.integers(0, 2, n).astype(float), rng.normal(size=n)
    start = rng.uniform(0.0, days, n)
    life = scale * scale_of(load) * rng.weibull(SHAPE, n)
    answer = rng.exponential(60.0, n) if answered else np.full(n, np.inf)
    life = np.minimum(life, answer) + np.maximum(life - answer, 0.0) / 5.0
    is_open = start + life > days
    begun = BEGIN + pd.to_timedelta(start, unit="D").astype("timedelta64[us]")
    names = np.array([f"machine#{k:05d}" for k in range(n)], dtype=object)
    base = pd.DataFrame(
        {
            "item_id": names,
            "event_at": begun.astype("datetime64[us]"),
            "entity_id": "maker",
            "group_id": [f"week {int(day // 7)}" for day in start],
            "load": load,
            "colour": colour,
            "slice_hall": np.where(np.arange(n) % 3 == 0, "east", "west"),
        }
    )
    seen = np.where(is_open, days - start, life)
    rows = [
        base.assign(event_at=base["event_at"] + pd.Timedelta(days=age), age_days=age)
        .assign(**({"is_answered": answer < age} if answered else {}))
        .loc[seen > age]
        for age in ages
    ]
    ended = pd.Series(begun + pd.to_timedelta(life, unit="D").astype("timedelta64[us]"))
    labels = pd.DataFrame(
        {
            "item_id": names,
            "y": np.where(is_open, np.nan, 24.0 * life),
            "is_censored": is_open,
            "observed_until": pd.Series(np.full(n, BEGIN + pd.Timedelta(days=days))).astype("datetime64[us]"),
            "relevance": pd.array([pd.NA] * n, dtype="Int64"),
            "weight": 1.0,
            "labelled_at": ended.where(~is_open).astype("datetime64[us]"),
        }
    )
    return pd.concat(rows, ignore_index=True), labels


def dataset(n: int = 3000, seed: int = 0) -> Dataset:
    """Return the simulated lives as a training set."""
    return Dataset(*frames(n, seed), CONFIG)
