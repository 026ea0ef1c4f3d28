"""Two training sets are one when they say the same, however it is written; all else makes them two."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ml.data.content import content_id
from ml.data.dataset import Dataset
from ml.data.domain import DomainConfig
from tests.unit.ml import synthetic

Change = Callable[[pd.DataFrame], pd.DataFrame]
SETTINGS = '{"timeline": "slice_depot", "horizons_days": [1, 7]}'


def first_row(column: str, value: Any) -> Change:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        values = frame[column].tolist()
        values[0] = value
        return frame.assign(**{column: pd.Series(values, index=frame.index)})

    return change


@pytest.mark.parametrize(
    "written",
    [
        lambda f: f,
        lambda f: f.sample(frac=1, random_state=3),
        lambda f: f.set_index("item_id", drop=False),
        lambda f: f.assign(kind=f["kind"].astype("category")),
        lambda f: f.assign(kind=f["kind"].astype(object)),
        lambda f: f.assign(event_at=f["event_at"].astype("datetime64[ns]")),
        lambda f: f.assign(size=f["size"].astype("Float64")),
        lambda f: f.assign(weight_class=f["weight_class"].astype("Int64")),
        lambda f: f.assign(is_fragile=f["is_fragile"].astype("boolean")),
    ],
)
def test_what_says_the_same_is_the_same_in_memory_and_from_files(written: Change, tmp_path: Path) -> None:
    items, labels = synthetic.frames(60)
    config = DomainConfig(timeline="slice_depot", horizons_days=(1.0, 7))
    plain = Dataset(items, labels, config).snapshot_id
    assert Dataset(written(items), labels.sample(frac=1, random_state=1), config).snapshot_id == plain
    assert Dataset.from_dir(synthetic.write(tmp_path, written(items), labels, SETTINGS)).snapshot_id == plain


@pytest.mark.parametrize(
    ("items_change", "labels_change"),
    [
        (first_row("size", 5.0), None),
        (first_row("kind", "barrel"), None),
        (first_row("kind", None), None),
        (first_row("text", ""), None),
        (first_row("group_id", "elsewhere"), None),
        (first_row("slice_kind", None), None),
        (first_row("event_at", pd.Timestamp("2018-12-31 23:59:59.999999")), None),
        (lambda f: f.rename(columns={"size": "sizes"}), None),
        (lambda f: f[["weight_class", *f.columns.drop("weight_class")]], None),
        (lambda f: f.assign(constant=1), None),
        (lambda f: f.assign(is_fragile=~f["is_fragile"]), None),
        (None, first_row("y", 1.25)),
        (None, first_row("weight", 2.0)),
        (None, first_row("relevance", 3)),
        (None, first_row("observed_until", pd.Timestamp("2022-01-02"))),
        (lambda f: f.iloc[1:], lambda f: f.iloc[1:]),
    ],
)
def test_any_other_content_is_another(items_change: Change | None, labels_change: Change | None) -> None:
    items, labels = synthetic.frames(60)
    labels = labels.assign(is_censored=False, y=1.0, labelled_at=items["event_at"])
    changed_items = items_change(items) if items_change else items
    changed_labels = labels_change(labels) if labels_change else labels
    assert Dataset(items, labels).snapshot_id != Dataset(changed_items, changed_labels).snapshot_id


def test_swapped_values_are_another_content() -> None:
    items, labels = synthetic.frames(60)
    swapped = items.assign(size=items["size"].to_numpy()[::-1])
    assert Dataset(items, labels).snapshot_id != Dataset(swapped, labels).snapshot_id


@pytest.mark.parametrize(
    "setting",
    [
        {"name": "letters"},
        {"horizons_days": (30,)},
        {"timeline": None},
        {"weight_by": "slice_kind"},
        {"outcome_slices": ("slice_kind",)},
        {"mitigated_slices": ()},
        {"note": "made up"},
        {"baselines": {"size": ("size",)}},
        {"baselines": {"size": ("-size",)}},
        {"groups_are_questions": True},
        {"block_days": 7.0},
    ],
)
def test_every_setting_belongs_to_the_content(setting: dict[str, Any]) -> None:
    dataset = synthetic.dataset(60)
    other = replace(dataset, config=replace(dataset.config, **setting))
    assert other.snapshot_id != dataset.snapshot_id


def test_no_file_names_its_own_content(tmp_path: Path) -> None:
    items, labels = synthetic.frames(60)
    claim = '{"timeline": "slice_depot", "horizons_days": [1, 7], "snapshot_id": "abc"}'
    claimed = Dataset.from_dir(synthetic.write(tmp_path / "claimed", items, labels, claim))
    honest = Dataset.from_dir(synthetic.write(tmp_path / "honest", items, labels, SETTINGS))
    assert claimed.snapshot_id == honest.snapshot_id


def test_whole_numbers_beyond_a_floats_reach_stay_apart() -> None:
    items, labels = synthetic.frames(40)
    many = np.arange(40) + 2**53
    one = content_id(items.assign(account=many), labels, {})
    assert one != content_id(items.assign(account=np.r_[2**53 + 40, many[1:]]), labels, {})
    assert one == content_id(items.assign(account=many), labels, {})


def test_a_list_of_names_is_read_to_its_end_whatever_it_is_kept_in() -> None:
    items, labels = synthetic.frames(40)
    names = [[f"label {k}" for k in range(2000)] for _ in range(40)]
    other = [[*names[0][:1000], "another", *names[0][1001:]], *names[1:]]
    one = content_id(items.assign(slice_label=pd.Series(names)), labels, {})
    assert one != content_id(items.assign(slice_label=pd.Series(other)), labels, {})
    for kept in (tuple, np.array):
        assert one == content_id(items.assign(slice_label=pd.Series(map(kept, names))), labels, {})


def test_a_large_set_is_identified_in_well_below_a_second() -> None:
    rng = np.random.default_rng(0)
    items = pd.DataFrame(rng.normal(size=(50_000, 90)), columns=[f"x{k}" for k in range(90)])
    for k in range(10):
        items[f"c{k}"] = rng.choice(["letter", "box", "crate"], 50_000)
    started = time.process_time()
    content_id(items, items[["x0"]], {})
    # Measured: 0.35 s on one core; the bound leaves room for a busy machine.
    assert time.process_time() - started < 2
