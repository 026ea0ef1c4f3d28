"""Remaining times: true at every age under censoring, in order, honest about what is not known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.data.dataset import Dataset
from ml.data.outcomes import Outcomes
from ml.runs.train import train_models
from ml.store.run_folder import RunFolder
from ml.tasks import REMAINING, Trained
from ml.tasks.remaining.calibration import AgeCalibration, share_ended
from ml.tasks.remaining.curves import Curves
from ml.tasks.remaining.periods import AtRisk, at_risk, drawn
from ml.tasks.remaining.settings import RemainingConfig
from ml.tasks.remaining.spread import AgeSpread
from tests.unit.ml import lives

PARAMS = {"n_estimators": 60, "learning_rate": 0.1, "num_leaves": 7, "colsample_bytree": 1.0}
CONFIG = RemainingConfig(params=PARAMS, replicates=60, seeds=2, half_life=None)
FEW = replace(CONFIG, seeds=1, origins=2)


@pytest.fixture(scope="module")
def trained() -> Trained:
    return REMAINING.train(lives.dataset(), CONFIG)


def value(trained: Trained, metric: str, split: str = "test") -> float:
    found = next(m.value for m in trained.metrics if (m.split, m.metric) == (split, metric))
    assert found is not None
    return found


def error_by_age(estimator: Any, items: pd.DataFrame) -> pd.Series:
    """Mean log of the predicted over the true median, by age."""
    predicted = estimator.predict(items)["y_pred"].to_numpy() / 24.0
    truth = lives.median_ahead(items["load"].to_numpy(), items["age_days"].to_numpy())
    return pd.Series(np.log(predicted / truth)).groupby(items["age_days"]).mean()


def test_the_median_is_true_at_every_age_and_learning_from_ended_lives_alone_is_not() -> None:
    everyone = lives.dataset(n=24_000)
    assert 0.23 < everyone.labels["is_censored"].mean() < 0.29
    quick = replace(FEW, replicates=0, rows=600_000)
    fresh = lives.dataset(n=2000, seed=1).items
    assert (error_by_age(REMAINING.train(everyone, quick).estimator, fresh).abs() < 0.05).all()
    # The median of those that have ended is too short by 30 %.
    seen = everyone.items.assign(y=everyone.row_labels()["y"]).dropna(subset="y")
    seen["ahead"] = seen["y"] / 24.0 - seen["age_days"]
    by_age = seen.groupby(["age_days", "load"])["ahead"].median().reset_index()
    truth = lives.median_ahead(by_age["load"].to_numpy(), by_age["age_days"].to_numpy())
    assert (np.log(by_age["ahead"] / truth).groupby(by_age["age_days"]).mean() < np.log(0.7)).all()


def test_chances_rise_quantiles_never_cross_and_no_end_is_in_the_past(trained: Trained) -> None:
    ages = np.r_[0.0, np.geomspace(1e-3, 1e5, 60)]
    items = pd.DataFrame(
        {"item_id": [f"machine#{k}" for k in range(len(ages))], "load": 1.0, "colour": 0.0}
    ).assign(age_days=ages, slice_hall="west")
    forecast = trained.estimator.forecast(items)
    chances = np.stack([forecast.ended_within(days) for days in (0.0, 0.01, 1, 7, 30, 90, 365, 1e4)])
    assert (np.diff(chances, axis=0) >= 0).all() and (chances >= 0).all() and (chances <= 1).all()
    hours = np.stack([forecast.hours(share) for share in (0.05, 0.1, 0.5, 0.9, 0.99)])
    assert (hours >= 0).all() and (np.diff(hours, axis=0) >= 0).all()
    assert np.isnan(forecast.ended_by_age(30)[ages >= 30]).all()


def test_cells_bands_and_origins_are_figures(trained: Trained) -> None:
    cells = {(m.observed_after_days, m.horizon_days) for m in trained.horizon_metrics if m.split == "test"}
    assert (0, 1) in cells and (90, 365) in cells and all(after < horizon for after, horizon in cells)
    own = {
        m.metric: m.value
        for m in trained.horizon_metrics
        if (m.observed_after_days, m.horizon_days) == (0, 90)
    }
    assert own["auc"] > 0.55 > own["auc_group_rate"] and own["brier"] < own["brier_group_rate"]
    assert 0 < value(trained, "integrated_brier_origins", "validation") < 0.25
    assert value(trained, "integrated_brier_origins_sd", "validation") > 0
    assert len(trained.cv_scores) == 4
    assert value(trained, "remaining_ece_age_0d") < 0.1
    # The items at their start have the figures of a regression of durations.
    assert value(trained, "auc_7d") > 0.5


def test_a_life_in_silence_never_looks_nearer_its_end_than_one_with_an_answer() -> None:
    """On average at each age; a model that is deaf to answers would say the same of both."""
    learned = REMAINING.train(
        Dataset(*lives.frames(answered=True), lives.CONFIG), replace(FEW, replicates=0)
    ).estimator
    fresh, _ = lives.frames(seed=1, answered=True)
    silent = fresh[~fresh["is_answered"] & (fresh["age_days"] > 0)]
    soon = pd.DataFrame(
        {
            name: learned.predict(silent.assign(is_answered=answer))["p_within_7d"].to_numpy()
            for name, answer in (("silent", False), ("answered", True))
        }
    )
    by_age = soon.groupby(silent["age_days"].to_numpy()).mean()
    assert len(by_age) > 4 and (by_age["silent"] < by_age["answered"]).all()


def test_permuted_labels_teach_nothing() -> None:
    items, labels = lives.frames(n=4000)
    order = np.random.default_rng(5).permutation(labels["item_id"].to_numpy())
    position = dict(zip(labels["item_id"], order, strict=True))
    given_by = items.drop_duplicates("item_id").set_index("item_id")[["load", "colour"]]
    shuffled = items.assign(
        **{name: items["item_id"].map(position).map(given_by[name]) for name in ("load", "colour")}
    )
    learned = REMAINING.train(Dataset(shuffled, labels, lives.CONFIG), FEW)
    gains = [m for m in learned.horizon_metrics if m.metric == "auc_gain_vs_group_rate" and m.split == "test"]
    assert abs(value(learned, "mean_auc") - 0.5) < 0.03
    assert sum(m.ci_low is not None and m.ci_low > 0 for m in gains) <= 0.2 * len(gains)


def test_an_item_is_in_one_part_and_is_drawn_as_a_whole(trained: Trained) -> None:
    assert trained.predictions.groupby("item_id")["split"].nunique().max() == 1
    assert not trained.predictions.duplicated(["item_id", "event_at"]).any()
    items, labels = lives.frames(n=1200)
    weeks = items["group_id"].where(items["age_days"] == 0, items["group_id"] + items["age_days"].astype(str))
    both = [
        REMAINING.train(Dataset(frame, labels, lives.CONFIG), FEW)
        for frame in (items, items.assign(group_id=weeks))
    ]
    assert both[0].metrics == both[1].metrics
    assert any(m.ci_low is not None for m in both[0].metrics if m.metric == "remaining_ece")


def test_a_saved_model_answers_alike_and_says_why(trained: Trained, tmp_path: Any) -> None:
    given_set = lives.dataset()
    train_models(given_set, ["remaining"], tmp_path / "run", CONFIG, task=REMAINING)
    model = RunFolder(tmp_path / "run").model("remaining")
    record = RunFolder(tmp_path / "run").evaluation("remaining")
    assert record.horizon_metrics == trained.horizon_metrics and record.metrics == trained.metrics
    some = given_set.items.tail(200).reset_index(drop=True)
    pd.testing.assert_frame_equal(model.predict(some), trained.estimator.predict(some))
    heavy = some[some["load"] == 1].head(20)
    reasons = model.reasons(heavy, top=2)
    assert all("load" in {reason["feature"] for reason in own} for own in reasons)
    load = [reason["contribution"] for own in reasons for reason in own if reason["feature"] == "load"]
    assert np.mean(load) > 0  # a heavy load ends sooner


def without_start(items: pd.DataFrame) -> pd.DataFrame:
    return items[(items["age_days"] > 0) | (items["item_id"] != items["item_id"].iloc[-1])]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda items: items.drop(columns="age_days"), "lack 'age_days'"),
        (lambda items: items.assign(age_days=items["age_days"] - 1), "has the age of -1 days"),
        (lambda items: items.assign(age_days=items["age_days"] + 1), "age_days 1 in a row 0 days after"),
        (without_start, "give every item a row at its start"),
    ],
)
def test_wrong_ages_are_refused_in_a_sentence(change: Any, sentence: str) -> None:
    items, labels = lives.frames(n=400)
    with pytest.raises(ValueError, match=sentence):
        REMAINING.prepare(Dataset(change(items), labels, lives.CONFIG), CONFIG)


def test_a_family_without_hazards_is_refused() -> None:
    with pytest.raises(ValueError, match="'forest' learns no remaining times"):
        REMAINING.prepare(lives.dataset(n=400), CONFIG, "forest")


def test_edges_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="edges_days must ascend"):
        RemainingConfig(edges_days=(1.0, 1.0, 7.0))


def test_rows_are_at_risk_from_their_observation_to_their_end_or_their_last_whole_period() -> None:
    outcomes = Outcomes(
        known=np.array([True, False, True]),
        hours=np.array([24.0 * 5, 24.0 * 8, 24.0 * 0.5]),
        age=np.array([24.0 * 100, 24.0 * 8, 24.0 * 100]),
    )
    found = at_risk(np.ones(3, dtype=bool), np.array([1.0, 0.0, 0.0]), outcomes, (0, 1, 7, 14))
    rows = sorted(zip(found.row.tolist(), found.period.tolist(), found.ended.tolist(), strict=True))
    assert rows == [(0, 0, 0.0), (0, 1, 1.0), (1, 0, 0.0), (1, 1, 0.0), (2, 0, 1.0)]


@pytest.mark.parametrize("ends", [0, 30, 900])
def test_a_draw_keeps_the_ends_and_stands_for_all(ends: int) -> None:
    at, ended = np.arange(1000), (np.arange(1000) < ends).astype(float)
    found = AtRisk(at, at, ended, np.ones(1000))
    assert drawn(found, 1000, 0) is found
    some, other = drawn(found, 200, 0), drawn(found, 200, 1)
    assert len(some.row) == len(np.unique(some.row)) == 200 and (some.row != other.row).any()
    assert some.ended.sum() == min(ends, 100) and (some.ended == ended[some.row]).all()
    assert some.stands_for.sum() == pytest.approx(1000)
    assert (some.stands_for * some.ended).sum() == pytest.approx(ends)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=12, max_size=40))
def test_the_share_ended_is_the_product_limit_estimate(rows: list[tuple[int, bool]]) -> None:
    draw, ended = np.array([r[0] / 6 for r in rows]), np.array([r[1] for r in rows])
    at = float(np.sort(draw)[-11])
    survival = 1.0
    for time in np.unique(draw[ended & (draw <= at)]):
        survival *= 1.0 - (ended & (draw == time)).sum() / (draw >= time).sum()
    assert share_ended(draw, ended, np.array([at]))[0, 0] == pytest.approx(1.0 - survival)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_quantiles_invert_chances(seed: int) -> None:
    rng = np.random.default_rng(seed)
    edges, n = (0.0, 0.1, 1.0, 5.0, 40.0, 400.0, 4000.0), 20
    curves = Curves.of(rng.uniform(0, 300, n), edges, rng.uniform(0.05, 0.9, (n, len(edges) - 1)), 5)
    by_five_days = rng.uniform(0.0, 1.0, n)
    anchored = curves.anchored(3, by_five_days)
    assert np.allclose(anchored.ended_within(5.0), by_five_days, atol=1e-6)
    after = [(1 - one.ended_within(40.0)) / (1 - one.ended_within(5.0)) for one in (curves, anchored)]
    assert np.allclose(*after, atol=1e-6)
    for one in (curves, anchored):
        assert (np.diff(one.total, axis=1) >= 0).all()
        most = one.ended_within(3000.0)
        for share in (0.05, 0.3, 0.6):
            within = share < most
            assert np.allclose(one.ended_within(one.quantile(share))[within], share, atol=1e-6)


def test_a_map_undoes_a_common_bias_and_keeps_the_order() -> None:
    rng = np.random.default_rng(2)
    truth = rng.uniform(size=4000)
    draw = truth**2
    calibration = AgeCalibration(min_ends=500).fit(draw, np.ones(4000, dtype=bool), np.zeros(4000))
    keys = calibration.keys_of(np.zeros(5))
    grid = np.array([0.04, 0.16, 0.36, 0.64, 1.0])
    assert np.allclose(calibration.calibrated(grid, keys), np.sqrt(grid), atol=0.05)
    assert np.allclose(calibration.uncalibrated(calibration.calibrated(grid, keys), keys), grid, atol=1e-6)
    assert (calibration.keys_of(np.full(5, 9.0)) == "").all()


def test_a_map_of_lives_that_were_watched_for_half_of_their_curves_is_whole() -> None:
    rng = np.random.default_rng(3)
    truth = rng.uniform(size=4000)
    draw, ended = np.minimum(truth, 0.5), truth < 0.5
    calibration = AgeCalibration(min_ends=500).fit(draw, ended, np.zeros(4000))
    grid = np.linspace(0.0, 1.0, 11)
    mapped = calibration.calibrated(grid, calibration.keys_of(np.zeros(11)))
    assert (np.diff(mapped) > 0).all() and np.allclose(mapped, grid, atol=0.05)


def test_intervals_are_widened_to_what_they_promise_and_never_narrowed() -> None:
    rng = np.random.default_rng(0)

    def draws(n: int) -> tuple[np.ndarray, np.ndarray]:
        """Half are at their creation, where the curves are too sure, half old, where they are not."""
        age = np.where(np.arange(n) % 2, 0.0, 400.0)
        return np.where(age == 0, rng.beta(0.8, 0.6, n), rng.beta(3.0, 3.0, n)), age

    draw, age = draws(20_000)
    # What would have come later than most of their curves is not seen.
    ended = draw < 0.97
    spread = AgeSpread().fit(np.minimum(draw, 0.97), ended, age)
    later, age = draws(20_000)
    share = spread.inward(later, age)
    young = age == 0
    assert ((later > 0.1) & (later < 0.9))[young].mean() < 0.74
    assert ((share > 0.1) & (share < 0.9))[young].mean() == pytest.approx(0.8, abs=0.02)
    assert share[~young] == pytest.approx(later[~young])
    # One is the other's inverse, order stays, and so does the median.
    assert spread.outward(share, age) == pytest.approx(later)
    grid = np.linspace(0.0, 1.0, 101)
    bent = spread.outward(grid, np.zeros(101))
    assert (np.diff(bent) > 0).all() and bent[50] == pytest.approx(0.5) and bent[[0, -1]].tolist() == [0, 1]
    # A band that nothing is known of is like all.
    unknown = np.array([3.0])
    assert AgeSpread().fit(later[young], np.ones(10_000, dtype=bool), age[young]).ends(unknown)[1][0] > 0.92
    assert AgeSpread().fit(draw[:9], ended[:9], age[:9]).ends(unknown)[1][0] == 0.9
