"""Numbers of trees and the start of LambdaRank, against what they are by definition."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import lightgbm as lgb
import numpy as np
import pytest
from numpy.typing import NDArray

from ml.data.parts.folds import Fold
from ml.models import Rows, Watch
from ml.models.lightgbm_scorers import BINARY, RANKING, Objective, fit_booster, start_trees
from ml.models.tree_contributions import tree_contributions
from ml.stats.metrics import auc
from ml.stats.rank_metrics import ndcg
from ml.tasks.stopping import rounds_by_folds
from tests.unit.ml import grouped

NAMES = ["load", "noise", "urgency"]
EARLIER, LATER = np.arange(480), np.arange(480, 840)
PARAMS = {
    "n_estimators": 80,
    "learning_rate": 0.1,
    "num_leaves": 7,
    "subsample": 0.7,
    "min_child_samples": 10,
}


def rows(column: str) -> Rows:
    items, labels = grouped.frames()
    x = items[NAMES].to_numpy(np.float32)
    groups = items["group_id"].to_numpy(dtype=object)
    return Rows(x, labels[column].to_numpy(float), groups, np.ones(len(x)), NAMES)


@pytest.mark.parametrize(
    ("objective", "more"), [("binary", {}), ("lambdarank", {}), ("lambdarank", {"gain_trees": 20})]
)
def test_one_fold_stops_where_its_validation_rows_do(objective: Objective, more: dict[str, Any]) -> None:
    data = rows("y" if objective == "binary" else "relevance")
    params = {**PARAMS, **more}
    groups = data.groups[LATER]

    def judge(score: NDArray[np.float64]) -> float:
        y = data.y[LATER]
        return float((auc(y, score) if objective == "binary" else ndcg(y, score, groups, 99))[0])

    stopped = fit_booster(
        objective, data.at(EARLIER), params, 0, Watch(data.at(LATER), judge, patience=15)
    ).best_iteration
    family = replace(BINARY if objective == "binary" else RANKING, least_rounds=1)
    folds = [Fold(EARLIER, LATER)]
    found, curve = rounds_by_folds(data, folds, family, params, 0, lambda at: judge, patience=15)
    assert found == stopped
    assert 1 <= found < 80 and int(np.argmax(curve[: found + 15])) + 1 == found
    # Never fewer than the family's least, nor more than are asked for.
    for least, kept in ((found + 5, found + 5), (500, 80)):
        patient = replace(family, least_rounds=least)
        assert rounds_by_folds(data, folds, patient, params, 0, lambda at: judge, patience=15)[0] == kept


def test_a_growing_scorer_is_judged_by_its_scores() -> None:
    """What judges sees the log odds of the watched rows, round by round, as the finished model gives them."""
    for family, column in ((BINARY, "y"), (RANKING, "relevance")):
        data, seen = rows(column), []
        params = {**family.defaults, "n_estimators": 7, "gain_trees": 0} if family is RANKING else PARAMS
        params = {**params, "n_estimators": 7}
        watch = Watch(data.at(LATER), lambda s, seen=seen: float(len(seen.append(s) or seen)), patience=9)
        family.fit(data.at(EARLIER), params, 0, watch)
        whole = family.fit(data.at(EARLIER), params, 0, None)
        np.testing.assert_allclose(seen[-1], whole.score(data.x[LATER]), rtol=1e-9, atol=1e-12)
        assert len(seen) == 7


def test_several_folds_decide_by_their_mean() -> None:
    data = rows("y")
    curves: dict[int, list[float]] = {0: [0.1, 0.9, 0.2, 0.5], 60: [0.3, 0.0, 0.4, 0.2]}
    asked = {start: iter(values) for start, values in curves.items()}
    folds = [Fold(EARLIER, np.arange(start, start + 60)) for start in curves]
    params = {**PARAMS, "n_estimators": 4}
    judge = lambda at: lambda s: next(asked[int(at[0])])  # noqa: E731
    assert rounds_by_folds(data, folds, BINARY, params, 0, judge)[0] == 2


def test_lambdarank_starts_from_odds_and_gain() -> None:
    """The first trees are the log odds of being relevant, the next one is a relevant row's log gain."""
    data = rows("relevance")
    params = {**PARAMS, "gain_trees": 60, "lambdarank_truncation_level": 30}
    scorer = fit_booster("lambdarank", data, params, 0)
    booster = scorer.booster()
    urgency = data.x[:, 2]
    gain = 2.0 ** (2 + (urgency >= 3) + (urgency >= 4)) - 1.0
    odds, start = (booster.predict(data.x, raw_score=True, num_iteration=n) for n in (60, 61))
    np.testing.assert_allclose(np.exp(start - odds), gain, rtol=1e-4)
    assert start_trees(params) == 61
    relevant = replace(data, y=(data.y > 0).astype(float))
    alone = fit_booster("binary", relevant, {**PARAMS, "n_estimators": 60}, 0)
    np.testing.assert_allclose(odds, alone.score(data.x), rtol=1e-6, atol=1e-9)
    assert booster.current_iteration() == 61 + 80
    assert ndcg(data.y, scorer.score(data.x), data.groups, 10)[0] > 0.9


