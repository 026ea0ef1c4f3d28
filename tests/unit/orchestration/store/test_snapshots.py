"""Snapshots: what a name says is what the files hold, and nothing half-made stays."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from ml.data.contract import is_feature
from ml.data.dataset import snapshot_id_of
from orchestration.store.feature_registry import DDL
from orchestration.store.snapshots import Snapshot, take_snapshot

DOMAIN = {"name": "toys", "horizons_days": [1.0]}


@pytest.fixture
def database(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    connection.execute(DDL)
    connection.execute(
        """
        create schema training;
        create table training.train as
            select
                'i' || range as item_id, timestamp '2024-01-01' + to_hours(range) as event_at,
                'e' as entity_id, 'g' as group_id, range * 1.5 as size
            from range(20);
        create table training.label as
            select 'i' || range as item_id, range as y, false as is_censored, 1 as weight,
            timestamp '2024-02-01' as observed_until, timestamp '2024-01-31' as labelled_at from range(20)
        """
    )
    return connection


def take(database: duckdb.DuckDBPyConnection, folder: Path) -> Snapshot:
    return take_snapshot(
        database,
        folder,
        train="train",
        label="label",
        domain=DOMAIN,
        identify=snapshot_id_of,
        is_feature=is_feature,
        git_sha="x",
    )


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_snapshot_that_is_whole_is_not_written_again(
    database: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    first = take(database, tmp_path / "snapshots")
    written = [path.stat().st_ino for path in sorted(first.path.iterdir())]
    again = take(database, tmp_path / "snapshots")
    assert (first.is_new, again.is_new, again.snapshot_id) == (True, False, first.snapshot_id)
    assert [path.stat().st_ino for path in sorted(again.path.iterdir())] == written


def other_labels(path: Path) -> None:
    duckdb.sql(f"copy (select * replace (y + 1 as y) from '{path}') to '{path}.new' (format parquet)")
    path.with_name(f"{path.name}.new").replace(path)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("train.parquet", lambda path: path.write_bytes(path.read_bytes()[:100])),
        ("train.parquet", Path.unlink),
        ("label.parquet", other_labels),
        ("label.parquet", lambda path: path.write_bytes(b"")),
        ("domain.json", lambda path: path.write_text(path.read_text().replace("1.0", "2.0"))),
        ("domain.json", lambda path: path.write_text("{")),
    ],
)
def test_a_damaged_snapshot_is_written_again(
    database: duckdb.DuckDBPyConnection, tmp_path: Path, name: str, damage: Callable[[Path], None]
) -> None:
    first = take(database, tmp_path / "snapshots")
    whole = files(first.path)
    damage(first.path / name)
    again = take(database, tmp_path / "snapshots")
    assert again.is_new
    assert again.path == first.path
    assert files(again.path) == whole


def test_what_a_killed_run_left_is_removed(database: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    for name in (".new-abc", ".0123"):
        (tmp_path / "snapshots" / name).mkdir(parents=True)
        (tmp_path / "snapshots" / name / "train.parquet").write_text("half")
    snapshot = take(database, tmp_path / "snapshots")
    assert sorted(path.name for path in (tmp_path / "snapshots").iterdir()) == sorted(
        [snapshot.snapshot_id, "toys.txt"]
    )
