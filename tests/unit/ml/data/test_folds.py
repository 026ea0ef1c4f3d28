"""Groups stay whole, time runs one way, and a label counts only where it was known."""

from __future__ import annotations

import numpy as np
import pytest

from ml.data.dataset import Dataset
from ml.data.parts.folds import (
    drawn_groups,
    forward_cuts,
    forward_folds,
    known_before_test,
    stratified_group_folds,
)
from ml.data.parts.splits import split_by_groups
from tests.unit.ml import grouped


def test_groups_are_whole_and_consecutive() -> None:
    data = grouped.dataset()
    split = split_by_groups(data, validation=3, test=4)
    groups = data.items["group_id"].to_numpy()
    parts = {part: sorted(set(groups[split.rows(part)])) for part in ("train", "validation", "test")}
    assert [len(parts[p]) for p in ("train", "validation", "test")] == [7, 3, 4]
    assert [*parts["train"], *parts["validation"], *parts["test"]] == [f"week-{k:02d}" for k in range(14)]


def test_labels_known_too_late_are_purged() -> None:
    data = grouped.dataset()
    split = split_by_groups(data, validation=3, test=4)
    labelled = data.row_labels()["labelled_at"].to_numpy()
    start = data.items["event_at"].to_numpy()
    train, validation, test = (split.rows(p) for p in ("train", "validation", "test"))
    assert (split.known[train] == (labelled[train] < start[validation].min())).all()
    assert (split.known[validation] == (labelled[validation] < start[test].min())).all()
    assert split.known[test].all() and not split.known[train].all()
    before = known_before_test(data, split)
    assert (before == ((train | validation) & (labelled < start[test].min()))).all()


def test_shares_and_an_empty_test_part() -> None:
    data = grouped.dataset()
    by_share = split_by_groups(data, validation=0.2, test=0.3)
    assert len(set(data.items["group_id"][by_share.rows("test")])) == 4
    without = split_by_groups(data, validation=3, test=0)
    assert not without.rows("test").any()
    assert without.known[without.rows("validation")].all()
    assert known_before_test(data, without).all()


@pytest.mark.parametrize(("validation", "test"), [(10, 4), (0, 4), (3, 14), (2.5, 3), (3, -1)])
def test_impossible_counts_are_refused(validation: float, test: float) -> None:
    with pytest.raises(ValueError, match="groups"):
        split_by_groups(grouped.dataset(), validation, test)


def test_the_order_of_rows_decides_nothing() -> None:
    items, labels = grouped.frames()
    shuffled = Dataset(items.sample(frac=1, random_state=1), labels, grouped.CONFIG)
    plain = Dataset(items, labels, grouped.CONFIG)
    assert (split_by_groups(shuffled).part == split_by_groups(plain).part).all()


def test_forward_folds_learn_from_the_past_only() -> None:
    data = grouped.dataset()
    split = split_by_groups(data, validation=3, test=4)
    start = data.items["event_at"].to_numpy()
    labelled = data.row_labels()["labelled_at"].to_numpy()
    test_start = start[split.rows("test")].min()
    folds = forward_folds(data, split, 4)
    assert len(folds) == 4
    for fold in folds:
        assert labelled[fold.fit].max() < start[fold.score].min()
        assert labelled[fold.score].max() < test_start
        assert not set(fold.fit) & set(fold.score)


@pytest.mark.parametrize(("cuts", "runs"), [(10, 9), (4, 4), (3, 3), (0, 0)])
def test_a_cut_learns_what_was_known_then_and_scores_the_groups_that_come_next(cuts: int, runs: int) -> None:
    data = grouped.dataset()
    split = split_by_groups(data, validation=3, test=4)
    groups, start = data.groups("group_id"), data.items["event_at"].to_numpy()
    labelled = data.row_labels()["labelled_at"].to_numpy()
    folds = forward_cuts(data, split, cuts)
    scored = [sorted(set(groups[fold.score])) for fold in folds]
    assert len(folds) == runs
    for fold in folds:
        begins = start[fold.score].min()
        known = (labelled < begins) & (start < begins)
        assert set(fold.fit) == set(np.flatnonzero(known))
    # Whole groups, each once, without a gap up to the test part; before them at least one to learn from.
    names = [name for run in scored for name in run]
    assert names == [f"week-{k:02d}" for k in range(10 - len(names), 10)]
    assert sum(len(fold.score) for fold in folds) == 60 * len(names) >= (300 if cuts else 0)


def test_groups_are_drawn_whole_and_only_from_the_rows_given() -> None:
    data = grouped.dataset()
    groups = data.groups("group_id")
    rows = known_before_test(data, split_by_groups(data, validation=3, test=4))
    drawn = drawn_groups(groups, rows, 200, seed=1)
    assert 200 <= drawn.sum() < 260 and not (drawn & ~rows).any()
    assert (drawn == (rows & np.isin(groups, groups[drawn]))).all()
    assert (drawn_groups(groups, rows, 200, seed=1) == drawn).all()
    assert (drawn_groups(groups, rows, 200, seed=2) != drawn).any()
    assert (drawn_groups(groups, rows, 10**6) == rows).all()


def test_forward_folds_of_some_rows_hold_no_others() -> None:
    data = grouped.dataset()
    split = split_by_groups(data, validation=3, test=4)
    some = drawn_groups(data.groups("group_id"), known_before_test(data, split), 300)
    for fold in forward_folds(data, split, 4, some):
        assert some[fold.fit].all() and some[fold.score].all()


def test_stratified_folds_keep_groups_whole() -> None:
    data = grouped.dataset()
    rows = np.flatnonzero(split_by_groups(data).rows("train", "validation"))
    groups, y = data.groups("group_id"), data.row_labels()["y"].to_numpy()
    folds = stratified_group_folds(y, groups, rows, 4, seed=0)
    assert sorted(np.concatenate([fold.score for fold in folds])) == sorted(rows)
    for fold in folds:
        assert not set(groups[fold.fit]) & set(groups[fold.score])
        assert abs(y[fold.score].mean() - y[rows].mean()) < 0.1
    with pytest.raises(ValueError, match="choose 2 to 8 folds"):
        stratified_group_folds(y, groups, rows, 9)
