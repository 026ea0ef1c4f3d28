"""Gradient boosting by XGBoost (hist), absolute loss, early stopping on the validation part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.backend import cluster_of_rows
from ml.models.spec import Loss, ModelSpec, Params, Validation
from ml.models.xgboost_rows import ENGINE, fit_spread, spread_rows

PATIENCE = 30


def _build(params: Mapping[str, Any], seed: int, loss: Loss) -> Any:
    import xgboost

    return xgboost.XGBRegressor(
        objective="reg:absoluteerror" if loss == "absolute" else "reg:squarederror",
        tree_method="hist",
        random_state=seed,
        n_jobs=1,
        **params,
    )


def _fit(
    estimator: Any,
    x: NDArray[Any],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    validation: Validation | None,
) -> None:
    if cluster := cluster_of_rows():
        fit_spread(cluster, estimator, spread_rows(cluster, x, y, weight), validation, PATIENCE)
        return
    if validation is None:
        estimator.fit(x, y, sample_weight=weight, verbose=False)
        return
    estimator.set_params(early_stopping_rounds=PATIENCE)
    seen, truth, importance = validation
    estimator.fit(
        x,
        y,
        sample_weight=weight,
        eval_set=[(seen, truth)],
        sample_weight_eval_set=[importance],
        verbose=False,
    )


def _fit_alike(
    estimators: Sequence[Any], x: NDArray[Any], y: NDArray[np.float64], weight: NDArray[np.float64]
) -> Sequence[Any]:
    """Sort the rows into bins once, which takes as long as growing the trees of one."""
    import xgboost

    if cluster := cluster_of_rows():
        shared = spread_rows(cluster, x, y, weight)
        for estimator in estimators:
            fit_spread(cluster, estimator, shared, None, PATIENCE)
        return estimators
    one = estimators[0]
    rows = xgboost.QuantileDMatrix(
        x, label=y, weight=weight, max_bin=one.max_bin, missing=one.missing, nthread=1
    )
    for estimator in estimators:
        trees = xgboost.train(estimator.get_xgb_params(), rows, estimator.get_num_boosting_rounds())
        estimator.load_model(trees.save_raw("ubj"))
    return estimators


def _best_iteration(estimator: Any) -> int | None:
    best = getattr(estimator, "best_iteration", None) if estimator.early_stopping_rounds else None
    return None if best is None else int(best) + 1


def _learning_curve(estimator: Any) -> list[float]:
    return getattr(estimator, "evals_result_", {}).get("validation_0", {}).get("mae", [])


def _native(estimator: Any) -> tuple[str, bytes]:
    return ".json", bytes(estimator.get_booster().save_raw(raw_format="json"))


def _search_space(trial: Any) -> Params:
    return {
        "max_depth": trial.suggest_int("max_depth", 1, 7),
        "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.3, log=True),
        "min_child_weight": trial.suggest_float("min_child_weight", 1.0, 100.0, log=True),
        "gamma": trial.suggest_categorical("gamma", [0.0, 0.1, 1.0]),
        "subsample": trial.suggest_float("subsample", 0.3, 1.0),
        "colsample_bytree": trial.suggest_float("colsample_bytree", 0.2, 1.0),
        "reg_lambda": trial.suggest_float("reg_lambda", 0.1, 10.0, log=True),
    }


SPEC = ModelSpec(
    name="xgboost",
    build=_build,
    complexity=5,
    search_space=_search_space,
    defaults={
        "n_estimators": 400,
        "learning_rate": 0.07,
        "max_depth": 5,
        "min_child_weight": 20.0,
        "subsample": 0.7,
        "colsample_bytree": 0.5,
        "max_bin": 128,
    },
    # Shallow trees of few bins tell chances as well at the rolling origins, in three quarters of the time.
    timing={"n_estimators": 120, "colsample_bytree": 0.25, "max_depth": 4, "max_bin": 63},
    timing_seeds=3,
    fit=_fit,
    fit_alike=_fit_alike,
    best_iteration=_best_iteration,
    learning_curve=_learning_curve,
    native=_native,
    row_engine=ENGINE,
)
