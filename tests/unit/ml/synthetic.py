"""A small synthetic training set in the shape of the contract, with a planted signal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ml.data.dataset import Dataset
from ml.data.domain import DomainConfig

END = pd.Timestamp("2022-01-01")
CONFIG = DomainConfig(
    name="parcels", timeline="slice_depot", weight_by="slice_depot", horizons_days=(1, 7, 30, 90, 365)
)


def frames(
    n: int = 600, seed: int = 0, depots: tuple[str, ...] = ("north", "south")
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return items and labels: hours depend on size, kind and one word of the text; late items stay open."""
    rng = np.random.default_rng(seed)
    depot = rng.choice(depots, n, p=np.r_[0.7, np.full(len(depots) - 1, 0.3 / (len(depots) - 1))])
    start = pd.Timestamp("2019-01-01") + pd.to_timedelta(rng.uniform(0, 3 * 365, n), unit="D")
    size = rng.lognormal(3, 1, n)
    kind = rng.choice(["letter", "box", "crate"], n)
    urgent = rng.random(n) < 0.4
    level = 3.0 + 0.8 * (np.log(size) - 3) + (kind == "crate") * 1.5 - urgent * 1.5 + (depot == "south") * 0.7
    hours = np.expm1(np.clip(level + rng.normal(0, 1.0, n), 0.1, None))
    end = start + pd.to_timedelta(hours, unit="h")
    is_open = np.asarray(end > END)
    text = np.where(urgent, "please hurry with this one", "take your time with this one")
    items = pd.DataFrame(
        {
            "item_id": [f"parcel#{k:05d}" for k in range(n)],
            "event_at": start.astype("datetime64[us]"),
            "entity_id": rng.choice(["ann", "bob", "cid"], n),
            "group_id": [
                f"{d}|{t.isocalendar().year}-W{t.isocalendar().week:02d}"
                for d, t in zip(depot, start, strict=True)
            ],
            "size": size,
            "weight_class": np.where(rng.random(n) < 0.1, np.nan, np.round(size / 10)),
            "is_fragile": rng.random(n) < 0.5,
            "kind": kind,
            "text": text,
            "slice_depot": depot,
            "slice_kind": kind,
        }
    )
    labels = pd.DataFrame(
        {
            "item_id": items["item_id"],
            "y": np.where(is_open, np.nan, hours),
            "is_censored": is_open,
            "observed_until": pd.Series(np.full(n, END)).astype("datetime64[us]"),
            "relevance": pd.array([pd.NA] * n, dtype="Int64"),
            "weight": 1.0,
            "labelled_at": pd.Series(end).where(~is_open).astype("datetime64[us]"),
        }
    )
    return items, labels


def dataset(n: int = 600, seed: int = 0, config: DomainConfig = CONFIG) -> Dataset:
    """Return the frames as a dataset."""
    items, labels = frames(n, seed)
    return Dataset(items, labels, config)


def write(directory: Path, items: pd.DataFrame, labels: pd.DataFrame, settings: str | None = None) -> Path:
    """Write the frames as a dataset directory."""
    directory.mkdir(parents=True, exist_ok=True)
    items.to_parquet(directory / "train.parquet", index=False)
    labels.to_parquet(directory / "label.parquet", index=False)
    if settings is not None:
        (directory / "domain.json").write_text(settings)
    return directory
