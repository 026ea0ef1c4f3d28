"""LightGBM for 0/1 labels and for grades: the same bytes for the same rows, parameters and seed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from ml.models.fitted_scorer import FittedScorer
from ml.models.spec import Params, Rows, ScoringFamily, Values, Watch
from ml.models.tree_contributions import tree_contributions
from ml.store.trusted import loadable

Objective = Literal["binary", "lambdarank"]

KNOWN_PARAMS = frozenset(
    {
        "n_estimators", "num_leaves", "max_depth", "learning_rate", "min_child_samples", "subsample",
        "subsample_freq", "colsample_bytree", "reg_alpha", "reg_lambda", "min_split_gain", "max_bin",
        "subsample_for_bin", "scale_pos_weight", "lambdarank_truncation_level", "lambdarank_norm",
        "label_gain", "gain_trees", "falling",
    }
)  # fmt: skip

# From so many rows on it is cheaper to go by leaves than by rows: at 6,000 a sixth.
_MANY_ROWS = 500
_TINY = np.finfo(np.float64).epsneg


@loadable
class BoostedScorer(FittedScorer):
    """A booster in LightGBM's text format.

    Parameters
    ----------
    text : str
    best_iteration : int or None
        Trees kept by early stopping, without those that it started from.
    """

    def __init__(self, text: str, best_iteration: int | None = None) -> None:
        self.text = text
        self.best_iteration = best_iteration

    def score(self, x: NDArray[np.float32]) -> Values:
        """Return the sum of the trees for every row."""
        if len(x) == 0:
            return np.zeros(0)
        return np.asarray(booster_of(self.text).predict(x, raw_score=True, num_threads=1), dtype=np.float64)

    def contributions(self, x: NDArray[np.float32]) -> Values:
        """Return LightGBM's own contributions (Lundberg et al. 2020), without the constant part."""
        booster = booster_of(self.text)
        if len(x) >= _MANY_ROWS:
            return tree_contributions(booster.dump_model(), x)
        # All threads: each works on rows of its own, and adds up nothing together with others.
        return np.asarray(booster.predict(x, pred_contrib=True))[:, :-1]

    @property
    def feature_importances_(self) -> NDArray[np.float64]:
        """What the splits of each column gained, shape (d,)."""
        return np.asarray(booster_of(self.text).feature_importance("gain"), dtype=np.float64)

    def native(self) -> tuple[str, bytes]:
        """Return the text."""
        return ".txt", self.text.encode()

    def booster(self) -> Any:
        """Return the `lightgbm.Booster`."""
        return booster_of(self.text)


@lru_cache(maxsize=32)
def booster_of(text: str) -> Any:
    """Return the `lightgbm.Booster` of a text; parsed once for all that is asked of it."""
    import lightgbm

    return lightgbm.Booster(model_str=text)


