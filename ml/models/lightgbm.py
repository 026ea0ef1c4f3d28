"""Gradient boosting by LightGBM: medians by absolute loss, 0/1 labels by log loss, grades by LambdaRank."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.models.lightgbm_scorers import BINARY, HAZARD, RANKING
from ml.models.spec import Loss, ModelSpec, Params, Validation

PATIENCE = 30


def _build(params: Mapping[str, Any], seed: int, loss: Loss) -> Any:
    import lightgbm

    return lightgbm.LGBMRegressor(
        objective="regression_l1" if loss == "absolute" else "regression",
        random_state=seed,
        deterministic=True,
        # The same trees; by rows a head that samples a fifth of the columns takes a quarter longer.
        force_col_wise=True,
        subsample_freq=1,
        n_jobs=1,
        verbose=-1,
        **params,
    )


def _fit(
    estimator: Any,
    x: NDArray[Any],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    validation: Validation | None,
) -> None:
    import lightgbm

    if validation is None:
        estimator.fit(x, y, sample_weight=weight)
        return
    stop = lightgbm.early_stopping(PATIENCE, verbose=False)
    seen, truth, importance = validation
    estimator.fit(
        x, y, sample_weight=weight, eval_X=(seen,), eval_y=(truth,), eval_sample_weight=[importance],
        eval_metric="l1", callbacks=[stop],
    )  # fmt: skip


def _best_iteration(estimator: Any) -> int | None:
    return int(estimator.best_iteration_) if estimator.best_iteration_ else None


def _native(estimator: Any) -> tuple[str, bytes]:
    return ".txt", estimator.booster_.model_to_string().encode()


def _search_space(trial: Any) -> Params:
    return {
        "max_depth": trial.suggest_categorical("max_depth", [4, 6, 8, 10, -1]),
        "num_leaves": trial.suggest_int("num_leaves", 15, 255, log=True),
        "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.2, log=True),
        "subsample": trial.suggest_float("subsample", 0.6, 1.0),
        "colsample_bytree": trial.suggest_float("colsample_bytree", 0.2, 1.0),
        "min_child_samples": trial.suggest_int("min_child_samples", 10, 200, log=True),
        "reg_alpha": trial.suggest_float("reg_alpha", 0.0, 1.0),
        "reg_lambda": trial.suggest_float("reg_lambda", 0.0, 10.0),
    }


SPEC = ModelSpec(
    name="lightgbm",
    build=_build,
    complexity=4,
    search_space=_search_space,
    defaults={
        "n_estimators": 400,
        "learning_rate": 0.05,
        "num_leaves": 31,
        "subsample": 0.8,
        "colsample_bytree": 0.5,
        "min_child_samples": 40,
    },
    timing={"n_estimators": 150, "colsample_bytree": 0.2, "min_child_samples": 100},
    timing_seeds=3,
    fit=_fit,
    best_iteration=_best_iteration,
    native=_native,
    scoring={"binary": BINARY, "ranking": RANKING, "hazard": HAZARD},
)
