"""Encoders: fitted on training rows only, safe on what they never saw, kept between models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml.data.parts.splits import split_by_time
from ml.encoding.encoders import CategoryEncoder, GroupSelector, ItemEncoder, NumberEncoder, TextEncoder
from ml.encoding.matrix import PreprocessingConfig, fit_and_encode, new_encoder, prepare
from ml.models.lightgbm_scorers import safe_names
from tests.unit.ml import synthetic

SMALL = PreprocessingConfig(text_buckets=256, text_components=4)


def test_numbers_are_filled_flagged_and_squashed() -> None:
    frame = pd.DataFrame(
        {"a": [1.0, 2.0, np.nan, 3.0], "flag": [True, False, True, True], "big": [1, 10, 100, 10**9]}
    )
    encoder = NumberEncoder(["a", "flag", "big"]).fit(frame)
    names = list(encoder.get_feature_names_out())
    assert names == ["a", "flag", "big", "a_is_missing"]
    encoded = encoder.transform(frame)
    assert encoded[2, 0] == 2.0
    np.testing.assert_array_equal(encoded[:, 3], [0, 0, 1, 0])
    np.testing.assert_allclose(encoded[:, 2], np.log1p(frame["big"]), rtol=1e-6)
    late = encoder.transform(pd.DataFrame({"a": [np.inf], "flag": [None], "big": [np.nan]}))
    assert np.isfinite(late).all()


def test_a_number_that_is_never_there_is_no_error() -> None:
    frame = pd.DataFrame({"a": [np.nan, np.nan]})
    assert np.isfinite(NumberEncoder(["a"]).fit(frame).transform(frame)).all()


def test_unseen_and_rare_categories_are_other() -> None:
    frame = pd.DataFrame({"kind": ["x"] * 6 + ["y"] * 5 + ["rare", None]})
    encoder = CategoryEncoder(["kind"], min_rows=5).fit(frame)
    assert list(encoder.get_feature_names_out()) == ["kind=x", "kind=y", "kind=(other)"]
    encoded = encoder.transform(pd.DataFrame({"kind": ["y", "rare", "never seen", None, "(other)"]}))
    np.testing.assert_array_equal(encoded, [[0, 1, 0], [0, 0, 1], [0, 0, 1], [0, 0, 1], [0, 0, 1]])


def test_levels_are_capped_by_frequency() -> None:
    frame = pd.DataFrame({"kind": ["a"] * 3 + ["b"] * 5 + ["c"] * 4})
    assert CategoryEncoder(["kind"], min_rows=1, max_levels=2).fit(frame).levels_ == [["b", "c", "(other)"]]


def test_text_components_tell_texts_apart() -> None:
    frame = pd.DataFrame({"text": ["red green", "red green blue", "sun moon", None, ""] * 4})
    encoder = TextEncoder(["text"], buckets=64, components=3)
    encoded = encoder.fit_transform(frame)
    np.testing.assert_allclose(encoded, encoder.transform(frame))
    assert encoded.dtype == np.float32
    assert np.linalg.norm(encoded[0] - encoded[1]) < np.linalg.norm(encoded[0] - encoded[2])
    assert np.isfinite(encoder.transform(pd.DataFrame({"text": ["words never seen", None]}))).all()


def test_group_selector_names_the_missing() -> None:
    frame = pd.DataFrame({"depot": ["north", None]})
    assert GroupSelector("depot").transform(frame)[:, 0].tolist() == ["north", "(missing)"]
    assert GroupSelector(None).transform(frame)[:, 0].tolist() == ["(all)", "(all)"]


def test_only_training_rows_decide_the_encoding() -> None:
    items, labels = synthetic.frames(300)
    dataset = synthetic.dataset(300)
    split = split_by_time(dataset)
    encoded = prepare(dataset, split, SMALL)
    later = dataset.items["item_id"][~split.rows("train")]
    changed = items.copy()
    rows = changed["item_id"].isin(later)
    changed.loc[rows, "size"] *= 1e6
    changed.loc[rows, "kind"] = "novelty"
    changed.loc[rows, "text"] = "entirely different words"
    other = type(dataset)(changed, labels, synthetic.CONFIG)
    again = prepare(other, split_by_time(other), SMALL)
    train = split.rows("train")
    np.testing.assert_array_equal(encoded.matrix[train], again.matrix[train])
    assert not np.array_equal(encoded.matrix[~train], again.matrix[~train])


def test_is_computed_once_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = synthetic.dataset(200)
    split = split_by_time(dataset)
    first = prepare(dataset, split, SMALL, tmp_path / "kept")
    monkeypatch.setattr(TextEncoder, "_fit_all", lambda *a: pytest.fail("fitted twice"))
    second = prepare(dataset, split, SMALL, tmp_path / "kept")
    assert isinstance(second.matrix, np.memmap)
    np.testing.assert_array_equal(first.matrix, second.matrix)
    np.testing.assert_array_equal(first.matrix, second.encoder.transform(dataset.items))
    monkeypatch.undo()
    prepare(dataset, split, PreprocessingConfig(text_buckets=128, text_components=4), tmp_path / "kept")
    assert len(list((tmp_path / "kept").iterdir())) == 1


@pytest.mark.parametrize("name", ["matrix.npy", "encoder.skops", "sha256.json"])
@pytest.mark.parametrize("damage", ["cut", "changed", "emptied", "removed"])
def test_what_was_kept_and_is_damaged_is_made_again(tmp_path: Path, name: str, damage: str) -> None:
    dataset = synthetic.dataset(60)
    split = split_by_time(dataset)
    first = np.array(prepare(dataset, split, SMALL, tmp_path).matrix)
    [file] = tmp_path.glob(f"*/{name}")
    content = file.read_bytes()
    if damage == "removed":
        file.unlink()
    else:
        changed = bytes([*content[:-1], content[-1] ^ 1])
        file.write_bytes({"cut": content[: len(content) // 2], "changed": changed, "emptied": b""}[damage])
    np.testing.assert_array_equal(prepare(dataset, split, SMALL, tmp_path).matrix, first)
    assert isinstance(prepare(dataset, split, SMALL, tmp_path).matrix, np.memmap), "it is kept again"


def test_lost_features_are_named() -> None:
    dataset = synthetic.dataset(200)
    encoder = prepare(dataset, split_by_time(dataset), SMALL).encoder
    with pytest.raises(ValueError, match=r"lack the features \['kind'\]"):
        encoder.transform(dataset.items.drop(columns="kind"))


def test_encoded_columns_know_their_source_even_where_their_names_are_alike() -> None:
    frame = pd.DataFrame(
        {
            "a": ["b=c"] * 12,
            "a=b": ["c"] * 12,
            "n": [1.0, np.nan] * 6,
            "n_is_missing": np.arange(12.0),
            "text": ["red green", "blue"] * 6,
        }
    )
    encoder = ItemEncoder(
        [
            NumberEncoder(["n", "n_is_missing"]),
            CategoryEncoder(["a", "a=b"]),
            TextEncoder(["text"], 50, 64, 3),
        ]
    )
    matrix = encoder.fit_transform(frame)
    names, sources = list(encoder.get_feature_names_out()), encoder.sources()
    assert len(names) == len(sources) == matrix.shape[1]
    assert names[:3] == ["n", "n_is_missing", "n_is_missing"] and sources[:3] == ["n", "n_is_missing", "n"]
    assert names[3] == names[5] == "a=b=c" and sources[3:7] == ["a", "a", "a=b", "a=b"]
    assert set(sources[7:]) == {"text"}
    assert len(set(safe_names(names))) == len(names)


def test_rows_that_are_learned_from_are_encoded_as_all_others() -> None:
    data = synthetic.dataset(300)
    learners = split_by_time(data).rows("train")
    wanted = learners | (np.arange(len(learners)) % 2 == 0)
    for inputs in ("features", "gaps"):
        encoder = new_encoder(data, inputs)
        matrix = fit_and_encode(encoder, data.items, learners, wanted)
        np.testing.assert_array_equal(matrix[wanted], encoder.transform(data.items[wanted]))
        assert np.isnan(matrix[~wanted]).all()
        again = new_encoder(data, inputs).fit(data.items[learners]).transform(data.items)
        np.testing.assert_array_equal(matrix[wanted], again[wanted])
