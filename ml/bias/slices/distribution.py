"""How the items are spread over the slices; needs no model."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ml.bias.slices.membership import Dimension, encode_dimensions


def measure_distribution(slices: pd.DataFrame) -> pd.DataFrame:
    """``bias.distribution`` of a training relation alone, before any model: see `distribution_of`."""
    if slices.empty:
        raise ValueError(f"slices is empty (shape {slices.shape}): there is nothing to count")
    return distribution_of(encode_dimensions(slices))


def distribution_of(dimensions: list[Dimension]) -> pd.DataFrame:
    """How the items are spread over the slices, with the weight that would even them out.

    ``weight`` is N / (slices × n): with it, every slice of the dimension counts the same in training.
    """
    frames = []
    for dimension in dimensions:
        total = dimension.matrix.shape[0]
        n = np.bincount(dimension.matrix.indices, minlength=len(dimension.categories))
        names, n = dimension.categories[n > 0], n[n > 0]
        frames.append(
            pd.DataFrame(
                {
                    "dimension": dimension.name,
                    "slice": names,
                    "n": n,
                    "share": n / total,
                    "weight": total / (len(n) * n),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)
