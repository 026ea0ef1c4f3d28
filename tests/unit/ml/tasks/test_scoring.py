"""Scorers and rankers: what they refuse, what they never see, and that a repeat gives the same bytes."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ml.data.dataset import Dataset
from ml.data.parts.folds import known_before_test
from ml.errors import TooLittleDataError
from ml.models.lightgbm_scorers import check_params, safe_names
from ml.tasks import RANKER, SCORER, Task, Trained
from ml.tasks.scoring.settings import ScoringConfig, split_for
from ml.tasks.stopping import stopping_folds
from tests.unit.ml import grouped, synthetic

CONFIG = ScoringConfig(
    validation_groups=3, test_groups=4, cv_folds=3, replicates=50, patience=20, params={"n_estimators": 60}
)


def value(trained: Trained, metric: str, split: str = "test") -> float | None:
    return next(m.value for m in trained.metrics if (m.split, m.metric) == (split, metric))


def changed(
    items: dict[str, Any] | None = None, labels: dict[str, Any] | None = None, **size: int
) -> Dataset:
    first, second = grouped.frames(**size)
    return Dataset(first.assign(**(items or {})), second.assign(**(labels or {})), grouped.CONFIG)


def test_a_scorer_finds_the_signal_that_the_baseline_misses() -> None:
    trained = SCORER.train(grouped.dataset(), replace(CONFIG, test_groups=5))
    auc, base = value(trained, "auc"), value(trained, "auc_baseline")
    assert auc is not None and base is not None
    assert 0.75 < auc < 0.97 and 0.4 < base < 0.6
    gain = next(m for m in trained.metrics if (m.split, m.metric) == ("test", "auc_gain_vs_baseline"))
    assert gain.ci_low is not None and gain.ci_low > 0
    assert len(trained.cv_scores) == 3 and all(0.7 < (s or 0) < 1 for s in trained.cv_scores)
    frame = trained.predictions
    assert frame["y_pred"].between(0, 1).all() and frame["item_id"].is_unique
    assert 1 <= trained.best_iteration <= 60


def test_a_ranker_puts_high_grades_first() -> None:
    trained = RANKER.train(grouped.dataset(), CONFIG)
    ndcg, base = value(trained, "ndcg@10"), value(trained, "ndcg@10_baseline")
    assert ndcg is not None and base is not None and ndcg > base + 0.2


@pytest.mark.parametrize("train", [SCORER.train, RANKER.train])
def test_two_runs_give_the_same_bytes(train: Any) -> None:
    first, second = (train(grouped.dataset(), CONFIG) for _ in range(2))
    assert first.native == second.native
    pd.testing.assert_frame_equal(first.predictions, second.predictions)
    other = train(grouped.dataset(), replace(CONFIG, seed=1))
    assert other.native != first.native


@pytest.mark.parametrize("train", [SCORER.train, RANKER.train])
def test_neither_stopping_nor_fitting_sees_a_test_row(train: Any) -> None:
    """Test rows may be anything: the model, its stopping, calibration and threshold stay as they were."""
    data = grouped.dataset()
    test = split_for(data, CONFIG).rows("test")
    items, labels = data.items.copy(), data.labels.copy()
    items.loc[test, ["load", "noise", "hint"]] = 99.0
    flipped = 1.0 - labels.loc[test, "y"]
    labels.loc[test, "y"] = flipped
    labels.loc[test, "relevance"] = (2 * flipped).astype(int)
    before, after = train(data, CONFIG), train(Dataset(items, labels, grouped.CONFIG), CONFIG)
    assert before.native == after.native
    assert before.best_iteration == after.best_iteration
    assert before.estimator.threshold == after.estimator.threshold
    assert value(before, "auc") != value(after, "auc")


def with_validation_turned(data: Dataset, config: ScoringConfig) -> Dataset:
    labels = data.labels.copy()
    validation = split_for(data, config).rows("validation")
    labels.loc[validation, "y"] = 1.0 - labels.loc[validation, "y"]
    return Dataset(data.items, labels, grouped.CONFIG)


def test_stopping_judges_validation_rows() -> None:
    """With validation labels turned round, more trees only hurt: it stops at once."""
    data = grouped.dataset(size=300, seed=1)
    assert SCORER.train(data, CONFIG).best_iteration > 10
    assert SCORER.train(with_validation_turned(data, CONFIG), CONFIG).best_iteration < 10


def test_a_tiny_validation_part_does_not_decide_the_number_of_trees() -> None:
    """One small group turned round stops nothing: three folds before it say otherwise."""
    config = replace(CONFIG, validation_groups=1, params={"n_estimators": 60, "learning_rate": 0.02})
    turned = with_validation_turned(grouped.dataset(), config)
    assert SCORER.train(turned, config).best_iteration > 10


@pytest.mark.parametrize(("size", "is_enough"), [(60, False), (300, True)])
def test_few_positives_call_for_folds_before_the_test_part(size: int, is_enough: bool) -> None:
    data = grouped.dataset(size=size)
    split = split_for(data, CONFIG)
    target = data.row_labels()["y"].to_numpy(float)
    folds = stopping_folds(data, split, target)
    assert (folds == []) is is_enough
    before = set(np.flatnonzero(known_before_test(data, split)))
    for fold in folds:
        assert before.issuperset(fold.fit) and before.issuperset(fold.score)
    assert stopping_folds(data, split, np.zeros(len(target))) == []


def test_few_groups_call_for_folds_where_groups_are_judged() -> None:
    data = grouped.dataset(size=300)
    target = data.row_labels()["relevance"].to_numpy(float)
    split = split_for(data, CONFIG)
    assert (
        stopping_folds(data, split, target) == [] != stopping_folds(data, split, target, judges_groups=True)
    )
    many = grouped.dataset(n_groups=250, size=8)
    split = split_for(many, replace(CONFIG, validation_groups=0.6, test_groups=0.1))
    target = many.row_labels()["relevance"].to_numpy(float)
    assert stopping_folds(many, split, target, judges_groups=True) == []


@pytest.mark.parametrize("task", [SCORER, RANKER])
def test_the_order_is_judged_at_cuts_before_the_test_part(task: Task) -> None:
    """Figures of every cut and their mean; what comes later changes none of an earlier cut's."""
    config = replace(CONFIG, cv_folds=0, forward_cuts=5, replicates=0, params={"n_estimators": 20})
    data = grouped.dataset()

    def at_cuts(given: Dataset) -> dict[tuple[str, str], float | None]:
        bench = task.prepare(given, config)
        fitted = bench.fit({"n_estimators": 20})
        fitted = replace(fitted, params={**fitted.params, "n_estimators": 20})
        figures = bench.figures(fitted, bench.predictions(fitted))
        return {(f.split, f.metric): f.value for f in figures if f.split.startswith("origin")}

    found = at_cuts(data)
    assert {split for split, _ in found} == {"origins", *(f"origin_{k}" for k in range(1, 6))}
    for metric in ("auc", "average_precision", "ndcg@10", "ndcg@10_baseline", "positive_rate"):
        own = [found[f"origin_{k}", metric] for k in range(1, 6)]
        assert found["origins", metric] == pytest.approx(np.mean(own))
    assert "brier" not in {metric for _, metric in found} and 0.7 < found["origins", "auc"] < 0.97
    items, labels = data.items.copy(), data.labels.copy()
    late = (items["group_id"] >= "week-09").to_numpy()
    items.loc[late, ["load", "noise", "hint"]] = 99.0
    labels["y"] = np.where(late, 1 - labels["y"], labels["y"])
    labels["relevance"] = np.where(late, 4 - labels["relevance"], labels["relevance"])
    changed = at_cuts(Dataset(items, labels, grouped.CONFIG))
    earlier = [key for key in found if key[0] in ("origin_1", "origin_2", "origin_3", "origin_4")]
    assert len(earlier) > 20 and all(found[key] == changed[key] for key in earlier)
    assert found["origin_5", "auc"] != changed["origin_5", "auc"]


