"""What is kept is used when it is whole, and made again when it is damaged."""

from __future__ import annotations

from pathlib import Path

from ml.store.cache import find_entry, keep_entry, lock_of
from ml.store.lock import only_one


def test_the_newest_entry_is_kept_alone(tmp_path: Path) -> None:
    keep_entry(tmp_path / "c", "a", {"x": b"1"})
    assert find_entry(tmp_path / "c", "a") == tmp_path / "c" / "a"
    keep_entry(tmp_path / "c", "b", {"x": b"2"})
    assert find_entry(tmp_path / "c", "a") is None and find_entry(tmp_path / "c", "b") is not None


def test_nothing_is_kept_while_another_one_keeps(tmp_path: Path) -> None:
    keep_entry(tmp_path / "c", "a", {"x": b"1"})
    with only_one(lock_of(tmp_path / "c"), "is at work"):
        keep_entry(tmp_path / "c", "b", {"x": b"2"})
    assert find_entry(tmp_path / "c", "a") is not None and find_entry(tmp_path / "c", "b") is None
