"""The floor: the median of the training part, per group where the group has enough rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin

from ml.models.spec import Loss, ModelSpec
from ml.stats.metrics import weighted_quantile
from ml.store.trusted import loadable


@loadable
class GroupMedian(RegressorMixin, BaseEstimator):
    """Predict the weighted median (or mean) of the row's group; of all rows for small or unseen groups.

    Parameters
    ----------
    min_rows : int
        Groups with fewer training rows get the overall value.
    loss : {"absolute", "squared"}
        Median or mean.
    """

    def __init__(self, min_rows: int = 10, loss: Loss = "absolute") -> None:
        self.min_rows = min_rows
        self.loss = loss

    def fit(
        self, x: NDArray[np.object_], y: NDArray[np.float64], sample_weight: NDArray[np.float64] | None = None
    ) -> Self:
        """Learn one value per group; ``x`` is the column of group names, shape (n, 1)."""
        weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
        names, code = np.unique(x[:, 0].astype(str), return_inverse=True)
        self.overall_ = self._centre(y, weight)
        enough = np.bincount(code, minlength=len(names)) >= self.min_rows
        self.groups_ = {
            str(name): self._centre(y[code == k], weight[code == k])
            for k, name in enumerate(names)
            if enough[k]
        }
        return self

    def predict(self, x: NDArray[np.object_]) -> NDArray[np.float64]:
        """Return the value of each row's group."""
        return np.array([self.groups_.get(str(name), self.overall_) for name in x[:, 0]], dtype=float)

    def _centre(self, y: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
        if self.loss == "squared":
            return float(np.average(y, weights=weight))
        return float(weighted_quantile(y, 0.5, weight))


def _build(params: Mapping[str, Any], seed: int, loss: Loss) -> GroupMedian:
    return GroupMedian(loss=loss, **params)


SPEC = ModelSpec(
    name="median", build=_build, defaults={"min_rows": 10}, inputs="group", is_floor=True, complexity=0
)