def test_labels_known_too_late_teach_nothing() -> None:
    data = grouped.dataset()
    split = split_for(data, CONFIG)
    late = split.rows("train", "validation") & ~known_before_test(data, split)
    assert late.any()
    labels = data.labels.copy()
    labels.loc[late, "y"] = 1.0 - labels.loc[late, "y"]
    turned = SCORER.train(Dataset(data.items, labels, grouped.CONFIG), CONFIG)
    assert turned.native == SCORER.train(data, CONFIG).native


def test_permuted_labels_teach_nothing() -> None:
    items, labels = grouped.frames(n_groups=16, size=150)
    rng = np.random.default_rng(3)
    order = rng.permutation(len(labels))
    labels["y"], labels["relevance"] = labels["y"].to_numpy()[order], labels["relevance"].to_numpy()[order]
    trained = SCORER.train(
        Dataset(items, labels, grouped.CONFIG), replace(CONFIG, test_groups=8, replicates=0, cv_folds=0)
    )
    assert 0.45 <= (value(trained, "auc") or 0) <= 0.55


@pytest.mark.parametrize(
    ("column", "copy"),
    [
        ("y", lambda y: y),
        ("relevance", lambda y: y),
        ("labelled_at", lambda y: y),
        ("is_it", lambda y: y),
        ("reversed", lambda y: 1 - y),
        ("steep", lambda y: y * 5 + np.linspace(0, 1, len(y))),
        ("word", lambda y: np.where(y > 0, "bad", "good")),
        ("only_when_bad", lambda y: np.where(y > 0, "bad", None)),
        ("gap", lambda y: np.where(y > 0, np.arange(len(y)), np.nan)),
    ],
)
def test_a_label_among_the_features_is_refused(column: str, copy: Any) -> None:
    with pytest.raises(ValueError, match=r"label|leak"):
        SCORER.train(changed({column: copy(grouped.frames()[1]["y"].to_numpy())}), CONFIG)


