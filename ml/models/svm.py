"""Support vector regression with an RBF kernel, by Nystroem features and stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ml.models.sgd import ScaledRegressor
from ml.models.spec import Loss, ModelSpec, Params


def _build(params: Mapping[str, Any], seed: int, loss: Loss) -> ScaledRegressor:
    options = dict(params)
    kernel = {"n_components": options.pop("n_components"), "gamma": options.pop("gamma")}
    sgd: dict[str, Any] = {"tol": None, "average": True, "penalty": "l2", **options}
    sgd["loss"] = "epsilon_insensitive" if loss == "absolute" else "squared_error"
    return ScaledRegressor(sgd=sgd, kernel=kernel, seed=seed)


def _search_space(trial: Any) -> Params:
    return {
        "n_components": trial.suggest_categorical("n_components", [250, 500]),
        "gamma": trial.suggest_categorical("gamma", [1.0, 0.3, 0.1, 0.03, 0.01]),
        "alpha": trial.suggest_float("alpha", 1e-6, 1e-1, log=True),
        "max_iter": trial.suggest_int("max_iter", 3, 20, log=True),
        "eta0": trial.suggest_float("eta0", 1e-4, 1e-2, log=True),
    }


SPEC = ModelSpec(
    name="svm",
    build=_build,
    complexity=2,
    search_space=_search_space,
    defaults={"n_components": 250, "gamma": 0.1, "epsilon": 0.05, "alpha": 1e-5, "eta0": 1e-3, "max_iter": 8},
)
