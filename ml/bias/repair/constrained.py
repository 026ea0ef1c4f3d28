"""Training under a bound on every group's loss, with Fairlearn's reduction; heavy imports stay inside."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ml.bias.slices.groups import comparable_groups, group_names
from ml.bias.slices.inputs import finite_vector, same_length

OTHER_GROUPS = "(other groups)"


@dataclass(frozen=True)
class ConstrainedModel:
    """A weighted mean of predictors.

    ExponentiatedGradient itself draws one of its predictors at random for each call; the mean has, for a
    convex loss, at most the same loss and gives the same answer twice.

    Attributes
    ----------
    predictors, weights : the mixture; weights sum to 1
    upper_bound : the bound asked for
    group_losses : mean absolute error of the mixture on the training rows, by (pooled) group
    satisfied : whether every group loss is within the bound; an unreachable bound raises no warning
    n_fits, seconds : cost of the training
    """

    predictors: tuple[Any, ...]
    weights: NDArray[np.float64]
    upper_bound: float
    group_losses: dict[str, float] = field(default_factory=dict)
    satisfied: bool = False
    n_fits: int = 0
    seconds: float = 0.0

    def predict(self, x: Any) -> NDArray[np.float64]:
        """Weighted mean of the predictors' values."""
        return weighted_mean(self.predictors, self.weights, x)


def fit_bounded_group_loss(
    estimator: Any,
    x: Any,
    y: ArrayLike,
    sensitive_features: Any,
    *,
    upper_bound: float | None = None,
    max_groups: int = 30,
    max_iter: int = 10,
    eps: float = 0.05,
    tolerance: float = 0.01,
) -> ConstrainedModel:
    """ExponentiatedGradient with BoundedGroupLoss on the absolute error (Agarwal, Dudík & Wu 2019).

    Parameters
    ----------
    estimator : scikit-learn regressor that takes ``sample_weight``
    x, y, sensitive_features : training rows only
    upper_bound : float, optional
        Bound on each group's mean absolute error, in the unit of ``y``. Default: half-way between the overall
        error and the worst group's error of the unconstrained estimator.
    max_groups : int, default 30
        Smaller groups are pooled until this many are left: every constraint costs fits.
    max_iter, eps : passed to ExponentiatedGradient
    tolerance : float, default 0.01
        Relative excess over the bound that still counts as satisfied.
    """
    from fairlearn.reductions import AbsoluteLoss, BoundedGroupLoss, ExponentiatedGradient, MeanLoss
    from sklearn.base import clone

    def signed_weights(self: Any, lambda_vec: pd.Series | None = None) -> pd.Series:
        # Fairlearn's own asks row by row, which takes as long as the fits.
        adjust = pd.Series(1.0, index=self.index) if lambda_vec is None else lambda_vec / self.prob_attr
        return self.tags["group_id"].map(adjust)

    bounded = type("Bounded", (BoundedGroupLoss,), {"signed_weights": signed_weights})
    mean = type("Mean", (MeanLoss,), {"signed_weights": signed_weights})
    target = finite_vector(y, "y")
    same_length(y=target, x=x, sensitive_features=sensitive_features)
    if max_groups < 2:
        raise ValueError(f"max_groups must be at least 2, got {max_groups}")
    groups = comparable_groups(pool_groups(sensitive_features, max_groups), "sensitive_features")
    started = time.perf_counter()
    fits = 0
    if upper_bound is None:
        free = clone(estimator).fit(x, target)
        fits = 1
        losses = np.abs(free.predict(x) - target)
        upper_bound = float((losses.mean() + pd.Series(losses).groupby(groups).mean().max()) / 2)
    # Fairlearn clips targets and predictions to this range, and what lies outside would count as no error.
    margin = float(np.ptp(target)) or 1.0
    loss = AbsoluteLoss(target.min() - margin, target.max() + margin)
    reduction = ExponentiatedGradient(
        clone(estimator),
        bounded(loss, upper_bound=upper_bound),
        objective=mean(loss),
        eps=eps,
        max_iter=max_iter,
    )
    with warnings.catch_warnings():
        # Fairlearn 0.15 enlarges its own Series in a way that pandas 3 deprecates.
        warnings.filterwarnings("ignore", message="Setting a value on a Series via .at")
        reduction.fit(x, target, sensitive_features=pd.Series(groups))
    used = [number for number, weight in reduction.weights_.items() if weight > 0]
    predictors = tuple(reduction.predictors_[number] for number in used)
    weights = np.array([reduction.weights_[number] for number in used])
    weights /= weights.sum()
    achieved = pd.Series(np.abs(weighted_mean(predictors, weights, x) - target)).groupby(groups).mean()
    return ConstrainedModel(
        predictors,
        weights,
        upper_bound,
        {str(name): float(value) for name, value in achieved.items()},
        bool(achieved.max() <= upper_bound * (1 + tolerance)),
        fits + int(reduction.n_oracle_calls_),
        time.perf_counter() - started,
    )


def pool_groups(sensitive_features: Any, max_groups: int) -> NDArray[np.object_]:
    """Group names with all but the ``max_groups - 1`` largest groups pooled, if there are too many."""
    names = group_names(sensitive_features)
    counts = pd.Series(names, dtype=object).value_counts()
    if len(counts) <= max_groups:
        return names
    kept = set(counts.index[: max_groups - 1])
    return np.array([name if name in kept else OTHER_GROUPS for name in names], dtype=object)


def weighted_mean(predictors: tuple[Any, ...], weights: NDArray[np.float64], x: Any) -> NDArray[np.float64]:
    """Mean of the predictors' values."""
    return np.average([np.asarray(p.predict(x), dtype=float) for p in predictors], axis=0, weights=weights)