def test_text_columns_are_read_not_crashed_on() -> None:
    data = grouped.dataset()
    assert {"text", "category", "number"} == set(data.kinds().values())
    names = SCORER.train(data, CONFIG).feature_list
    assert any(name.startswith("text_svd_") for name in names) and "kind=crate" in names


def test_fractional_grades_are_refused() -> None:
    _, labels = grouped.frames()
    grades = labels["relevance"].astype(float)
    grades[7] = 2.5
    with pytest.raises(ValueError, match=r"'parcel#00007' is 2\.5.*whole grades"):
        RANKER.train(changed(labels={"relevance": grades}), CONFIG)
    grades[7] = np.nan
    with pytest.raises(ValueError, match="whole grades"):
        RANKER.train(changed(labels={"relevance": grades}), CONFIG)


@pytest.mark.parametrize(("train", "constant"), [(SCORER.train, 0), (SCORER.train, 1), (RANKER.train, 0)])
def test_a_single_class_is_refused(train: Any, constant: int) -> None:
    with pytest.raises(TooLittleDataError, match="needs"):
        train(changed(labels={"y": float(constant), "relevance": constant}), CONFIG)


def test_a_single_class_in_training_alone_is_refused() -> None:
    data = grouped.dataset()
    labels = data.labels.copy()
    labels.loc[split_for(data, CONFIG).rows("train"), "y"] = 0.0
    with pytest.raises(TooLittleDataError, match=r"training part .* 0 of them positive"):
        SCORER.train(Dataset(data.items, labels, grouped.CONFIG), CONFIG)


def test_labels_that_are_not_0_and_1_are_refused() -> None:
    with pytest.raises(ValueError, match="takes 0 and 1"):
        SCORER.train(changed(labels={"y": np.linspace(0, 3, 840)}), CONFIG)


def test_subsample_acts() -> None:
    full, half = (
        SCORER.train(grouped.dataset(), replace(CONFIG, params={"n_estimators": 20, "subsample": share}))
        for share in (1.0, 0.5)
    )
    trees = [trained.native[1].split(b"parameters:")[0] for trained in (full, half) if trained.native]
    assert trees[0] != trees[1]
    assert check_params({"subsample": 0.5})["subsample_freq"] == 1
    with pytest.raises(ValueError, match="does nothing"):
        check_params({"subsample": 0.5, "subsample_freq": 0})
    with pytest.raises(ValueError, match="unknown"):
        check_params({"subsampel": 0.5})


@pytest.mark.parametrize("train", [SCORER.train, RANKER.train])
def test_an_empty_test_part_has_no_figures(train: Any) -> None:
    trained = train(grouped.dataset(), replace(CONFIG, test_groups=0))
    assert value(trained, "auc") is None and value(trained, "ndcg@10") is None
    assert value(trained, "auc", "validation") is not None


def test_groups_of_one_are_ranked() -> None:
    items, labels = grouped.frames()
    items["group_id"] = [f"g{k}" if k % 60 < 3 else g for k, g in enumerate(items["group_id"])]
    trained = RANKER.train(
        Dataset(items, labels, grouped.CONFIG), replace(CONFIG, validation_groups=0.2, test_groups=0.3)
    )
    assert 0 < (value(trained, "ndcg@5") or 0) <= 1


def test_rows_that_may_have_been_trained_on_are_not_scored() -> None:
    data = grouped.dataset()
    model = SCORER.train(data, CONFIG).estimator
    test = split_for(data, CONFIG).rows("test")
    with pytest.raises(ValueError, match="may have been trained on"):
        model.score_new(data.items)
    newest = data.items[data.items["group_id"] == "week-13"]
    scored = model.score_new(newest)
    assert test[newest.index].all()
    assert sorted(scored["rank"]) == list(range(1, 61)) and scored["probability"].between(0, 1).all()
    assert (scored.sort_values("rank")["score"].diff().dropna() <= 0).all()
    backwards = model.score_new(newest.iloc[::-1])
    pd.testing.assert_frame_equal(backwards.iloc[::-1].reset_index(drop=True), scored.reset_index(drop=True))
    with pytest.raises(ValueError, match="twice"):
        model.score_new(pd.concat([newest, newest]))