def check_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters, completed so that each of them acts.

    Raises
    ------
    ValueError
        For unknown names, and for a ``subsample`` below 1 that ``subsample_freq`` 0 would switch off.
    """
    unknown = sorted(set(params) - KNOWN_PARAMS)
    if unknown:
        raise ValueError(f"The parameters {unknown} are unknown: choose from {sorted(KNOWN_PARAMS)}.")
    checked = dict(params)
    if checked.get("subsample", 1.0) < 1.0 and checked.setdefault("subsample_freq", 1) < 1:
        raise ValueError(
            f"subsample {checked['subsample']} does nothing with subsample_freq {checked['subsample_freq']}: "
            "set subsample_freq to 1 or more."
        )
    return checked


def fit_booster(
    objective: Objective, train: Rows, params: Mapping[str, Any], seed: int, watch: Watch | None = None
) -> BoostedScorer:
    """Fit one booster; with ``watch`` it stops early and is cut at its best iteration.

    Parameters
    ----------
    objective : {"binary", "lambdarank"}
    train : Rows
    params : mapping
        By their scikit-learn names; see `KNOWN_PARAMS`. ``gain_trees``, for LambdaRank only, is a number of
        trees of odds and gain that it starts from, and on which ``n_estimators`` more are built. ``falling``
        are names of columns, those that the rows have: as one of them grows no score rises.
    seed : int
    watch : Watch or None
    """
    import lightgbm

    rounds, gain_trees, settings = _settings(objective, params, seed, train.names)
    rows = _by_group(train) if objective == "lambdarank" else train
    data = _lightgbm_rows(rows, objective)
    start = _weighted_odds(rows, settings, gain_trees) if gain_trees else None
    if watch is None:
        return BoostedScorer(_text(lightgbm.train(settings, data, rounds, init_model=start)))

    chosen, seen = watch, _by_group(watch.rows)
    place = np.argsort(np.argsort(watch.rows.groups.astype(str), kind="stable"), kind="stable")

    def evaluate(given: NDArray[np.float64], of: Any) -> tuple[str, float, bool]:
        # LightGBM hands probabilities over here, and scores everywhere else.
        raw = logit(np.clip(given, _TINY, 1.0 - _TINY)) if objective == "binary" else np.asarray(given)
        score = chosen.judge(raw[place])
        return "judged", score if np.isfinite(score) else 0.0, True

    watched = lightgbm.Dataset(
        seen.x, seen.y, reference=data, group=_group_sizes(seen) if objective == "lambdarank" else None
    )
    booster = lightgbm.train(
        settings,
        data,
        rounds,
        init_model=start,
        valid_sets=[watched],
        feval=evaluate,
        callbacks=[lightgbm.early_stopping(watch.patience, verbose=False)],
    )
    best = int(booster.best_iteration)
    return BoostedScorer(_text(booster, best), max(1, best - start_trees(params)))


def start_trees(params: Mapping[str, Any]) -> int:
    """Return the number of trees that are there before the first of ``n_estimators``."""
    gain_trees = int(params.get("gain_trees", 0))
    return gain_trees + 1 if gain_trees else 0


def _settings(
    objective: Objective, params: Mapping[str, Any], seed: int, names: Sequence[str]
) -> tuple[int, int, dict[str, Any]]:
    given = check_params(params)
    falling = set(given.pop("falling", ()))
    if falling:
        given["monotone_constraints"] = [-int(name in falling) for name in names]
    rounds, gain_trees = int(given.pop("n_estimators", 500)), int(given.pop("gain_trees", 0))
    if gain_trees and objective != "lambdarank":
        raise ValueError(f"gain_trees {gain_trees} has a meaning for LambdaRank only: leave it out.")
    settings = {
        "objective": objective,
        "metric": "None",
        "seed": seed,
        "num_threads": 1,  # sums in another order give other last digits, hence other bytes
        "deterministic": True,
        "force_col_wise": True,  # as `ml.models.lightgbm`: the same trees, by columns in a third of the time
        "verbose": -1,
        **given,
    }
    return rounds, gain_trees, settings


def _weighted_odds(rows: Rows, settings: Mapping[str, Any], gain_trees: int) -> Any:
    """Return trees whose sum is the log odds of being relevant and the log of a relevant row's gain.

    The order by expected gain, P(relevant) times the gain of a relevant row, is the best one for DCG (Cossock
    and Zhang 2008), and the order by P(relevant) for average precision. Odds in place of P hold both: certain
    rows are so far from doubtful ones that no gain lifts these over those. One tree, fitted on relevant rows,
    learns the gain, the others on all rows the odds. LambdaRank alone has to find both from the pairs of a
    few dozen groups.
    """
    import lightgbm

    by_grade = settings.get("label_gain")
    gain = np.asarray(by_grade, dtype=np.float64)[rows.y.astype(int)] if by_grade else 2.0**rows.y - 1.0
    relevant = gain > 0
    if not relevant.any():
        return None
    shared = {k: v for k, v in settings.items() if k != "label_gain" and not k.startswith("lambdarank_")}
    is_relevant = _lightgbm_rows(replace(rows, y=relevant.astype(np.float64)), "binary")
    odds = lightgbm.train({**shared, "objective": "binary"}, is_relevant, gain_trees)
    # Nothing but the grade is to be learned here: neither sampling nor shrinkage may blur it.
    one_tree = {
        **shared, "objective": "regression", "learning_rate": 1.0, "num_leaves": 7, "min_child_samples": 10,
        "subsample": 1.0, "subsample_freq": 0, "colsample_bytree": 1.0, "reg_alpha": 0.0, "reg_lambda": 0.0,
        "min_split_gain": 0.0,
    }  # fmt: skip
    graded = rows.at(relevant)
    # What a tree adds to others is what they leave of its target.
    target = np.log(gain[relevant]) + np.asarray(odds.predict(graded.x, raw_score=True, num_threads=1))
    return lightgbm.train(
        one_tree, _lightgbm_rows(replace(graded, y=target), "regression"), 1, init_model=odds
    )


def _lightgbm_rows(rows: Rows, objective: str) -> Any:
    import lightgbm

    # The names are made safe: LightGBM refuses those with JSON characters.
    return lightgbm.Dataset(
        rows.x, rows.y, weight=rows.weight, feature_name=safe_names(rows.names),
        group=_group_sizes(rows) if objective == "lambdarank" else None,
    )  # fmt: skip


def _text(booster: Any, iterations: int = -1) -> str:
    """Return the booster in LightGBM's text format, whole or cut after some iterations."""
    return str(booster.model_to_string(num_iteration=iterations))


