"""The synthetic parcels with a slice that no feature shows: a crew whose parcels may take longer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from tests.unit.ml import synthetic

SETTINGS = (
    '{"name": "parcels", "timeline": "slice_depot", "weight_by": "slice_depot", '
    '"mix_slices": ["slice_depot"], "mitigated_slices": ["slice_crew"], "note": "All parcels are made up."}'
)


def frames(n: int = 2400, seed: int = 0, factor: float = 1.0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return items and labels; every fourth parcel is the night crew's and takes ``factor`` times as long."""
    items, labels = synthetic.frames(n, seed)
    night = np.random.default_rng(seed + 1).random(n) < 0.25
    items["slice_crew"] = np.where(night, "night", "day")
    hours = labels["y"] * np.where(night, factor, 1.0)
    end = items["event_at"] + pd.to_timedelta(hours, unit="h")
    is_open = labels["is_censored"] | (end > synthetic.END)
    labels["y"] = hours.where(~is_open)
    labels["is_censored"] = is_open
    labels["labelled_at"] = end.where(~is_open).astype("datetime64[us]")
    return items, labels


def folder(directory: Path, **options: float) -> Path:
    """Write the frames as a dataset directory."""
    items, labels = frames(**options)  # type: ignore[arg-type]
    return synthetic.write(directory, items, labels, SETTINGS)
