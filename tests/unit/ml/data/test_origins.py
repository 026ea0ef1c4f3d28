"""Origins roll through time: what is learned at one was known there, and what is scored there came after."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ml.data.dataset import Dataset
from ml.data.parts.origins import Origin, rolling_origins
from ml.data.parts.splits import Split, split_by_time
from tests.unit.ml import synthetic

HORIZONS = (1, 7, 30, 90, 365)


def parts(data: Dataset, count: int = 4) -> tuple[Split, list[Origin]]:
    split = split_by_time(data)
    return split, rolling_origins(data, split, count)


@pytest.mark.parametrize("count", [1, 4, 6])
def test_the_scored_rows_are_consecutive_and_cover_the_later_half_before_the_test(count: int) -> None:
    data = synthetic.dataset(2000)
    split, origins = parts(data, count)
    assert len(origins) == count
    start = data.items["event_at"].to_numpy()
    times_scored = np.sum([origin.score for origin in origins], axis=0)
    assert times_scored.max() == 1 and not times_scored[split.rows("test")].any()
    assert (origins[-1].score == split.rows("validation")).all()
    for line in np.unique(split.timeline):
        own = split.timeline == line
        training = own & split.rows("train")
        sizes = [int((origin.score & own).sum()) for origin in origins[:-1]]
        if sizes:
            assert sum(sizes) == training.sum() - training.sum() // 2
            assert max(sizes) - min(sizes) <= 1
        ends = [start[origin.score & own].max() for origin in origins]
        begins = [start[origin.score & own].min() for origin in origins]
        assert all(end < begin for end, begin in zip(ends[:-1], begins[1:], strict=True))


def test_what_is_learned_was_known_at_the_origin_and_no_horizon_reaches_beyond_it() -> None:
    data = synthetic.dataset(2000)
    labels = data.row_labels()
    start, ended = data.items["event_at"].to_numpy(), labels["labelled_at"].to_numpy()
    for origin in parts(data)[1]:
        assert (origin.fit == (start < origin.cut)).all()
        assert (origin.cut[origin.score] <= start[origin.score]).all()
        known = ended < origin.cut
        assert (origin.learned.known == known).all()
        for days in HORIZONS:
            defined = ~np.isnan(origin.learned.within(days)) & origin.fit
            young = start + np.timedelta64(24 * days, "h") > origin.cut
            assert not (defined & young).any()
            truth = known & ((ended - start) <= np.timedelta64(24 * days, "h"))
            assert (origin.learned.within(days)[defined] == truth[defined]).all()


def test_what_happens_after_an_origin_changes_nothing_that_is_learned_there() -> None:
    items, labels = synthetic.frames(2000)
    data = Dataset(items, labels, synthetic.CONFIG)
    split, origins = parts(data)
    for number, origin in enumerate(origins):
        later = data.labels["labelled_at"].to_numpy() >= origin.cut
        forgotten = data.labels.assign(
            y=data.labels["y"].where(~later),
            is_censored=data.labels["is_censored"] | later,
            labelled_at=data.labels["labelled_at"].where(~later),
        )
        again = rolling_origins(Dataset(data.items, forgotten, synthetic.CONFIG), split, min_rows=0)[number]
        assert (again.fit == origin.fit).all() and (again.learned.known == origin.learned.known).all()
        assert (again.learned.hours == origin.learned.hours)[origin.fit].all()


def test_an_item_that_is_observed_again_is_learned_from_up_to_the_origin_and_scored_as_a_whole() -> None:
    items, labels = synthetic.frames(2000)
    later = items.assign(event_at=items["event_at"] + pd.Timedelta(days=3))
    later = later[items["event_at"] < synthetic.END - pd.Timedelta(days=30)]
    data = Dataset(pd.concat([items, later]), labels, synthetic.CONFIG)
    observed, start = data.items["event_at"].to_numpy(), data.first_times()
    for origin in parts(data)[1]:
        assert (origin.fit == (observed < origin.cut)).all()
        assert not (set(data.items["item_id"][origin.score]) & set(data.items["item_id"][start < origin.cut]))
        counts = data.items["item_id"][origin.score].value_counts()
        assert (counts == 2).all()


def test_an_origin_with_too_little_on_a_side_is_left_out_and_the_last_one_never() -> None:
    data = synthetic.dataset(120)
    split, origins = parts(data)
    assert len(origins) == 1 and (origins[0].score == split.rows("validation")).all()
    known = split.outcomes_for_refit(data).known
    for origin in rolling_origins(data, split, min_rows=10)[:-1]:
        assert min((origin.fit & origin.learned.known).sum(), (origin.score & known).sum()) >= 10