def _by_group(rows: Rows) -> Rows:
    """Return the rows with every group in one piece, as LightGBM needs them."""
    return rows.at(np.argsort(rows.groups.astype(str), kind="stable"))


def _group_sizes(rows: Rows) -> list[int]:
    _, counts = np.unique(rows.groups.astype(str), return_counts=True)
    return [int(count) for count in counts]


def safe_names(names: Sequence[str]) -> list[str]:
    """Return names of letters, digits and underscores, all different."""
    made: dict[str, None] = {}
    for position, name in enumerate(names):
        safe = re.sub(r"[^A-Za-z0-9_]", "_", name)
        while safe in made:
            safe = f"{safe}_{position}"
        made[safe] = None
    return list(made)


def _fit_binary(rows: Rows, params: Mapping[str, Any], seed: int, watch: Watch | None) -> BoostedScorer:
    return fit_booster("binary", rows, params, seed, watch)


def _fit_ranking(rows: Rows, params: Mapping[str, Any], seed: int, watch: Watch | None) -> BoostedScorer:
    return fit_booster("lambdarank", rows, params, seed, watch)


def _search_space(trial: Any) -> Params:
    return {
        "num_leaves": trial.suggest_int("num_leaves", 8, 100, log=True),
        "max_depth": trial.suggest_int("max_depth", 3, 10),
        "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.1, log=True),
        "n_estimators": trial.suggest_int("n_estimators", 50, 500, step=25),
        "min_child_samples": trial.suggest_int("min_child_samples", 10, 50),
        "subsample": trial.suggest_float("subsample", 0.6, 1.0),
        "subsample_freq": trial.suggest_int("subsample_freq", 1, 5),
        "colsample_bytree": trial.suggest_float("colsample_bytree", 0.2, 1.0),
        "reg_alpha": trial.suggest_float("reg_alpha", 0.0, 1.0),
        "reg_lambda": trial.suggest_float("reg_lambda", 0.0, 10.0),
    }


def _ranking_space(trial: Any) -> Params:
    """Suggest also how far down a list pairs count, and where LambdaRank starts."""
    own = {
        "lambdarank_truncation_level": trial.suggest_int("lambdarank_truncation_level", 10, 200, log=True),
        "gain_trees": trial.suggest_int("gain_trees", 0, 800, step=100),
    }
    return {**_search_space(trial), **own}


BINARY = ScoringFamily(
    fit=_fit_binary,
    defaults={
        "n_estimators": 1000,
        "learning_rate": 0.03,
        "num_leaves": 15,
        "max_depth": 5,
        "min_child_samples": 30,
        "subsample": 0.8,
        "subsample_freq": 1,
        "colsample_bytree": 0.4,
        "reg_lambda": 1.0,
    },
    search_space=_search_space,
    inputs="gaps",
    rounds="n_estimators",
)

RANKING = ScoringFamily(
    fit=_fit_ranking,
    defaults={
        **BINARY.defaults,
        # LambdaRank starts from an order by odds and gain: in forward cuts it put more at the top than
        # LambdaRank alone, whose number of trees a few groups decide badly. More of these trees, of a slower
        # rate, gained nothing there.
        "gain_trees": 200,
        # Far beyond the k of NDCG@k: pairs further down teach what is relevant at all, which average
        # precision needs, and forward cuts showed no loss at the top.
        "lambdarank_truncation_level": 120,
    },
    search_space=_ranking_space,
    inputs="gaps",
    rounds="n_estimators",
    # Folds of two or three groups stop after a few trees, which put less at the top of the cuts than these.
    least_rounds=100,
)

# The chance to end in a period ahead has far more rows than other labels of 0 and 1. Few columns per tree
# paid in rolling origins, still fewer cost. There 100 steps of .1 are as good as 250 of .05 (integrated Brier
# score of two seeds each -.0002 [-.0013, .0008]), 70 of .15 are worse, and a second seed gains more than
# smaller steps. Bounds of 63 bins need no more than a fifth of the rows.
HAZARD = ScoringFamily(
    fit=_fit_binary,
    defaults={
        "n_estimators": 100,
        "learning_rate": 0.1,
        "num_leaves": 31,
        "min_child_samples": 100,
        "subsample": 0.7,
        "subsample_freq": 1,
        "colsample_bytree": 0.15,
        "reg_lambda": 5.0,
        "max_bin": 63,
        "subsample_for_bin": 50_000,
    },
    search_space=_search_space,
    inputs="gaps",
)
