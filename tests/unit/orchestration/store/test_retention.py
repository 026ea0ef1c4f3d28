"""What is removed of earlier runs, and what never is."""

import os
from pathlib import Path

import pytest

from ml.store.files import json_text
from ml.store.record import Evaluation
from orchestration.store.retention import Tidied, tidy


def run(folder: Path, name: str, day: int, domain: str = "parcels") -> None:
    record = Evaluation(
        run_id=name, domain=domain, task="regression", model="linear", snapshot_id=f"snapshot-{name}",
        key="k", seed=0, settings={}, params={}, feature_list=[], best_iteration=None, metrics=[], seconds={},
        started_at="", finished_at=f"2026-01-{day:02d}T00:00:00+00:00",
    )  # fmt: skip
    path = folder / "models" / name
    path.mkdir(parents=True)
    (path / "eval_linear.json").write_text(json_text(record.to_dict()))
    (path / "linear.skops").write_bytes(b"x" * 1000)
    snapshot = folder / "snapshots" / f"snapshot-{name}"
    snapshot.mkdir(parents=True)
    os.utime(snapshot, (day, day))


def tidied(folder: Path, keep: int, current: list[str]) -> Tidied:
    return tidy(folder / "models", folder / "snapshots", folder / "reports", keep=keep, current_runs=current)


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    for day in range(1, 7):
        run(tmp_path, f"run-{day}", day)
        (tmp_path / "reports" / f"2026010{day}-000000").mkdir(parents=True)
    (tmp_path / "reports" / "latest").symlink_to("20260106-000000")
    run(tmp_path, "alerts-1", 1, "alerts")
    run(tmp_path, "champion-linear-1", 1)
    (tmp_path / "models" / "tuned").mkdir()
    (tmp_path / "models" / ".prepared").mkdir()
    return tmp_path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_newest_of_each_training_set_stay_and_what_serves_and_champions(warehouse: Path) -> None:
    done = tidied(warehouse, 2, ["run-1"])
    runs = {"run-1", "run-5", "run-6", "alerts-1", "champion-linear-1"}
    assert names(warehouse / "models") == {*runs, "tuned", ".prepared"}
    assert sorted(done.runs) == ["run-2", "run-3", "run-4"] and done.freed > 3000
    kept = names(warehouse / "snapshots")
    assert {f"snapshot-{name}" for name in runs} <= kept and "snapshot-run-2" not in kept
    assert names(warehouse / "reports") == {"latest", "20260105-000000", "20260106-000000"}
    assert (warehouse / "reports" / "latest").resolve().is_dir()
    assert tidied(warehouse, 2, ["run-1"]) == Tidied([], [], [], 0)


def test_the_snapshot_in_force_stays_whatever_learned_from_it(warehouse: Path) -> None:
    (warehouse / "snapshots" / "parcels.txt").write_text("snapshot-run-2")
    tidied(warehouse, 1, [])
    assert "snapshot-run-2" in names(warehouse / "snapshots")


def test_what_cannot_be_read_is_not_removed(warehouse: Path) -> None:
    (warehouse / "models" / "run-1" / "eval_linear.json").write_text("{}")
    tidied(warehouse, 1, [])
    assert "run-1" in names(warehouse / "models")


def test_an_empty_warehouse_has_nothing_to_remove(tmp_path: Path) -> None:
    assert tidied(tmp_path, 1, []) == Tidied([], [], [], 0)