def test_gains_of_the_start_follow_label_gain() -> None:
    data = rows("relevance")
    params = {**PARAMS, "n_estimators": 1, "gain_trees": 5, "label_gain": [0, 1, 2, 3, 4]}
    booster = fit_booster("lambdarank", data, params, 0).booster()
    odds, start = (booster.predict(data.x, raw_score=True, num_iteration=n) for n in (5, 6))
    urgency = data.x[:, 2]
    np.testing.assert_allclose(np.exp(start - odds), 2.0 + (urgency >= 3) + (urgency >= 4), rtol=1e-4)


def test_the_gain_lifts_no_doubtful_row_over_a_certain_one() -> None:
    """A rank that is half by chance and of the highest grade stays below one that is nearly sure."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, (4000, 2)).astype(np.float32)
    sure, high = x.T
    y = (rng.random(4000) < np.where(sure, 0.99, 0.5)) * np.where(high, 3.0, 1.0)
    data = Rows(x, y, np.repeat(np.arange(40), 100).astype(object), np.ones(4000), ["sure", "high"])
    params = {**PARAMS, "n_estimators": 1, "gain_trees": 200}
    booster = fit_booster("lambdarank", data, params, 0).booster()
    score = booster.predict(
        np.array([[1, 1], [1, 0], [0, 1], [0, 0]], dtype=np.float32),
        raw_score=True,
        num_iteration=start_trees(params),
    )
    assert list(np.argsort(-score)) == [0, 1, 2, 3]


def test_a_start_for_a_scorer_is_refused() -> None:
    with pytest.raises(ValueError, match="gain_trees 5 has a meaning for LambdaRank only"):
        fit_booster("binary", rows("y"), {"gain_trees": 5}, 0)
    assert start_trees({}) == 0


def test_no_score_rises_with_a_falling_column() -> None:
    data = rows("y")
    grid = np.repeat(data.x[:20], 50, axis=0)
    grid[:, 1] = np.tile(np.linspace(data.x[:, 1].min(), data.x[:, 1].max(), 50), 20)

    def steps(**more: Any) -> NDArray[np.float64]:
        score = fit_booster("binary", data, {**PARAMS, **more}, 0).score(grid)
        return np.diff(score.reshape(20, 50), axis=1)

    assert (steps() > 0).any()
    # What the rows lack is of no account.
    assert (steps(falling=["noise", "absent"]) <= 0).all()


@pytest.mark.parametrize("has_gaps", [False, True])
@pytest.mark.parametrize("objective", ["binary", "lambdarank"])
def test_many_rows_have_the_contributions_that_each_has_alone(objective: Objective, has_gaps: bool) -> None:
    data, rng = rows("y" if objective == "binary" else "relevance"), np.random.default_rng(0)
    gappy = np.where(rng.random(data.x.shape) < 0.2, np.nan, data.x).astype(np.float32)
    params = {**PARAMS, "num_leaves": 31, "min_child_samples": 3}
    scorer = fit_booster(objective, replace(data, x=gappy) if has_gaps else data, params, 0)
    many = scorer.contributions(gappy)
    alone = np.concatenate([scorer.contributions(part) for part in np.array_split(gappy, 7)])
    # Of few rows not every pattern is asked for.
    few = tree_contributions(scorer.booster().dump_model(), gappy[:3])
    np.testing.assert_allclose(many, alone, rtol=0, atol=1e-12)
    np.testing.assert_allclose(few, alone[:3], rtol=0, atol=1e-12)
    assert np.ptp(scorer.score(gappy) - many.sum(axis=1)) < 1e-9 < np.abs(many).max()


def test_contributions_add_up_on_a_path_of_more_columns_than_a_number_has_bits() -> None:
    x = np.random.default_rng(0).random((2000, 80)).astype(np.float32)
    # Every column sends a few rows away and leaves the rest to the next: a tree that is one long path.
    first = np.argmax(np.column_stack([x < 0.01, np.ones(len(x))]), axis=1)
    params = {
        "num_leaves": 81,
        "min_data_in_leaf": 1,
        "min_data_in_bin": 1,
        "verbosity": -1,
        "num_threads": 1,
    }
    booster = lgb.train(params, lgb.Dataset(x, 1.05**first), num_boost_round=1)
    path, node = set(), booster.dump_model()["tree_info"][0]["tree_structure"]
    while "split_feature" in node:
        path.add(node["split_feature"])
        node = max(node["left_child"], node["right_child"], key=lambda one: one.get("internal_count", 0))
    assert len(path) > 64
    told = tree_contributions(booster.dump_model(), x)
    assert np.ptp(booster.predict(x) - told.sum(axis=1)) < 1e-9 < np.abs(told).max()
