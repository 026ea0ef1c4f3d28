"""Plain DuckDB: open the pipeline's database and write in transactions. No table has a meaning here."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import duckdb
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

# One file per domain: raw.sql, raw_*.sql.
_RAW_TABLES = Path(__file__).resolve().parents[2] / "warehouse"
# DuckDB spills to disk beyond it; left alone, it keeps what it has read in 80 % of the machine's memory.
MEMORY_LIMIT = "2GB"
# Until its log is that long DuckDB writes no checkpoint. Each takes the longer the more there is: one after
# every group of files would make loading grow faster than what is loaded.
_LOG_LIMIT = "512MB"
_LOCK_HOLDER = re.compile(r"lock is held in (?P<program>.+?) \(PID (?P<pid>\d+)\)")


class WarehouseBusyError(OSError):
    """Another process holds the pipeline's database; the message names it."""


@contextmanager
def open_pipeline_database(
    path: Path, *, wait_seconds: float = 60.0, memory_limit: str = MEMORY_LIMIT
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the pipeline's database for reading and writing, and close it whatever happens.

    One process at a time can hold the file: one that finds it held waits, with growing pauses.

    Parameters
    ----------
    path : Path
        The file; it and the raw tables are created when they do not exist.
    wait_seconds : float
        How long to wait for the process that holds it.
    memory_limit : str
        What DuckDB may hold in memory; beyond it, it spills to a folder beside the file.

    Raises
    ------
    WarehouseBusyError
        If the file is still held after `wait_seconds`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    attempts = Retrying(
        retry=retry_if_exception_type(WarehouseBusyError),
        wait=wait_random_exponential(multiplier=0.1, max=2),
        stop=stop_after_delay(wait_seconds),
        reraise=True,
    )
    connection: duckdb.DuckDBPyConnection = attempts(_connect, path)
    try:
        connection.execute(f"set TimeZone = 'UTC'; set memory_limit = '{memory_limit}'")
        connection.execute(f"set checkpoint_threshold = '{_LOG_LIMIT}'")
        for tables in sorted(_RAW_TABLES.glob("raw*.sql")):
            connection.execute(tables.read_text())
        yield connection
    finally:
        connection.close()


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Run the block in one transaction: all of it is written, or nothing."""
    connection.begin()
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


class Relation(NamedTuple):
    """A table or view: its rows, where they are known, and the types of its columns in their order."""

    rows: int | None
    types: Mapping[str, str]


def relations_of(connection: duckdb.DuckDBPyConnection) -> dict[str, Relation]:
    """Every table and view by `schema.table`; DuckDB keeps all of it, so nothing is read for it."""
    found = connection.execute(
        """
        select
            schema_name || '.' || table_name,
            any_value(estimated_size),
            list(column_name order by column_index),
            list(data_type order by column_index)
        from duckdb_columns()
        left join duckdb_tables() using (database_name, schema_name, table_name)
        where database_name = current_database()
        group by schema_name, table_name
        """
    ).fetchall()
    return {name: Relation(rows, dict(zip(names, types, strict=True))) for name, rows, names, types in found}


def quoted(identifier: str) -> str:
    """Quote a name for SQL."""
    return '"' + identifier.replace('"', '""') + '"'


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    existed = path.exists()
    try:
        return duckdb.connect(str(path))
    except duckdb.IOException as error:
        if "Could not set lock" not in str(error):
            if not existed:
                # A full disk leaves a stump that no later run could open.
                path.unlink(missing_ok=True)
            raise
        holder = _LOCK_HOLDER.search(str(error))
        name = f"process {holder['pid']} ({holder['program']})" if holder else "another process"
        raise WarehouseBusyError(
            f"The database {path} is held by {name}: wait until it has finished, or stop it, and run again."
        ) from error
