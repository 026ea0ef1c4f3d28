"""Renamed repositories and issues that are gone, in the raw tables."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import duckdb

from orchestration.domains.tickets.landed.loading import load_landed
from orchestration.domains.tickets.landed.repository_changes import replace_tombstones
from tests.unit.landed import land, record

NOON = datetime(2024, 1, 1, 12)


def test_a_renamed_repository_keeps_one_row_per_issue(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    old, new = "owner/name", "owner/new"
    before = [record(1), record(2, updated_at="2024-02-01T00:00:00Z"), record(3)]
    load_landed(connection, [land(tmp_path, before)], source="github")
    load_landed(connection, [land(tmp_path, [record(2, repository=new)], "other")], source="github")
    after = land(tmp_path, [record(1, repository=new, updated_at="2024-03-01T00:00:00Z")], "third", day=2)
    renamed = replace(after, renames=((old, new), ("owner/oldest", new)))
    assert load_landed(connection, [renamed], source="github").loaded == 1
    rows = connection.execute(
        "select repository, number, updated_at from raw.issues order by number"
    ).fetchall()
    assert rows == [
        (new, 1, datetime(2024, 3, 1)),
        (new, 2, datetime(2024, 2, 1)),
        (new, 3, datetime(2024, 1, 2)),
    ]
    load_landed(connection, [renamed], source="github")
    assert connection.execute("select count(*) from raw.issues").fetchall() == [(3,)]


def test_tombstones_are_all_there_is_and_records_stay(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    load_landed(connection, [land(tmp_path, [record(1), record(2)])], source="github")
    assert replace_tombstones(connection, [("owner/name", 1, "deleted", NOON)]) == 1
    both = [("owner/name", 1, "deleted", NOON), ("owner/name", 2, "transferred", NOON)]
    assert replace_tombstones(connection, both) == 2
    assert connection.execute("from raw.tombstones order by number").fetchall() == both
    assert replace_tombstones(connection, []) == 0
    assert connection.execute("select count(*) from raw.tombstones").fetchall() == [(0,)]
    assert connection.execute("select count(*) from raw.issues").fetchall() == [(2,)]
