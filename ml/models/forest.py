"""Random forest: leaves answer with medians, and its chances are told by one that is grown on bins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import RandomForestRegressor

from ml.models.lightgbm_scorers import booster_of
from ml.models.spec import Loss, ModelSpec, Params
from ml.store.trusted import loadable


@loadable
class MedianForest(RegressorMixin, BaseEstimator):
    """Grow by squared error, which is fast, then replace each leaf's mean by the weighted median of its rows.

    The absolute-error criterion of scikit-learn is quadratic in the size of a node; leaf medians give
    the same kind of answer (Meinshausen 2006, Quantile Regression Forests) at no cost in growing. There is no
    public way to give a fitted tree other leaves: its array of values is written in place.

    Parameters
    ----------
    forest : dict
        Arguments of `sklearn.ensemble.RandomForestRegressor`.
    seed : int
    """

    def __init__(self, forest: dict[str, Any], seed: int = 0) -> None:
        self.forest = forest
        self.seed = seed

    def fit(
        self, x: NDArray[Any], y: NDArray[np.float64], sample_weight: NDArray[np.float64] | None = None
    ) -> Self:
        """Grow the trees and fill the leaves."""
        weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
        options = dict(self.forest)
        if "max_samples" in options:
            # A share would be taken of the sum of the weights, not of the rows.
            options["max_samples"] = max(1, round(options["max_samples"] * len(y)))
        self.forest_ = RandomForestRegressor(random_state=self.seed, n_jobs=2, **options)
        self.forest_.fit(x, y, sample_weight=weight)
        # Threads would add the trees' answers in the order in which they finish: other last digits each time.
        self.forest_.set_params(n_jobs=1)
        leaves = self.forest_.apply(x)
        order = np.argsort(y, kind="stable")
        for column, tree in enumerate(self.forest_.estimators_):
            _fill_with_medians(tree.tree_, leaves[order, column], y[order], weight[order])
        return self

    def predict(self, x: NDArray[Any]) -> NDArray[np.float64]:
        """Return the mean of the trees' answers."""
        return self.forest_.predict(x)

    @property
    def feature_importances_(self) -> NDArray[np.float64]:
        """What the splits of each column took from the squared error, shape (d,)."""
        return np.asarray(self.forest_.feature_importances_)


@loadable
class MeanForest(RegressorMixin, BaseEstimator):
    """LightGBM's forest: it knows no medians, and tells chances better than sorted rows do in half the time.

    It learns what is left of the mean: to its sum a tree that finds no split adds nothing.

    Parameters
    ----------
    forest : dict
        Parameters of a `MedianForest`.
    seed : int
    """

    def __init__(self, forest: dict[str, Any], seed: int = 0) -> None:
        self.forest = forest
        self.seed = seed

    def fit(
        self, x: NDArray[Any], y: NDArray[np.float64], sample_weight: NDArray[np.float64] | None = None
    ) -> Self:
        """Grow the trees."""
        import lightgbm

        share, least = self.forest["max_samples"], self.forest["min_samples_leaf"]
        settings = {
            "objective": "regression", "boosting": "rf", "subsample_freq": 1,
            # Left alone it stops at 31 leaves; 400 of the least size are the rows of a tree of the corpus.
            "max_depth": self.forest["max_depth"], "num_leaves": 400,
            "min_child_samples": least, "subsample": share,
            # Half of the columns are summed up for a tree, and so many of these tried at a split.
            "colsample_bytree": 0.5,
            "feature_fraction_bynode": min(1.0, 2.0 * self.forest["max_features"]),
            # Few bins, set by some of the rows, cost nothing at any rolling origin.
            "max_bin": 63, "subsample_for_bin": 10_000,
            "seed": self.seed, "num_threads": 1, "deterministic": True, "force_col_wise": True, "verbose": -1,
        }  # fmt: skip
        self.mean_ = float(np.average(y, weights=sample_weight))
        self.text_ = ""
        # Of fewer rows no tree has two leaves, and of very few LightGBM's answer is not a number.
        if share * len(y) >= 2 * least:
            rows = lightgbm.Dataset(x, y - self.mean_, weight=sample_weight, params=settings)
            self.text_ = lightgbm.train(settings, rows, self.forest["n_estimators"]).model_to_string()
        return self

    def predict(self, x: NDArray[Any]) -> NDArray[np.float64]:
        """Return the mean of the trees' answers."""
        if not self.text_:
            return np.full(len(x), self.mean_)
        return self.mean_ + np.asarray(booster_of(self.text_).predict(x, num_threads=1), dtype=np.float64)


def _fill_with_medians(
    tree: Any, leaf: NDArray[np.int64], y: NDArray[np.float64], weight: NDArray[np.float64]
) -> None:
    """Set the value of every leaf to the weighted median of its rows, which come sorted by ``y``."""
    order = np.argsort(leaf, kind="stable")
    leaf, y, weight = leaf[order], y[order], weight[order]
    total = np.cumsum(weight)
    first = np.flatnonzero(np.r_[True, leaf[1:] != leaf[:-1]])
    before = total[first] - weight[first]
    end = np.r_[total[first[1:] - 1], total[-1]]
    middle = np.searchsorted(total, before + (end - before) / 2.0)
    last = np.r_[first[1:] - 1, len(leaf) - 1]
    tree.value[leaf[first], 0, 0] = y[np.minimum(middle, last)]


def _build(params: Mapping[str, Any], seed: int, loss: Loss) -> Any:
    return (MedianForest if loss == "absolute" else MeanForest)(dict(params), seed)


def _search_space(trial: Any) -> Params:
    return {
        "max_depth": trial.suggest_int("max_depth", 5, 29),
        "max_samples": trial.suggest_float("max_samples", 0.2, 0.8),
        "min_samples_leaf": trial.suggest_int("min_samples_leaf", 5, 60, log=True),
        "max_features": trial.suggest_float("max_features", 0.05, 0.4),
    }


SPEC = ModelSpec(
    name="forest",
    build=_build,
    complexity=3,
    search_space=_search_space,
    defaults={
        "n_estimators": 60,
        "max_depth": 18,
        "max_samples": 0.4,
        "min_samples_leaf": 15,
        "max_features": 0.15,
    },
    timing={"n_estimators": 40, "max_samples": 0.35, "min_samples_leaf": 25},
    # Its defaults won every search on the open corpus.
    search_pays=False,
)
