"""Gradient boosting by LightGBM: medians by absolute loss, 0/1 labels by log loss, grades by LambdaRank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from ml.models.lightgbm_scorers import BINARY, HAZARD, RANKING, booster_of
from ml.models.spec import Loss, ModelSpec, Params, Validation
from ml.store.trusted import loadable

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
        # What a feature is worth is what its splits gained, not how many there are.
        importance_type="gain",
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


@loadable
class BoostedRegressor(BaseEstimator):
    """What remains of a fitted `lightgbm.LGBMRegressor`: its trees, in LightGBM's text format.

    Parameters
    ----------
    text : str
    """

    def __init__(self, text: str) -> None:
        self.text = text

    def fit(self, x: object = None, y: object = None) -> Self:
        """Do nothing: the trees are there."""
        return self

    def predict(self, x: NDArray[Any]) -> NDArray[np.float64]:
        """Return the sum of the trees for every row."""
        return np.asarray(booster_of(self.text).predict(x, num_threads=1), dtype=np.float64)


def _fit_alike(
    estimators: Sequence[Any], x: NDArray[Any], y: NDArray[np.float64], weight: NDArray[np.float64]
) -> Sequence[Any]:
    """Sort the rows into bins once, which takes half as long as growing the trees of one."""
    import lightgbm

    # Of the regressor's own: what is not set, and what only its other methods read.
    settings = [
        {
            name: value
            for name, value in estimator.get_params().items()
            if value is not None and name not in ("n_estimators", "importance_type")
        }
        for estimator in estimators
    ]
    rows = lightgbm.Dataset(x, y, weight=weight, params=settings[0], free_raw_data=False)
    return [
        BoostedRegressor(lightgbm.train(own, rows, estimator.n_estimators).model_to_string())
        for own, estimator in zip(settings, estimators, strict=True)
    ]


def _best_iteration(estimator: Any) -> int | None:
    return int(estimator.best_iteration_) if estimator.best_iteration_ else None


def _learning_curve(estimator: Any) -> list[float]:
    return estimator.evals_result_.get("valid_0", {}).get("l1", [])


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
    # Few bins, set by some of the rows, cost the chances nothing at any rolling origin; nor do larger steps.
    timing={
        "n_estimators": 110,
        "learning_rate": 0.065,
        "colsample_bytree": 0.2,
        "min_child_samples": 100,
        "max_bin": 63,
        "subsample_for_bin": 10_000,
    },
    timing_seeds=3,
    fit=_fit,
    fit_alike=_fit_alike,
    best_iteration=_best_iteration,
    learning_curve=_learning_curve,
    native=_native,
    scoring={"binary": BINARY, "ranking": RANKING, "hazard": HAZARD},
)
