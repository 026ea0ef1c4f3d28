"""The models that mitigation makes, as they are saved and served; `ml.mitigation.run` makes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin

from ml.bias import GroupCorrection, encode_dimension, weighted_mean
from ml.store.trusted import loadable

HOURS = ("y_pred", "p10", "p90")


@loadable
class MixtureRegressor(RegressorMixin, BaseEstimator):
    """The weighted mean of fitted regressors, which gives the same answer twice.

    Parameters
    ----------
    predictors : list of regressors
    weights : list of float
        They sum to 1.
    """

    def __init__(self, predictors: list[Any], weights: list[float]) -> None:
        self.predictors = predictors
        self.weights = weights

    def predict(self, x: NDArray[Any]) -> NDArray[np.float64]:
        """Return the mean of the predictors' answers."""
        return weighted_mean(tuple(self.predictors), np.asarray(self.weights), x)

    def fit(self, x: object = None, y: object = None) -> Self:
        """Do nothing: the parts come fitted."""
        return self


@loadable
class AdjustedModel(BaseEstimator):
    """A model whose hours are corrected by the item's slice; its probabilities stay as they are.

    Parameters
    ----------
    model : DurationModel
    column : str
        Slice column of the raw items; where they lack it, every item gets the common shift.
    order : list of str
        Slices, the largest first: an item in several of them counts for the first.
    shifts : dict of str to float
        Shift of the log prediction by slice.
    common : float
        Shift of every other slice.
    """

    def __init__(
        self, model: Any, column: str, order: list[str], shifts: dict[str, float], common: float
    ) -> None:
        self.model = model
        self.column = column
        self.order = order
        self.shifts = shifts
        self.common = common

    def predict(self, items: pd.DataFrame) -> pd.DataFrame:
        """Return what the model predicts for raw items, with the hours corrected."""
        table = self.model.predict(items)
        groups = (
            main_slices(items[self.column], self.order)
            if self.column in items
            else np.full(len(items), "", dtype=object)
        )
        return adjusted(table, groups, GroupCorrection(self.shifts, self.common))

    def fit(self, x: object = None, y: object = None) -> Self:
        """Do nothing: the parts come fitted."""
        return self


def adjusted(table: pd.DataFrame, groups: NDArray[np.object_], correction: GroupCorrection) -> pd.DataFrame:
    """Return a prediction table with the hours corrected, one group per row."""
    if table.empty:
        return table
    return table.assign(**{name: correction.apply(table[name], groups) for name in HOURS})


def main_slices(values: pd.Series, order: Sequence[str]) -> NDArray[np.object_]:
    """Return one slice per row: of those that it is in, the first in ``order``; others after these, by name.

    Missing values and empty lists are the slice "(missing)".
    """
    dimension = encode_dimension(values.reset_index(drop=True))
    position = {name: k for k, name in enumerate(order)}
    rank = np.array([position.get(name, len(order) + k) for k, name in enumerate(dimension.categories)])
    matrix = dimension.matrix
    first = np.minimum.reduceat(rank[matrix.indices], matrix.indptr[:-1])  # every row is in a slice
    by_rank = np.argsort(rank, kind="stable")
    return dimension.categories[by_rank[np.searchsorted(rank[by_rank], first)]]


def slices_by_size(values: pd.Series) -> list[str]:
    """Return the slices of a column, the largest first; equal ones by name."""
    dimension = encode_dimension(values.reset_index(drop=True))
    counts = np.bincount(dimension.matrix.indices, minlength=len(dimension.categories))
    return [str(dimension.categories[k]) for k in np.argsort(-counts, kind="stable") if counts[k]]
