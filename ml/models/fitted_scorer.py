"""What a family leaves of 0/1 labels or grades, as it is kept and asked."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator


class FittedScorer(BaseEstimator):
    """A fitted model of 0/1 labels or grades; a family implements what it can."""

    #: Rounds that were kept by stopping early; None for a family without rounds.
    best_iteration: int | None = None

    def score(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return a score per row: log odds of 0/1 labels, or what only orders."""
        raise NotImplementedError

    def contributions(self, x: NDArray[np.float32]) -> NDArray[np.float64] | None:
        """Return by how much each column moves the score of each row, shape (n, d); None when unknown."""
        return None

    @property
    def feature_importances_(self) -> NDArray[np.float64] | None:
        """What each column is worth to the model, shape (d,); None when unknown."""
        return None

    def native(self) -> tuple[str, bytes] | None:
        """Return suffix and content of the library's own file; None when it has none."""
        return None
