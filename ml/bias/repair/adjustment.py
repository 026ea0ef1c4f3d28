"""Correcting the predictions of groups: fitted on validation rows, to be judged on later ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ml.bias.estimates.shrinkage import shrink
from ml.bias.slices.groups import group_names
from ml.bias.slices.inputs import finite_vector, same_length

# Standard error of a normal sample's median relative to that of its mean.
_MEDIAN_ERROR = np.sqrt(np.pi / 2)


@dataclass(frozen=True)
class GroupCorrection:
    """Shift of the log prediction by group; groups too small or never seen get the ``common`` one."""

    shifts: dict[str, float]
    common: float

    def apply(self, y_pred: ArrayLike, groups: Any) -> NDArray[np.float64]:
        """Corrected predictions in hours; works for quantiles too."""
        predicted = finite_vector(y_pred, "y_pred")
        same_length(y_pred=predicted, groups=groups)
        shift = np.array([self.shifts.get(name, self.common) for name in group_names(groups)])
        return np.maximum(np.expm1(np.log1p(np.maximum(predicted, 0)) + shift), 0)


def fit_group_correction(
    y_true: ArrayLike, y_pred: ArrayLike, groups: Any, *, min_group_size: int = 30
) -> GroupCorrection:
    """Median log residual of each group, shrunk towards the others.

    The median is the shift that minimises the group's absolute log error; shrinkage keeps a small group's
    noise out of its predictions (see `ml.bias.shrinkage.shrink`).

    Parameters
    ----------
    y_true, y_pred : arrays of hours, of validation rows
        Rows that the model was not fitted on, and that the result is not judged on.
    groups : one value per row
    min_group_size : int, default 30
    """
    truth, predicted = finite_vector(y_true, "y_true"), finite_vector(y_pred, "y_pred")
    same_length(y_true=truth, y_pred=predicted, groups=groups)
    if min_group_size < 2:
        raise ValueError(f"min_group_size must be at least 2, got {min_group_size}")
    residual = np.log1p(truth) - np.log1p(np.maximum(predicted, 0))
    names = group_names(groups)
    found = [
        name for name, n in zip(*np.unique(names, return_counts=True), strict=True) if n >= min_group_size
    ]
    medians = np.array([np.median(residual[names == name]) for name in found])
    errors = np.array(
        [
            _MEDIAN_ERROR * residual[names == name].std(ddof=1) / np.sqrt((names == name).sum())
            for name in found
        ]
    )
    shifts = shrink(medians, errors) if found else medians
    return GroupCorrection(dict(zip(found, shifts.tolist(), strict=True)), float(np.median(residual)))
