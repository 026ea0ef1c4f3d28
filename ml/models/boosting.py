"""LightGBM boosters for 0/1 labels and for grades, the same bytes for the same rows, parameters and seed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Objective = Literal["binary", "lambdarank"]
# Larger is better: (truth, raw score) of the validation rows, in their order.
Judge = Callable[[NDArray[np.float64], NDArray[np.float64]], float]

KNOWN_PARAMS = frozenset(
    {
        "n_estimators", "num_leaves", "max_depth", "learning_rate", "min_child_samples", "subsample",
        "subsample_freq", "colsample_bytree", "reg_alpha", "reg_lambda", "min_split_gain", "max_bin",
        "scale_pos_weight", "lambdarank_truncation_level", "lambdarank_norm", "label_gain", "gain_trees",
    }
)  # fmt: skip
MAX_GRADE = 30


@dataclass(frozen=True, eq=False)
class Rows:
    """Encoded rows with their truths; ``groups`` orders the rows of a ranking into queries."""

    x: NDArray[np.float32]
    y: NDArray[np.float64]
    groups: NDArray[np.object_]
    weight: NDArray[np.float64]

    def at(self, rows: NDArray[Any]) -> Rows:
        """Return the rows chosen by positions or by a mask."""
        return Rows(self.x[rows], self.y[rows], self.groups[rows], self.weight[rows])

    def by_group(self) -> Rows:
        """Return the rows with every group in one piece, as LightGBM needs them."""
        return self.at(np.argsort(self.groups.astype(str), kind="stable"))

    def group_sizes(self) -> list[int]:
        """Return the sizes of the groups of rows that `by_group` has ordered."""
        _, counts = np.unique(self.groups.astype(str), return_counts=True)
        return [int(count) for count in counts]


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


def check_grades(relevance: NDArray[np.float64], names: Sequence[str]) -> None:
    """Refuse grades that LambdaRank cannot take.

    Raises
    ------
    ValueError
        When a grade is missing, fractional, negative or above 30; the sentence names the first one.
    """
    bad = ~(np.isfinite(relevance) & (relevance == np.round(relevance)))
    bad |= ~((relevance >= 0) & (relevance <= MAX_GRADE))
    if bad.any():
        at = int(np.flatnonzero(bad)[0])
        raise ValueError(
            f"The relevance of {names[at]!r} is {relevance[at]:g}: a ranker takes whole grades from 0 to "
            f"{MAX_GRADE}; round it, for example to 0-4."
        )


def fit_booster(
    train: Rows,
    names: Sequence[str],
    objective: Objective,
    params: Mapping[str, Any],
    seed: int,
    validation: Rows | None = None,
    judge: Judge | None = None,
    patience: int = 50,
) -> Any:
    """Fit one booster; with ``validation`` and ``judge`` it stops early and is cut at its best iteration.

    Parameters
    ----------
    train, validation : Rows
        The validation rows are only judged, never fitted.
    names : sequence of str
        Names of the columns.
    objective : {"binary", "lambdarank"}
    params : mapping
        By their scikit-learn names; see `KNOWN_PARAMS`. ``gain_trees``, for LambdaRank only, is a number of
        trees of the expected gain that it starts from, and on which ``n_estimators`` more are built.
    seed : int
    judge : callable
    patience : int
        Rounds without a better judgement before it stops.

    Returns
    -------
    lightgbm.Booster
    """
    import lightgbm

    rounds, gain_trees, settings = _settings(objective, params, seed)
    rows = train.by_group() if objective == "lambdarank" else train
    data = _lightgbm_rows(rows, names, objective)
    start = _expected_gain(rows, names, settings, gain_trees) if gain_trees else None
    if validation is None or judge is None:
        return lightgbm.train(settings, data, rounds, init_model=start)
    chosen = judge

    seen = validation.by_group()
    place = np.argsort(np.argsort(validation.groups.astype(str), kind="stable"), kind="stable")

    def evaluate(raw: NDArray[np.float64], of: Any) -> tuple[str, float, bool]:
        score = chosen(validation.y, np.asarray(raw, dtype=np.float64)[place])
        return "judged", score if np.isfinite(score) else 0.0, True

    watched = lightgbm.Dataset(
        seen.x, seen.y, reference=data, group=seen.group_sizes() if objective == "lambdarank" else None
    )
    booster = lightgbm.train(
        settings,
        data,
        rounds,
        init_model=start,
        valid_sets=[watched],
        feval=evaluate,
        callbacks=[lightgbm.early_stopping(patience, verbose=False)],
    )
    return lightgbm.Booster(model_str=text_of(booster, booster.best_iteration))


def start_trees(params: Mapping[str, Any]) -> int:
    """Return the number of trees that are there before the first of ``n_estimators``."""
    gain_trees = int(params.get("gain_trees", 0))
    return gain_trees + 1 if gain_trees else 0


def _settings(objective: Objective, params: Mapping[str, Any], seed: int) -> tuple[int, int, dict[str, Any]]:
    given = check_params(params)
    rounds, gain_trees = int(given.pop("n_estimators", 500)), int(given.pop("gain_trees", 0))
    if gain_trees and objective != "lambdarank":
        raise ValueError(f"gain_trees {gain_trees} has a meaning for LambdaRank only: leave it out.")
    settings = {
        "objective": objective,
        "metric": "None",
        "seed": seed,
        "num_threads": 1,  # sums in another order give other last digits, hence other bytes
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
        **given,
    }
    return rounds, gain_trees, settings


def _expected_gain(rows: Rows, names: Sequence[str], settings: Mapping[str, Any], gain_trees: int) -> Any:
    """Return trees whose sum is the logarithm of a row's expected gain; None when no row has a gain.

    The order by expected gain is the best one for DCG (Cossock and Zhang 2008). It is P(relevant) times the
    gain of a relevant row: one tree, fitted on relevant rows, learns the second, the Poisson trees on all
    rows the first. LambdaRank alone has to find both from the pairs of a few dozen groups.
    """
    import lightgbm

    by_grade = settings.get("label_gain")
    gain = np.asarray(by_grade, dtype=np.float64)[rows.y.astype(int)] if by_grade else 2.0**rows.y - 1.0
    relevant = gain > 0
    if not relevant.any():
        return None
    rate = float(np.average(relevant, weights=rows.weight))
    level = Rows(rows.x, np.log(np.where(relevant, gain, 1.0) * rate), rows.groups, rows.weight).at(relevant)
    shared = {k: v for k, v in settings.items() if k != "label_gain" and not k.startswith("lambdarank_")}
    # Nothing but the grade is to be learned here: neither sampling nor shrinkage may blur it.
    one_tree = {
        **shared, "objective": "regression", "learning_rate": 1.0, "num_leaves": 7, "min_child_samples": 10,
        "subsample": 1.0, "subsample_freq": 0, "colsample_bytree": 1.0, "reg_alpha": 0.0, "reg_lambda": 0.0,
        "min_split_gain": 0.0,
    }  # fmt: skip
    first = lightgbm.train(one_tree, _lightgbm_rows(level, names, "regression"), 1)
    all_rows = Rows(rows.x, gain, rows.groups, rows.weight)
    return lightgbm.train(
        {**shared, "objective": "poisson"},
        _lightgbm_rows(all_rows, names, "poisson"),
        gain_trees,
        init_model=first,
    )


def _lightgbm_rows(rows: Rows, names: Sequence[str], objective: str) -> Any:
    import lightgbm

    # The names are made safe: LightGBM refuses those with JSON characters.
    return lightgbm.Dataset(
        rows.x, rows.y, weight=rows.weight, feature_name=safe_names(names),
        group=rows.group_sizes() if objective == "lambdarank" else None,
    )  # fmt: skip


def text_of(booster: Any, iterations: int | None = None) -> str:
    """Return the booster in LightGBM's text format."""
    return str(booster.model_to_string(num_iteration=iterations or -1))


def raw_scores(booster: Any, x: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the sum of the trees for every row: log odds, or a score that only orders."""
    if len(x) == 0:
        return np.zeros(0)
    return np.asarray(booster.predict(x, raw_score=True, num_threads=1), dtype=np.float64)


def safe_names(names: Sequence[str]) -> list[str]:
    """Return names of letters, digits and underscores, all different."""
    made: list[str] = []
    for position, name in enumerate(names):
        safe = re.sub(r"[^A-Za-z0-9_]", "_", name)
        made.append(safe if safe not in made else f"{safe}_{position}")
    return made
