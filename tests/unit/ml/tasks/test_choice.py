"""Chances of a question's rows add up to less than 1; the first is proposed only where it was right."""

import numpy as np
import pandas as pd
import pytest

from ml.tasks.scoring.choice import ChoiceCalibration

RATES = {"sure": 2.0, "vague": 0.3, "small": 2.0}


def questions(n: int = 600, seed: int = 0, line: str | None = None, rows: int = 6) -> dict[str, np.ndarray]:
    """Questions whose answer is drawn by its score, more so in some timelines; one in eleven has none."""
    rng = np.random.default_rng(seed)
    names = [f"q{k}" for k in range(n)]
    lines = np.array([line] * n if line else rng.choice(["sure", "vague", "small"], n, p=[0.5, 0.48, 0.02]))
    score = rng.normal(0, 1.5, (n, rows))
    is_answer = np.zeros((n, rows), dtype=bool)
    for k in range(n):
        weight = np.exp(RATES.get(lines[k], 1.0) * score[k])
        drawn = rng.choice(rows + 1, p=np.r_[weight, 0.1 * weight.sum()] / (1.1 * weight.sum()))
        if drawn < rows:
            is_answer[k, drawn] = True
    return {
        "score": score.ravel(),
        "is_answer": is_answer.ravel(),
        "questions": np.repeat(np.array(names, dtype=object), rows),
        "lines": np.repeat(lines.astype(object), rows),
    }


def proposals(model: ChoiceCalibration, given: dict[str, np.ndarray]) -> pd.DataFrame:
    chance = model.chances(given["score"], given["questions"])
    rank = pd.Series(chance).groupby(given["questions"]).rank(ascending=False).to_numpy().astype(np.int64)
    sure = model.is_confident(chance, rank, given["lines"])
    return pd.DataFrame({**given, "chance": chance, "sure": sure, "rank": rank})


@pytest.mark.parametrize("seed", range(3))
def test_chances_leave_a_share_for_none_of_them_as_large_as_it_is(seed: int) -> None:
    model = ChoiceCalibration().fit(**questions(3000, seed, "even"))
    later = proposals(model, questions(3000, seed + 100, "even"))
    total = later.groupby("questions")["chance"].sum()
    assert total.max() <= 1 and later["chance"].min() >= 0
    answered = later.groupby("questions")["is_answer"].sum()
    assert total.mean() == pytest.approx(answered.mean(), abs=0.03)
    tenths = later.groupby(pd.qcut(later["chance"], 10))[["chance", "is_answer"]].mean()
    np.testing.assert_allclose(tenths["chance"], tenths["is_answer"], atol=0.05)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("precision", [0.6, 0.75])
def test_what_is_proposed_is_right_as_often_as_promised_later_on(seed: int, precision: float) -> None:
    model = ChoiceCalibration(precision).fit(**questions(4000, seed))
    later = proposals(model, questions(4000, seed + 100))
    sure = later[later["sure"]]
    for line in ("sure", "vague"):
        own = sure[sure["lines"] == line]
        noise = 3 * np.sqrt(precision * (1 - precision) / max(len(own), 1))
        assert len(own) < 50 or own["is_answer"].mean() >= precision - noise
    assert (sure["lines"] == "sure").sum() > 300
    assert (sure["rank"] == 1).all() and sure["questions"].is_unique


def test_nobody_is_proposed_where_nothing_is_known() -> None:
    model = ChoiceCalibration().fit(**questions())
    unknown = questions(50, seed=7, line="unknown")
    assert not proposals(model, unknown)["sure"].any()
    empty = ChoiceCalibration().fit(
        np.zeros(0), np.zeros(0, bool), np.array([], object), np.array([], object)
    )
    assert not proposals(empty, unknown)["sure"].any()
    assert proposals(empty, unknown).groupby("questions")["chance"].sum().max() < 1
    assert len(empty.chances(np.zeros(0), np.array([], object))) == 0


def test_a_handful_of_hits_is_not_enough_where_all_others_are_missed() -> None:
    """Four of four in one timeline, in a world where the first is right in one of five."""
    wrong = questions(400, line="vague", rows=8)
    few = {name: values[:32] for name, values in questions(4, line="few", rows=8).items()}
    best = pd.Series(few["score"]).groupby(few["questions"]).transform("max").to_numpy()
    few["is_answer"], few["questions"] = few["score"] == best, "few " + few["questions"]
    both = {name: np.concatenate([wrong[name], few[name]]) for name in wrong}
    assert "few" not in ChoiceCalibration().fit(**both).thresholds_


def test_one_person_who_has_everything_is_proposed() -> None:
    n = 60
    alone = {
        "score": np.random.default_rng(0).normal(0, 0.1, n),
        "is_answer": np.ones(n, dtype=bool),
        "questions": np.array([f"q{k}" for k in range(n)], dtype=object),
        "lines": np.array(["alone"] * n, dtype=object),
    }
    proposed = proposals(ChoiceCalibration().fit(**alone), alone)
    assert proposed["sure"].all() and (proposed["chance"] < 1).all()


def test_the_order_of_rows_decides_nothing() -> None:
    given = questions(200)
    order = np.random.default_rng(1).permutation(len(given["score"]))
    model = ChoiceCalibration().fit(**given)
    turned = ChoiceCalibration().fit(**{name: values[order] for name, values in given.items()})
    assert turned.thresholds_ == pytest.approx(model.thresholds_, rel=1e-6)
