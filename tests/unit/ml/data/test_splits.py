"""The split by time: one part per item, nothing known after a cut, labels of horizons."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ml.data.dataset import Dataset
from ml.data.outcomes import Outcomes
from ml.data.parts.splits import POOLED, split_by_groups, split_by_time
from ml.errors import TooLittleDataError
from tests.unit.ml import grouped, synthetic


def test_parts_are_consecutive_on_every_timeline_and_have_their_shares() -> None:
    dataset = synthetic.dataset(1000)
    split = split_by_time(dataset)
    start = dataset.items["event_at"].to_numpy()
    for line in ("north", "south"):
        on = split.timeline == line
        ends = [
            (start[on & (split.part == p)].min(), start[on & (split.part == p)].max())
            for p in ("train", "validation", "test")
        ]
        assert ends[0][1] < ends[1][0] and ends[1][1] < ends[2][0]
        shares = [(split.part[on] == p).mean() for p in ("train", "validation", "test")]
        np.testing.assert_allclose(shares, [0.7, 0.1, 0.2], atol=0.01)


def test_an_item_with_many_observation_times_is_in_one_part() -> None:
    items, labels = synthetic.frames(300)
    later = items.assign(event_at=(items["event_at"] + pd.Timedelta(days=200)).clip(upper=synthetic.END))
    dataset = Dataset(pd.concat([items, later]), labels, synthetic.CONFIG)
    split = split_by_time(dataset)
    parts = pd.Series(split.part).groupby(dataset.items["item_id"]).nunique()
    assert parts.max() == 1
    once = Dataset(items, labels, synthetic.CONFIG)
    first = pd.Series(split.part, index=dataset.items["item_id"]).groupby(level=0).first()
    pd.testing.assert_series_equal(
        first, pd.Series(split_by_time(once).part, index=once.items["item_id"]), check_names=False
    )


def test_labels_known_only_after_the_cut_do_not_count() -> None:
    dataset = synthetic.dataset(1000)
    split = split_by_time(dataset)
    labelled = dataset.row_labels()["labelled_at"].to_numpy()
    for part, cut in (("train", split.validation_cut), ("validation", split.test_cut)):
        rows = split.part == part
        np.testing.assert_array_equal(split.known[rows], (labelled < cut)[rows])
        assert (~split.known & rows & ~dataset.row_labels()["is_censored"]).any()
    outcomes = split.outcomes(dataset)
    late = (split.part == "train") & ~split.known
    waited = (split.validation_cut - dataset.items["event_at"].to_numpy()) / np.timedelta64(1, "h")
    np.testing.assert_allclose(outcomes.hours[late], waited[late], rtol=1e-6)


def test_refit_knows_what_was_known_when_the_test_part_began() -> None:
    dataset = synthetic.dataset(1000)
    split = split_by_time(dataset)
    labelled = dataset.row_labels()["labelled_at"].to_numpy()
    rows = split.rows("train", "validation")
    known = split.outcomes_for_refit(dataset).known
    np.testing.assert_array_equal(known[rows], (labelled < split.test_cut)[rows])
    assert known[rows].sum() > split.known[rows].sum()


def test_small_timelines_are_split_together_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    items, labels = synthetic.frames(400, depots=("north", "south", "tiny"))
    few = items["slice_depot"] == "tiny"
    keep = ~few | (few.cumsum() <= 6)
    dataset = Dataset(items[keep], labels[keep], synthetic.CONFIG)
    with caplog.at_level(logging.WARNING):
        split = split_by_time(dataset)
    assert set(split.timeline) == {"north", "south", POOLED}
    assert "1 timelines with fewer than 10 known labels" in caplog.text
    assert POOLED not in split_by_time(dataset, min_labels=2).timeline


def test_one_common_timeline_without_groups() -> None:
    config = replace(synthetic.CONFIG, timeline=None)
    dataset = synthetic.dataset(300, config=config)
    split = split_by_time(dataset)
    start = dataset.items["event_at"].to_numpy()
    assert start[split.part == "train"].max() < start[split.part == "validation"].min()


def test_equal_times_are_not_torn_apart() -> None:
    items, labels = synthetic.frames(200)
    days = items["event_at"].dt.floor("90D")
    split = split_by_time(
        Dataset(items.assign(event_at=days), labels, replace(synthetic.CONFIG, timeline=None))
    )
    dataset = Dataset(items.assign(event_at=days), labels, replace(synthetic.CONFIG, timeline=None))
    assert pd.Series(split.part).groupby(dataset.items["event_at"]).nunique().max() == 1


def test_whole_groups_stay_in_one_part_and_begin_it() -> None:
    items, labels = synthetic.frames(1000)
    dataset = Dataset(items, labels, synthetic.CONFIG)
    groups = pd.Series(dataset.groups("group_id"))
    torn = pd.Series(split_by_time(dataset).part).groupby(groups).nunique()
    assert (torn > 1).any(), "by rows alone a week is cut in two"
    split = split_by_time(dataset, whole_groups=True)
    assert (pd.Series(split.part).groupby(groups).nunique() == 1).all()
    shares = [(split.part == p).mean() for p in ("train", "validation", "test")]
    np.testing.assert_allclose(shares, [0.7, 0.1, 0.2], atol=0.03)
    start = dataset.items["event_at"].to_numpy()
    for line in ("north", "south"):
        on = split.timeline == line
        for part, cut in (("validation", split.validation_cut), ("test", split.test_cut)):
            # The rows that would have been torn off go to the later part, whose time begins with them.
            assert cut[on][0] == start[on & (split.part == part)].min()
    rows = split.rows("train")
    labelled = dataset.row_labels()["labelled_at"].to_numpy()
    np.testing.assert_array_equal(split.known[rows], (labelled < split.validation_cut)[rows])


def test_what_cannot_be_kept_whole_is_refused() -> None:
    items, labels = synthetic.frames(400)
    in_time = items[items["slice_depot"] == "north"].sort_values("event_at")
    late, early = in_time.iloc[-1], in_time.iloc[0]
    seen_again = late.to_frame().T.assign(
        event_at=late["event_at"] + pd.Timedelta(days=1), group_id=early["group_id"]
    )
    both = pd.concat([items, seen_again.astype(items.dtypes)])
    with pytest.raises(ValueError, match=f"item_id '{late['item_id']}' are in groups of different parts"):
        split_by_time(Dataset(both, labels, synthetic.CONFIG), whole_groups=True)


def test_what_cannot_be_split_is_refused() -> None:
    items, labels = synthetic.frames(200)
    nothing = labels.assign(is_censored=True, y=np.nan, labelled_at=pd.NaT)
    with pytest.raises(TooLittleDataError, match="too few known labels"):
        split_by_time(Dataset(items, nothing, synthetic.CONFIG))
    with pytest.raises(TooLittleDataError, match="too few known labels"):
        split_by_time(synthetic.dataset(4))
    with pytest.raises(ValueError, match="Shares must be above 0"):
        split_by_time(synthetic.dataset(100), validation=0.6, test=0.5)


def test_horizon_labels_are_defined_for_every_row_old_enough() -> None:
    outcomes = Outcomes(
        known=np.array([True, True, False, False, True]),
        hours=np.array([10.0, 30.0, 30.0, 20.0, 5.0]),
        age=np.array([100.0, 100.0, 30.0, 20.0, 20.0]),
    )
    # The last one ended at once but is younger than a day: its open siblings are undefined too.
    np.testing.assert_array_equal(outcomes.within(1), [1.0, 0.0, 0.0, np.nan, np.nan])


def test_test_rows_are_as_old_as_their_group_was_watched() -> None:
    items, labels = synthetic.frames(400)
    own_end = labels["observed_until"].where(labels["is_censored"], labels["labelled_at"])
    dataset = Dataset(items, labels.assign(observed_until=own_end), synthetic.CONFIG)
    split = split_by_time(dataset)
    within = split.outcomes(dataset).within(7)
    test = split.part == "test"
    assert 0.1 < np.nanmean(within[test]) < 0.999
    assert np.isnan(within[test]).mean() < 0.2


@pytest.mark.parametrize("unlabelled", [[13], [12, 13], [0], [5, 9], [3, 11, 13]])
def test_groups_without_a_label_take_no_part(unlabelled: list[int]) -> None:
    """The split is that of the labelled groups alone, wherever the others lie."""
    items, labels = grouped.frames()
    waits = items["group_id"].isin([f"week-{number:02d}" for number in unlabelled])
    censored = labels.assign(
        is_censored=waits, y=labels["y"].where(~waits), labelled_at=labels["labelled_at"].where(~waits)
    )
    split = split_by_groups(Dataset(items, censored), 3, 4)
    alone = split_by_groups(Dataset(items[~waits], labels[~waits]), 3, 4)
    np.testing.assert_array_equal(split.part[~waits], alone.part)
    np.testing.assert_array_equal(split.known[~waits], alone.known)
    assert not split.rows("train", "validation", "test")[waits].any() and not split.known[waits].any()
