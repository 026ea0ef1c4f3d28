"""Horizon labels: defined for every item that is old enough, open or closed, and known only then."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ml.data.dataset import Dataset
from ml.data.labels import beyond_horizon, graded_after, within_horizon
from ml.errors import TooLittleDataError
from ml.tasks import LATE, RANKER, SCORER
from ml.tasks.scoring.settings import ScoringConfig
from tests.unit.ml import synthetic

END = synthetic.END


def test_labels_by_hand() -> None:
    items, labels = synthetic.frames(60)
    items.loc[0:3, "event_at"] = pd.to_datetime(["2021-01-01", "2021-01-01", "2021-12-30", "2021-12-30"])
    labels.loc[0:3, "y"] = [167.0, 169.0, 24.0, np.nan]
    labels.loc[0:3, "is_censored"] = [False, False, False, True]
    labels.loc[0:3, "labelled_at"] = pd.to_datetime(["2021-01-08", "2021-01-08", "2021-12-31", None])
    late = within_horizon(Dataset(items, labels, synthetic.CONFIG), 7)
    rows = late.labels.set_index("item_id").loc[[f"parcel#{k:05d}" for k in range(4)]]
    assert list(rows["y"][:2]) == [1.0, 0.0]
    # Too young, whether ended or not.
    assert list(rows["is_censored"]) == [False, False, True, True]
    assert (rows["labelled_at"][:2] == pd.Timestamp("2021-01-08")).all()


def test_open_items_count_as_not_ended() -> None:
    items, labels = synthetic.frames()
    was_open = np.arange(len(labels)) % 5 == 0
    labels.loc[was_open, ["y", "labelled_at"]] = [np.nan, pd.NaT]
    labels["is_censored"] = was_open | labels["is_censored"]
    data = Dataset(items, labels, synthetic.CONFIG)
    late = within_horizon(data, 7)
    old = data.items["event_at"].to_numpy() <= (END - pd.Timedelta(days=7)).to_datetime64()
    assert (was_open & old).sum() > 100
    assert (late.labels.loc[was_open & old, "y"] == 0).all()
    assert late.labels.loc[~old, "is_censored"].all()
    assert late.snapshot_id != data.snapshot_id != within_horizon(data, 30).snapshot_id


def test_late_is_the_opposite_of_in_time_known_at_the_same_time() -> None:
    in_time, late = (of(synthetic.dataset(), 7).labels for of in (within_horizon, beyond_horizon))
    assert (in_time["y"] + late["y"]).dropna().eq(1).all() and late["y"].sum() > 50
    assert late[["is_censored", "labelled_at"]].equals(in_time[["is_censored", "labelled_at"]])


def test_a_late_scorer_gives_the_chance_to_be_late_beside_turned_baselines() -> None:
    config = ScoringConfig(horizon_days=7, cv_folds=0, replicates=0, params={"n_estimators": 50})
    late, in_time = (task.train(synthetic.dataset(), config) for task in (LATE, SCORER))
    test = late.predictions[late.predictions["split"] == "test"]
    hours = synthetic.dataset().labels.set_index("item_id")["y"].reindex(test["item_id"])
    for column in ("y_true", "y_pred"):
        by_class = test[column].to_numpy()[hours.notna()]
        is_late = hours.dropna().to_numpy() > 7 * 24
        assert np.nanmean(by_class[is_late]) > np.nanmean(by_class[~is_late])
    figures = [{m.metric: m.value for m in t.metrics if m.split == "test"} for t in (late, in_time)]
    for metric in (name for name in figures[0] if name.startswith("auc") and "gain" not in name):
        assert figures[0][metric] == pytest.approx(figures[1][metric], abs=0.02)
    with pytest.raises(ValueError, match="give its days"):
        LATE.train(synthetic.dataset(), replace(config, horizon_days=None))


def test_a_scorer_learns_them() -> None:
    trained = SCORER.train(
        within_horizon(synthetic.dataset(), 7),
        ScoringConfig(cv_folds=0, replicates=0, params={"n_estimators": 50}),
    )
    auc = next(m.value for m in trained.metrics if (m.split, m.metric) == ("test", "auc"))
    assert auc is not None and 0.65 < auc < 0.98


def graded() -> Dataset:
    """Grades from 0 to 3 by how fast an item ended; 0 for those that were watched for 7 days to no avail."""
    items, labels = synthetic.frames()
    was_open = labels["is_censored"] | (np.arange(len(labels)) % 5 == 0)
    labels.loc[was_open, ["y", "labelled_at"]] = [np.nan, pd.NaT]
    labels["is_censored"] = was_open
    hours = labels["y"].fillna(np.inf)
    grade = (hours <= 168).astype(int) + (hours <= 48) + (hours <= 12)
    old = items["event_at"] + pd.Timedelta(days=7) <= END
    labels["relevance"] = pd.array(grade.where(old), dtype="Int64")
    return Dataset(items, labels, synthetic.CONFIG)


def test_grades_are_known_when_they_are_settled_and_not_before() -> None:
    data = graded()
    later = graded_after(data, 7)
    given = data.labels["relevance"].notna().to_numpy()
    assert (later.labels["is_censored"].to_numpy() == ~given).all() and not given.all()
    assert (later.labels["relevance"][given] == data.labels["relevance"][given]).all()
    assert (later.labels["y"][given] == (data.labels["relevance"][given] > 0)).all()
    start = data.items["event_at"]
    assert (later.labels["labelled_at"][given] == start[given] + pd.Timedelta(days=7)).all()
    still_open = data.labels["is_censored"].to_numpy() & given
    assert still_open.any() and (later.labels["relevance"][still_open] == 0).all()
    # Watched for longer than the records go: nothing is known yet.
    longer = graded_after(data, 60).labels["is_censored"]
    assert longer[start + pd.Timedelta(days=60) > END].all() and not longer.all()
    assert later.snapshot_id != graded_after(data, 60).snapshot_id != data.snapshot_id


def test_a_ranker_learns_grades_of_a_horizon() -> None:
    config = ScoringConfig(horizon_days=7, cv_folds=0, replicates=0, params={"n_estimators": 40})
    trained = RANKER.train(graded(), config)
    figures = {(m.split, m.metric): m.value for m in trained.metrics}
    assert 0.7 < (figures["test", "ndcg@5"] or 0) <= 1
    assert set(trained.predictions["y_true"].dropna()) <= {0.0, 1.0, 2.0, 3.0}
    with pytest.raises(TooLittleDataError, match="No item was watched"):
        graded_after(synthetic.dataset(), 7)


def test_the_horizon_is_a_setting_of_the_training() -> None:
    config = ScoringConfig(cv_folds=0, replicates=0, params={"n_estimators": 20})
    by_setting = SCORER.train(synthetic.dataset(), replace(config, horizon_days=7))
    by_hand = SCORER.train(within_horizon(synthetic.dataset(), 7), config)
    assert by_setting.native == by_hand.native
    # A report names the snapshot that was given, not what its labels were made into.
    assert by_setting.report is not None
    assert by_setting.report["snapshot_id"] == synthetic.dataset().snapshot_id


def test_a_horizon_nobody_reached_is_refused() -> None:
    with pytest.raises(TooLittleDataError, match="No item was watched"):
        within_horizon(synthetic.dataset(), 5000)
    with pytest.raises(ValueError, match="above 0"):
        within_horizon(synthetic.dataset(), 0)
