"""Linear regression behind a scaler, fitted by stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ml.models.sgd import ScaledRegressor
from ml.models.spec import Loss, ModelSpec, Params


def _build(params: Mapping[str, Any], seed: int, loss: Loss) -> ScaledRegressor:
    options: dict[str, Any] = {"tol": None, "average": True, **params}
    if loss == "squared":
        options["loss"] = "squared_error"
    return ScaledRegressor(sgd=options, seed=seed)


def _search_space(trial: Any) -> Params:
    return {
        "loss": trial.suggest_categorical("loss", ["epsilon_insensitive", "huber", "squared_error"]),
        "penalty": trial.suggest_categorical("penalty", ["l2", "l1", "elasticnet"]),
        "alpha": trial.suggest_float("alpha", 1e-5, 1e1, log=True),
        "max_iter": trial.suggest_int("max_iter", 3, 20, log=True),
        "eta0": trial.suggest_float("eta0", 1e-4, 1e-2, log=True),
    }


SPEC = ModelSpec(
    name="linear",
    build=_build,
    complexity=1,
    search_space=_search_space,
    defaults={
        "loss": "epsilon_insensitive",
        "epsilon": 0.05,
        "penalty": "l2",
        "alpha": 1e-3,
        "eta0": 1e-3,
        "max_iter": 8,
    },
)
