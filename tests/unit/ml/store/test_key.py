"""The key of a result changes with everything that decides it, the code among it, and with nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import ml
from ml.store.key import key_of


def test_the_order_of_what_decides_does_not() -> None:
    assert key_of(a=1, b={"x": 2, "y": 3}) == key_of(b={"y": 3, "x": 2}, a=1)


@pytest.mark.parametrize(
    "other", [{"a": 2}, {"a": "1"}, {"a": [1]}, {"b": 1}, {"a": 1, "b": None}, {"a": 1.5}, {}]
)
def test_what_decides_does(other: dict[str, object]) -> None:
    assert key_of(a=1) != key_of(**other)


def key_of_a_copy(folder: Path, *rooms: str) -> str:
    program = f"from ml.store.key import key_of; print(key_of(*{rooms!r}, a=1))"
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_the_code_that_decides_does_and_no_other(tmp_path: Path) -> None:
    shutil.copytree(Path(ml.__file__).parent, tmp_path / "ml", ignore=shutil.ignore_patterns("__pycache__"))
    before = key_of_a_copy(tmp_path)
    (tmp_path / "ml" / "reports" / "new.py").write_text("X = 1\n")
    (tmp_path / "ml" / "models" / "notes.txt").write_text("no code")
    assert key_of_a_copy(tmp_path) == before
    keys = {before}
    for room in ("errors.py", "stats/new.py", "models/new.py", "tasks/deep/new.py"):
        path = tmp_path / "ml" / room
        path.parent.mkdir(exist_ok=True)
        path.write_text((path.read_text() if path.exists() else "") + "# changed\n")
        keys.add(key_of_a_copy(tmp_path))
    assert len(keys) == 5
    assert key_of_a_copy(tmp_path, "reports") not in keys
