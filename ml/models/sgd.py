"""A scaler before a linear learner that is fitted by stochastic gradients; shared by two families."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import SGDRegressor
from sklearn.preprocessing import StandardScaler

from ml.store.trusted import loadable


@loadable
class ScaledRegressor(RegressorMixin, BaseEstimator):
    """Standardise, optionally map to Nystroem features of an RBF kernel, then fit by gradient steps.

    The target is standardised too: step sizes and epsilon then mean the same on every data set.

    Parameters
    ----------
    sgd : dict
        Arguments of `sklearn.linear_model.SGDRegressor`.
    kernel : dict or None
        Arguments of `sklearn.kernel_approximation.Nystroem`; None for a linear model. ``gamma`` is
        divided by the number of columns, so that it does not depend on the width of the matrix.
    seed : int
    """

    def __init__(self, sgd: dict[str, Any], kernel: dict[str, Any] | None = None, seed: int = 0) -> None:
        self.sgd = sgd
        self.kernel = kernel
        self.seed = seed

    def fit(
        self, x: NDArray[Any], y: NDArray[np.float64], sample_weight: NDArray[np.float64] | None = None
    ) -> Self:
        """Fit all steps; the weights reach the scaler and the last step."""
        weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
        weight = weight / weight.mean()
        self.centre_ = float(np.average(y, weights=weight))
        self.spread_ = float(np.sqrt(np.average((y - self.centre_) ** 2, weights=weight))) or 1.0
        self.scaler_ = StandardScaler().fit(x, sample_weight=weight)
        scaled = self._scale(x)
        self.map_ = None
        if self.kernel is not None:
            options = dict(self.kernel)
            options["n_components"] = min(options["n_components"], len(x))
            options["gamma"] = options["gamma"] / x.shape[1]
            self.map_ = Nystroem(kernel="rbf", random_state=self.seed, **options).fit(scaled)
            scaled = self._centred_map(scaled)
        self.regressor_ = SGDRegressor(random_state=self.seed, **self.sgd)
        self.regressor_.fit(scaled, (y - self.centre_) / self.spread_, sample_weight=weight)
        return self

    def predict(self, x: NDArray[Any]) -> NDArray[np.float64]:
        """Return predictions in the target's own unit."""
        scaled = self._scale(x)
        if self.map_ is not None:
            scaled = self._centred_map(scaled)
        return self.regressor_.predict(scaled) * self.spread_ + self.centre_

    @property
    def feature_importances_(self) -> NDArray[np.float64] | None:
        """Size of the coefficient of each standardised column, shape (d,); None behind a kernel."""
        return None if self.map_ is not None else np.abs(self.regressor_.coef_)

    def _scale(self, x: NDArray[Any]) -> NDArray[np.float64]:
        # Far outliers would dominate the gradient steps and, in prediction, the answer.
        # In double precision: the kernel map is near to singular and blows rounding up a thousandfold.
        return np.clip(self.scaler_.transform(x.astype(np.float64)), -6.0, 6.0)

    def _centred_map(self, scaled: NDArray[np.float64]) -> NDArray[np.float64]:
        assert self.map_ is not None
        # Kernel features lie near 1 / sqrt(components): bring them to unit size for the step rule.
        return self.map_.transform(scaled) * np.sqrt(self.map_.n_components)
