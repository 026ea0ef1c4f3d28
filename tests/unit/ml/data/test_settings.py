"""Settings are of the right type and name what is there, wherever they come from, or are refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from ml.data.dataset import Dataset
from ml.data.domain import DomainConfig
from tests.unit.ml import synthetic

WRONG: list[tuple[Any, str]] = [
    ([], "must hold one mapping of settings, not []"),
    (3, "must hold one mapping of settings, not 3"),
    (None, "must hold one mapping of settings, not None"),
    ({"colour": 1}, "has the unknown settings ['colour']: choose from name,"),
    ({"outcome_slice": []}, "has the unknown settings ['outcome_slice']: did you mean 'outcome_slices'?"),
    ({"name": 3}, "name must be a text, not 3"),
    ({"name": None}, "name must be a text, not None"),
    ({"timeline": ["slice_depot"]}, "timeline must be a text or null, not ['slice_depot']"),
    ({"timeline": "depot"}, "timeline names the column 'depot', which the items do not have"),
    (
        {"weight_by": "slice_depots"},
        "weight_by names the column 'slice_depots', which the items do not have: did",
    ),
    ({"horizons_days": 7}, "horizons_days must be a list, each entry a number above 0"),
    ({"horizons_days": []}, "horizons_days needs one horizon at least"),
    ({"horizons_days": ["7"]}, "horizons_days must be a list, each entry a number"),
    ({"horizons_days": [True]}, "horizons_days must be"),
    ({"horizons_days": [0]}, "horizons_days must be"),
    ({"horizons_days": [-1, 2]}, "horizons_days must be"),
    ({"horizons_days": [1e9]}, "horizons_days must be"),
    ({"horizons_days": [float("nan")]}, "horizons_days must be"),
    ({"horizons_days": [10**400]}, "horizons_days must be"),
    ({"outcome_slices": "slice_kind"}, "outcome_slices must be a list, each entry a text, not 'slice_kind'"),
    (
        {"outcome_slices": ["slice_kinds"]},
        "outcome_slices names the column 'slice_kinds', which the items do not",
    ),
    ({"outcome_slices": ["kind"]}, "outcome_slices names the column 'kind'"),
    ({"mix_slices": ["slice_colour"]}, "mix_slices names the column 'slice_colour'"),
    ({"mix_slices": [1]}, "mix_slices must be a list, each entry a text"),
    ({"mitigated_slices": ["slice_sort"]}, "mitigated_slices names the column 'slice_sort'"),
    ({"mitigated_slices": {}}, "mitigated_slices must be a list, each entry a text or null"),
    ({"note": 1.5}, "note must be a text, not 1.5"),
    ({"baselines": ["size"]}, "baselines must be a mapping, each value a list"),
    ({"baselines": {"size": "size"}}, "baselines must be a mapping, each value a list"),
    ({"baselines": {"size": []}}, "the baseline 'size' names no column"),
    ({"baselines": {"size": ["sizes"]}}, "the baseline 'size' names the number column 'sizes'"),
    ({"baselines": {"size": ["-kind"]}}, "the baseline 'size' names the number column 'kind'"),
    ({"groups_are_questions": "no"}, "groups_are_questions must be true or false, not 'no'"),
    ({"groups_are_questions": 1}, "groups_are_questions must be true or false, not 1"),
    ({"block_days": 0}, "block_days must be a number above 0"),
    ({"block_days": "7"}, "block_days must be"),
]


@pytest.mark.parametrize(("mapping", "sentence"), WRONG)
def test_bad_settings_of_a_file_are_named(mapping: Any, sentence: str, tmp_path: Path) -> None:
    folder = synthetic.write(tmp_path, *synthetic.frames(60), json.dumps(mapping))
    with pytest.raises(ValueError, match=r"^\S") as caught:
        Dataset.from_dir(folder)
    assert sentence in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"{", "is no JSON"),
        (b"", "is no JSON"),
        (b"\xff\xfe", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b'{"name": "a", "name": "b"}', "'name' is there twice"),
    ],
)
def test_a_file_that_is_no_settings_is_named(text: bytes, sentence: str, tmp_path: Path) -> None:
    folder = synthetic.write(tmp_path, *synthetic.frames(60))
    (folder / "domain.json").write_bytes(text)
    with pytest.raises(ValueError, match=sentence) as caught:
        Dataset.from_dir(folder)
    assert str(folder / "domain.json") in str(caught.value)


def test_a_folder_in_place_of_the_settings_is_named(tmp_path: Path) -> None:
    folder = synthetic.write(tmp_path, *synthetic.frames(60))
    (folder / "domain.json").mkdir()
    with pytest.raises(ValueError, match="is no file"):
        Dataset.from_dir(folder)


def test_settings_of_a_hand_are_checked_like_those_of_a_file() -> None:
    with pytest.raises(ValueError, match="horizons_days must be a list"):
        DomainConfig(horizons_days=7)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="groups_are_questions must be true or false"):
        DomainConfig(groups_are_questions="no")  # type: ignore[arg-type]


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
NAMES = [*DomainConfig.__dataclass_fields__, "snapshot_id", "colour"]


@seed(20260101)
@settings(max_examples=300, deadline=None, database=None)
@given(mapping=st.one_of(JSON, st.dictionaries(st.sampled_from(NAMES), JSON, max_size=4)))
def test_no_settings_end_in_the_error_of_a_library(mapping: Any) -> None:
    items, labels = synthetic.frames(40)
    try:
        dataset = Dataset(items, labels, DomainConfig.from_mapping(mapping))
    except ValueError as error:
        assert type(error) is ValueError and "\n" not in str(error), repr(error)
    else:
        assert len(dataset.snapshot_id) == 64
