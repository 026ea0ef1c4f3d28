"""The pipeline's database: who holds it, who waits, and what a transaction leaves behind."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from orchestration.store.warehouse import WarehouseBusyError, open_pipeline_database, quoted, transaction
from tests.paths import ROOT

RAW_TABLES = ROOT / "warehouse"
HOLD = """
import sys, time, duckdb
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
time.sleep(float(sys.argv[2]))
"""


@contextmanager
def another_process_holding(database: Path, seconds: float) -> Iterator[int]:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(database), str(seconds)], stdout=subprocess.PIPE, text=True
    ) as holder:
        try:
            assert holder.stdout
            assert holder.stdout.readline() == "held\n"
            yield holder.pid
        finally:
            holder.kill()


LOAD = """
    insert into raw.loads by name
    select
        'a' as load_id, 'archive' as source, 'f' as file, 's' as sha256, now() as fetched_at,
        now() as loaded_at, {lines_read} as lines_read, 1 as loaded, 0 as superseded, 0 as rejected
"""


def test_makes_the_raw_tables_once_and_keeps_them(tmp_path: Path) -> None:
    database = tmp_path / "not yet there" / "pipeline.duckdb"
    with open_pipeline_database(database) as connection:
        connection.execute(LOAD.format(lines_read=1))
    with open_pipeline_database(database) as connection:
        assert connection.execute("select count(*) from raw.loads").fetchall() == [(1,)]
        tables = connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'raw' order by 1"
        ).fetchall()
        assert {("issues",), ("loads",), ("rejected_records",)} <= set(tables)
        expected = "".join(file.read_text() for file in RAW_TABLES.glob("raw*.sql"))
        assert len(tables) == expected.count("create table if not exists raw.")


def test_an_account_that_does_not_add_up_is_refused(tmp_path: Path) -> None:
    with (
        open_pipeline_database(tmp_path / "pipeline.duckdb") as connection,
        pytest.raises(duckdb.ConstraintException),
    ):
        connection.execute(LOAD.format(lines_read=9))


def test_works_in_utc(tmp_path: Path) -> None:
    with open_pipeline_database(tmp_path / "pipeline.duckdb") as connection:
        assert connection.execute("select current_setting('TimeZone')").fetchall() == [("UTC",)]


def test_closes_when_the_block_fails(tmp_path: Path) -> None:
    with pytest.raises(KeyError), open_pipeline_database(tmp_path / "pipeline.duckdb") as connection:
        raise KeyError
    with pytest.raises(duckdb.ConnectionException):
        connection.execute("select 1")


def test_names_the_process_that_holds_the_database(tmp_path: Path) -> None:
    database = tmp_path / "pipeline.duckdb"
    with (
        another_process_holding(database, 30) as pid,
        pytest.raises(WarehouseBusyError, match=rf"pipeline\.duckdb is held by process {pid} \(.*python.*\)"),
        open_pipeline_database(database, wait_seconds=0.3),
    ):
        pass


def test_waits_for_the_process_that_holds_the_database(tmp_path: Path) -> None:
    database = tmp_path / "pipeline.duckdb"
    with (
        another_process_holding(database, 0.5),
        open_pipeline_database(database, wait_seconds=20) as connection,
    ):
        assert connection.execute("select 1").fetchall() == [(1,)]


def test_a_file_that_is_no_database_is_not_waited_for(tmp_path: Path) -> None:
    database = tmp_path / "pipeline.duckdb"
    database.write_text("no database at all" * 1000)
    with pytest.raises(duckdb.IOException), open_pipeline_database(database, wait_seconds=600):
        pass


def test_a_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    with open_pipeline_database(tmp_path / "pipeline.duckdb") as connection:
        connection.execute("create table counted (n integer)")
        with transaction(connection):
            connection.execute("insert into counted values (1)")
        with pytest.raises(KeyError), transaction(connection):
            connection.execute("insert into counted values (2)")
            raise KeyError
        assert connection.execute("from counted").fetchall() == [(1,)]


@pytest.mark.parametrize("name", ["plain", 'double " quote', "semi; colon -- comment", "ünï"])
def test_quoted_names_are_names(name: str) -> None:
    connection = duckdb.connect()
    connection.execute(f"create table {quoted(name)} (n integer)")
    assert connection.execute("select table_name from duckdb_tables()").fetchall() == [(name,)]
    connection.close()
