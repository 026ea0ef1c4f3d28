"""Horizon labels: defined for every item that is old enough, open or closed, and known only then."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ml.binary import train_scorer
from ml.dataset import Dataset
from ml.horizon_labels import within_horizon
from ml.scoring import ScoringConfig
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


def test_a_scorer_learns_them() -> None:
    trained = train_scorer(
        within_horizon(synthetic.dataset(), 7),
        ScoringConfig(cv_folds=0, replicates=0, params={"n_estimators": 50}),
    )
    auc = next(m.value for m in trained.metrics if (m.split, m.metric) == ("test", "auc"))
    assert auc is not None and 0.65 < auc < 0.98


def test_a_horizon_nobody_reached_is_refused() -> None:
    with pytest.raises(ValueError, match="No item was watched"):
        within_horizon(synthetic.dataset(), 5000)
    with pytest.raises(ValueError, match="above 0"):
        within_horizon(synthetic.dataset(), 0)
