"""A run folder: plain file names, whole files or one sentence, a record per model, one process at a time."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.errors import DamagedFileError
from ml.models.median import GroupMedian
from ml.store.files import file_name
from ml.store.lock import LockedError
from ml.store.record import Evaluation
from ml.store.run_folder import RunFolder

RECORD = Evaluation(
    run_id="r", domain="parcels", task="regression", model="m", snapshot_id="s", key="k", seed=0, settings={},
    params={}, feature_list=["weight"], best_iteration=None, metrics=[], seconds={},
    started_at="2026-01-01T00:00:00+00:00", finished_at="2026-01-01T01:00:00+00:00",
)  # fmt: skip
ROWS = pd.DataFrame({"item_id": ["a", "b"], "y_pred": [1.0, 2.0]})


def save(folder: RunFolder, model: str = "m", rows: pd.DataFrame = ROWS, **changed: object) -> Evaluation:
    record = replace(RECORD, model=model, **changed)  # type: ignore[arg-type]
    return folder.save(record, GroupMedian(), rows, (".txt", b"own"), {"threshold": 0.5})


@given(st.lists(st.text(), min_size=2, max_size=2, unique=True))
def test_a_file_name_is_no_path_and_no_two_names_share_one(names: list[str]) -> None:
    first, second = (file_name(name) for name in names)
    assert first != second
    for name in (first, second):
        assert Path(name).name == name and len(name.encode()) <= 110 and not name.startswith(".")


@pytest.mark.parametrize("name", ["median", "linear+prediction_adjustment", "scorer", "a.b-c_d~e", "Kind"])
def test_plain_names_stay_as_they_are(name: str) -> None:
    assert file_name(name) == name


def test_long_names_do_not_meet() -> None:
    long = "é" * 400
    assert len({file_name(long), file_name(long + "a"), file_name(long[:-1])}) == 3


@pytest.mark.parametrize(
    "name", ["../../x", "a/b", "a b", "..", ".", "/etc/passwd", "a\x00b", "%2E", "ü" * 300]
)
def test_what_is_called_like_a_path_stays_in_the_folder(tmp_path: Path, name: str) -> None:
    folder = RunFolder(tmp_path / "runs" / "r")
    saved = save(folder, name)
    folder.write_text(name, name, "text")
    folder.write_table(name, ROWS)
    folder.picture(name, b"png")
    assert {path.parent for path in tmp_path.rglob("*") if path.is_file()} == {folder.path}
    assert folder.models() == [name] and folder.evaluation(name) == saved
    assert folder.predictions(name).equals(ROWS) and folder.texts([name]) == ["text"]
    assert isinstance(folder.model(name), GroupMedian) and folder.report(name) == {"threshold": 0.5}


def test_the_reports_of_a_model_are_not_those_of_a_longer_name(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "r")
    for model in ("linear", "linear_x"):
        save(folder, model)
        folder.write_text(model, "kind", model)
    assert folder.texts(["linear"]) == ["linear"] and folder.texts(["linear_x"]) == ["linear_x"]
    assert folder.texts() == ["linear", "linear_x"]


@pytest.mark.parametrize(
    "file, read",
    [
        ("m.skops", lambda folder: folder.model("m")),
        ("predictions_m.parquet", lambda folder: folder.predictions("m")),
        ("predictions_m.parquet", lambda folder: folder.predictions_file("m")),
        ("report_m.json", lambda folder: folder.report("m")),
        ("eval_m.json", lambda folder: folder.evaluation("m")),
    ],
)
@pytest.mark.parametrize("damage", ["cut", "changed", "emptied"])
def test_a_damaged_file_is_named_and_is_not_up_to_date(
    tmp_path: Path, file: str, read: object, damage: str
) -> None:
    folder = RunFolder(tmp_path / "r")
    save(folder)
    assert folder.current("m", "k") is not None
    data = (folder.path / file).read_bytes()
    changed = (
        data.replace(b'"seed": 0', b'"seed": 1') if file == "eval_m.json" else data[:-9] + b"x" + data[-8:]
    )
    (folder.path / file).write_bytes({"cut": data[:-5], "changed": changed, "emptied": b""}[damage])
    with pytest.raises(DamagedFileError, match=rf"{file}.*train the model") as error:
        read(folder)  # type: ignore[operator]
    assert "\n" not in str(error.value)
    assert folder.current("m", "k") is None
    save(folder)
    assert folder.current("m", "k") is not None


def test_a_record_of_an_earlier_version_is_refused_in_one_sentence(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "r")
    save(folder)
    old = {
        name: value
        for name, value in json.loads((folder.path / "eval_m.json").read_text()).items()
        if name != "key"
    }
    del old["sha256"]
    (folder.path / "eval_m.json").write_text(json.dumps(old))
    with pytest.raises(DamagedFileError, match=r"of another version.*remove it and train the model again"):
        folder.evaluations()


def test_models_and_domains_of_one_folder_keep_their_own_records(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "r")
    save(folder, "m", domain="parcels", snapshot_id="p", seed=1)
    save(folder, "n", domain="letters", snapshot_id="l", seed=2, started_at="2026-01-02T00:00:00+00:00",
         finished_at="2026-01-02T01:00:00+00:00", git_sha="abc", engine="test")  # fmt: skip
    save(folder, "o", domain="parcels", snapshot_id="p", seed=1, finished_at="2026-01-03T00:00:00+00:00")
    letters, parcels = folder.runs()
    assert (letters["domain"], letters["snapshot_id"], letters["seed"]) == ("letters", "l", 2)
    assert (letters["git_sha"], letters["engine"], letters["status"]) == ("abc", "test", "succeeded")
    assert (parcels["domain"], parcels["snapshot_id"], parcels["seed"]) == ("parcels", "p", 1)
    assert parcels["started_at"] == RECORD.started_at
    assert parcels["finished_at"] == "2026-01-03T00:00:00+00:00"


def test_the_version_is_of_the_data_and_the_answers(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "r")
    version = save(folder).model_version
    assert save(folder, key="other", seed=5).model_version == version and version.startswith("m-")
    others = [save(folder, snapshot_id="t"), save(folder, rows=ROWS.assign(y_pred=3.0)), save(folder, "n")]
    assert len({version, *(other.model_version for other in others)}) == 4


def test_what_tells_of_a_model_goes_with_it(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "r")
    save(folder)
    folder.write_text("m", "kind", "of the first one")
    save(folder, snapshot_id="t")
    assert folder.texts() == []


def test_a_second_process_is_told_who_is_at_work(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "r")
    program = (
        "import sys; from ml.store.run_folder import RunFolder\n"
        "with RunFolder(sys.argv[1]).at_work('us'): print('in', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(folder.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == b"in\n"
        told = rf"Another run \(process {other.pid}\) is at work in .*: wait until it has finished"
        with pytest.raises(LockedError, match=told), folder.at_work():
            pass
        with pytest.raises(LockedError, match=told), folder.at_work("others"):
            pass
        with folder.at_work("us"):
            assert folder.models() == []
        other.kill()
        other.wait()
    with folder.at_work():
        assert folder.models() == []
