"""What a dataset accepts and what it refuses, in one sentence."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

from ml.data.dataset import Dataset
from ml.data.domain import DomainConfig
from tests.unit.ml import synthetic


def test_reads_a_directory_with_its_settings(tmp_path: Path) -> None:
    items, labels = synthetic.frames(80)
    settings = {"name": "parcels", "timeline": "slice_depot", "horizons_days": [2, 5]}
    dataset = Dataset.from_dir(synthetic.write(tmp_path, items, labels, json.dumps(settings)))
    assert dataset.config.horizons_days == (2, 5)
    assert dataset.features == ["size", "weight_class", "is_fragile", "kind", "text"]
    assert dataset.slices == ["slice_depot", "slice_kind"]
    assert dataset.kinds() == {
        "size": "number",
        "weight_class": "number",
        "is_fragile": "number",
        "kind": "category",
        "text": "text",
    }


@pytest.mark.parametrize(
    ("items_change", "labels_change", "message"),
    [
        (lambda f: f.drop(columns="entity_id"), None, "lack the columns"),
        (None, lambda f: f.drop(columns="observed_until"), "lack the columns"),
        (lambda f: f.iloc[:0], None, "are empty"),
        (None, lambda f: pd.concat([f, f.iloc[:1]]), "more than one label"),
        (lambda f: pd.concat([f, f.iloc[:1]]), None, "two rows with one observation time"),
        (None, lambda f: f.iloc[1:], "not in both frames"),
        (lambda f: f.iloc[1:], None, "not in both frames"),
        (lambda f: f.assign(y=1.0), None, "must not see them"),
        (lambda f: f.assign(labelled_at=1.0), None, "must not see them"),
        (lambda f: f.assign(relevance=1), None, "must not see them"),
        (lambda f: f.assign(closed_at=1.0), None, "must not see them"),
        (lambda f: f.assign(hours_from_assignment=1.0), None, "must not see them"),
        (lambda f: f.assign(assigned_at=1.0), lambda g: g.assign(assigned_at=None), "must not see them"),
        (lambda f: f.assign(event_at=f["event_at"].dt.tz_localize("UTC")), None, "has a time zone"),
        (lambda f: f.assign(event_at="yesterday"), None, "holds no times"),
        (lambda f: f.assign(seen=f["event_at"]), None, "make it a number"),
        (None, lambda f: f.assign(y=f["y"] - 1e6), "negative"),
        (None, lambda f: f.assign(labelled_at=pd.NaT), "yet lacks y or labelled_at"),
        (
            lambda f: f[["item_id", "event_at", "entity_id", "group_id", "slice_depot"]],
            None,
            "no feature column",
        ),
        (lambda f: f.drop(columns="slice_depot"), None, "slice_depot"),
    ],
)
def test_refuses_in_one_sentence(items_change, labels_change, message) -> None:  # type: ignore[no-untyped-def]
    items, labels = synthetic.frames(60)
    items = items_change(items) if items_change else items
    labels = labels_change(labels) if labels_change else labels
    with pytest.raises(ValueError, match=message) as caught:
        Dataset(items, labels, synthetic.CONFIG)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("copy", [lambda y: y, np.log1p])
def test_refuses_a_feature_that_is_the_label_under_another_name(copy) -> None:  # type: ignore[no-untyped-def]
    items, labels = synthetic.frames(60)
    with pytest.raises(ValueError, match="'innocent' equals the label"):
        Dataset(items.assign(innocent=copy(labels["y"])), labels, synthetic.CONFIG)


def test_refuses_an_extra_label_column_among_the_features() -> None:
    items, labels = synthetic.frames(60)
    with pytest.raises(ValueError, match="stamps"):
        Dataset(items.assign(stamps=1.0), labels.assign(stamps=2.0), synthetic.CONFIG)


def test_missing_folder_and_bad_settings(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no training set at"):
        Dataset.from_dir(tmp_path / "nowhere")
    items, labels = synthetic.frames(40)
    with pytest.raises(ValueError, match="unknown settings"):
        Dataset.from_dir(synthetic.write(tmp_path, items, labels, '{"colour": 1}'))
    (tmp_path / "domain.json").write_text("{")
    with pytest.raises(ValueError, match="is no JSON"):
        Dataset.from_dir(tmp_path)
    (tmp_path / "domain.json").unlink()
    (tmp_path / "label.parquet").write_bytes(b"no parquet")
    with pytest.raises(ValueError, match="cannot be read"):
        Dataset.from_dir(tmp_path)


def test_what_is_sealed_is_known_again_and_what_was_changed_since_is_checked(tmp_path: Path) -> None:
    items, labels = synthetic.frames(80)
    read = Dataset.from_dir(synthetic.write(tmp_path, items, labels, "{}"))
    read.seal(tmp_path)
    again = Dataset.from_dir(tmp_path)
    assert again.snapshot_id == read.snapshot_id == Dataset(again.items, again.labels).snapshot_id
    assert replace(again, config=DomainConfig(name="other")).snapshot_id != read.snapshot_id
    synthetic.write(tmp_path, items.assign(closed_at=1.0), labels, "{}")
    with pytest.raises(ValueError, match="must not see them"):
        Dataset.from_dir(tmp_path)
    synthetic.write(tmp_path, items.assign(size=items["size"] + 1), labels, "{}")
    assert Dataset.from_dir(tmp_path).snapshot_id != read.snapshot_id


def test_what_the_memory_cannot_hold_is_told_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = synthetic.write(tmp_path, *synthetic.frames(60))
    left = psutil.virtual_memory()._replace(available=1000)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: left)
    with pytest.raises(ValueError, match=r"needs \d\.\d GB of memory at least, and 0\.0 GB are free: train"):
        Dataset.from_dir(folder)


@pytest.mark.parametrize("horizons", [[], [0], [-1, 2], ["a"]])
def test_refuses_horizons_that_are_no_days(horizons: list[object]) -> None:
    with pytest.raises(ValueError, match="horizons_days"):
        DomainConfig.from_mapping({"horizons_days": horizons})


def test_rows_come_into_one_order() -> None:
    items, labels = synthetic.frames(60)
    shuffled = Dataset(
        items.sample(frac=1, random_state=1), labels.sample(frac=1, random_state=2), synthetic.CONFIG
    )
    pd.testing.assert_frame_equal(shuffled.items, Dataset(items, labels, synthetic.CONFIG).items)
    assert (shuffled.row_labels()["item_id"] == shuffled.items["item_id"]).all()
