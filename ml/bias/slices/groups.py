"""Group membership as the classes take it: one value per row, or one per row and attribute."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.bias.config import MISSING
from ml.bias.slices.names import joined, slice_name


def group_names(values: Any) -> NDArray[np.object_]:
    """One name per row; several columns are joined by ", ", and missing values are named "(missing)".

    Different combinations have different names: see `ml.bias.slices.names`.
    """
    if getattr(values, "ndim", 1) == 2:
        frame = pd.DataFrame(values)
        parts = [group_names(frame[column]) for column in frame.columns]
        return np.array([joined(row, ", ") for row in zip(*parts, strict=True)], dtype=object)
    series = pd.Series(values).astype(object)
    known = series.notna()
    # Names that were made here before stay: only beside missing values can they be mistaken for them.
    names = series.astype(str) if known.all() else series.map(slice_name)
    return names.where(known, MISSING).to_numpy(dtype=object)


def comparable_groups(values: Any, name: str, at_least: int = 2) -> NDArray[np.object_]:
    """Group names that can be compared with each other.

    Raises
    ------
    ValueError
        If there is only one group, or a group has fewer than ``at_least`` rows; names argument and group.
    """
    names = group_names(values)
    counts = pd.Series(names, dtype=object).value_counts()
    if len(counts) < 2:
        raise ValueError(
            f"{name} must hold at least two groups, got only {counts.index[0]!r}"
            if len(counts)
            else f"{name} is empty: there is nothing to compare"
        )
    if counts.iloc[-1] < at_least:
        raise ValueError(
            f"{name} must hold at least {at_least} rows of each group, got {counts.iloc[-1]} of "
            f"{counts.index[-1]!r}: pool small groups first"
        )
    return names
