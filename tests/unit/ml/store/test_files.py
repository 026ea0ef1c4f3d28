"""Files are written whole or not at all, and models are loaded only when nothing about them is strange."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ml.runs.train import train_models
from ml.store.files import json_text, write_atomically
from ml.store.run_folder import RunFolder
from ml.tasks.duration.task import TrainingConfig
from tests.unit.ml import synthetic


def test_a_failed_write_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "deep" / "a.txt"
    write_atomically(path, "old")
    monkeypatch.setattr(Path, "replace", lambda *a: (_ for _ in ()).throw(OSError("disk")))
    with pytest.raises(OSError, match="disk"):
        write_atomically(path, b"new")
    assert path.read_text() == "old"
    assert [p.name for p in path.parent.iterdir()] == ["a.txt"]


def test_json_is_sorted_and_has_no_nan() -> None:
    text = json_text({"b": np.float32(0.5), "a": [np.nan, np.int64(2), np.bool_(True)]})
    assert text.split() == ["{", '"a":', "[", "null,", "2,", "true", "],", '"b":', "0.5", "}"]


def test_a_tampered_model_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    train_models(synthetic.dataset(300), ["median"], folder, TrainingConfig(trials=0, replicates=0))
    assert RunFolder(folder).model("median") is not None
    data = bytearray((folder / "median.skops").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "median.skops").write_bytes(bytes(data))
    with pytest.raises(ValueError, match="not the one that was evaluated"):
        RunFolder(folder).model("median")
    with pytest.raises(ValueError, match="no evaluation of 'forest'"):
        RunFolder(folder).model("forest")
