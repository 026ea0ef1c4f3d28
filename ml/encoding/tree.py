"""The encoder for boosted trees: gaps stay gaps, categories and texts become numbers."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from ml.data.columns import Kind
from ml.data.dataset import Dataset
from ml.encoding.encoders import CategoryEncoder, FloatMatrix, ItemEncoder, TextEncoder
from ml.store.trusted import loadable


@loadable
class GapKeepingNumbers(TransformerMixin, BaseEstimator):
    """Numbers to float32 as they are: trees need no scale, and learn from a gap as such."""

    kind: Kind = "number"

    def __init__(self, columns: list[str]) -> None:
        self.columns = columns

    def fit(self, frame: pd.DataFrame, y: object = None) -> Self:
        """Learn nothing."""
        return self

    def transform(self, frame: pd.DataFrame) -> FloatMatrix:
        """Return one column per number; what is missing or infinite is NaN."""
        values = np.empty((len(frame), len(self.columns)), dtype=np.float32)
        for position, column in enumerate(self.columns):
            values[:, position] = frame[column].astype("Float64").to_numpy(float, na_value=np.nan)
        values[~np.isfinite(values)] = np.nan
        return values

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.str_]:
        """Return the names of the columns."""
        return np.array(self.columns, dtype=str)

    def sources(self) -> list[str]:
        """Return the names of the columns."""
        return list(self.columns)


def tree_encoder(dataset: Dataset, min_level_rows: int = 10, seed: int = 0) -> ItemEncoder:
    """Return the unfitted encoder of a dataset's items; only names and dtypes are read.

    Parameters
    ----------
    dataset : Dataset
    min_level_rows : int
        Categories with fewer training rows become "(other)".
    seed : int
        Seed of the texts' components.
    """
    kinds = dataset.kinds()
    named = {k: [name for name in kinds if kinds[name] == k] for k in ("number", "category", "text")}
    encoders: list[Any] = []
    if named["number"]:
        encoders.append(GapKeepingNumbers(named["number"]))
    if named["category"]:
        encoders.append(CategoryEncoder(named["category"], min_level_rows))
    if named["text"]:
        encoders.append(TextEncoder(named["text"], components=32, seed=seed))
    return ItemEncoder(encoders)