def test_what_is_old_is_judged_on_its_own_timeline() -> None:
    """Of two places of which one ended years before the other, both have rows that are new."""
    items, labels = grouped.frames(n_groups=12, size=60)
    early = np.arange(len(items)) % 2 == 0
    items["slice_place"] = np.where(early, "closed", "open")
    items["group_id"] = items["slice_place"] + items["group_id"]
    items.loc[early, "event_at"] -= pd.Timedelta(days=2000)
    labels.loc[early, ["labelled_at", "observed_until"]] -= pd.Timedelta(days=2000)
    data = Dataset(items, labels, replace(grouped.CONFIG, timeline="slice_place"))
    model = RANKER.train(data, replace(CONFIG, validation_groups=0.2, test_groups=0.3, cv_folds=0)).estimator
    newest = data.items.groupby("slice_place")["event_at"].transform("max") == data.items["event_at"]
    assert set(data.items[newest]["slice_place"]) == {"closed", "open"}
    assert len(model.score_new(data.items[newest])) == newest.sum()
    oldest = data.items[data.items["event_at"] == data.items["event_at"].min()]
    with pytest.raises(ValueError, match="may have been trained on"):
        model.score_new(oldest)
    unseen = oldest.assign(slice_place="a third")
    assert len(model.score_new(unseen)) == len(unseen)


def test_reasons_are_the_strongest_contributions_of_item_columns() -> None:
    data = grouped.dataset()
    model = SCORER.train(data, CONFIG).estimator
    newest = data.items[data.items["group_id"] == "week-13"]
    everything = model.reasons_encoded(model.encoder.transform(newest), top=99)
    scored = model.score_new(newest)
    first_five = scored["reasons"]
    short = model.score_new(newest, reasons_to_rank=7)
    assert (short["reasons"].map(len) == np.where(scored["rank"] <= 7, 5, 0)).all()
    assert list(short.loc[short["rank"] <= 7, "reasons"]) == list(first_five[scored["rank"] <= 7])
    for row, reasons in enumerate(first_five):
        assert len(reasons) == 5 and reasons == everything[row][:5]
        sizes = [abs(reason["contribution"]) for reason in reasons]
        assert sizes == sorted(sizes, reverse=True)
        assert {reason["feature"] for reason in everything[row]} == set(data.features)
    assert pd.Series([reasons[0]["feature"] for reasons in first_five]).mode()[0] == "load"


@pytest.mark.parametrize("task", [SCORER, RANKER])
def test_folds_that_cannot_be_made_are_left_out_and_said_so(task: Task) -> None:
    """Six batches and the usual five folds: there is a model, and its report says what it lacks."""
    config = ScoringConfig(validation_groups=1, test_groups=2, replicates=0, params={"n_estimators": 20})
    trained = task.train(grouped.dataset(n_groups=6), config)
    assert trained.cv_scores == [] and value(trained, "ndcg@10") is not None
    assert trained.report is not None
    assert trained.report["cv_left_out"] == "5 folds of 4 groups cannot be made: choose 2 to 4 folds."
    assert trained.report["cv_scores"] == []
    enough = task.train(grouped.dataset(n_groups=6), replace(config, cv_folds=2))
    assert len(enough.cv_scores) == 2 and enough.report is not None
    assert enough.report["cv_left_out"] is None


@pytest.mark.parametrize(
    ("validation", "test"), [(None, 3.0), (3.0, None), (0.1, 3.0), (0.0, 0.2), (None, 0.0)]
)
def test_numbers_of_groups_are_refused_where_timelines_are_split(
    validation: float | None, test: float | None
) -> None:
    said = r"timelines of 'slice_depot'.* give shares above 0 and below 1|validation_groups must be .*above 0"
    with pytest.raises(ValueError, match=said):
        config = ScoringConfig(horizon_days=7, validation_groups=validation, test_groups=test)
        SCORER.train(synthetic.dataset(300), config)


def test_shares_of_timelines_are_taken_as_given() -> None:
    data = synthetic.dataset(600)
    assert data.config.timeline is not None
    by_default = split_for(data, ScoringConfig())
    assert by_default.rows("test").mean() == pytest.approx(0.2, abs=0.05)
    config = ScoringConfig(validation_groups=0.2, test_groups=0.3)
    assert split_for(data, config).rows("test").mean() == pytest.approx(0.3, abs=0.05)


def test_safe_names_stay_distinct() -> None:
    for names in (
        ["a__2", "a_", "a?"],
        ["a b", "a_b", "a[b", "a_b_1"],
        ["{", "}", "[", "]"],
        ["é", "è", "_"],
    ):
        safe = safe_names(names)
        assert len(set(safe)) == len(names)
        assert all(re.fullmatch(r"[A-Za-z0-9_]+", name) for name in safe)
