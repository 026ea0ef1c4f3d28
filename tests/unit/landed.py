"""Landed files and raw tables as the tests of loading need them."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from orchestration.domains.tickets.sources import LandedFile
from orchestration.store.landing import land_content
from orchestration.store.warehouse import open_pipeline_database

MONDAY = datetime(2024, 7, 1)


def record(number: Any = 1, **fields: Any) -> dict[str, Any]:
    return {
        "repository": "owner/name",
        "number": number,
        "created_at": "2024-01-01T00:00:00Z",
        "updated_at": "2024-01-02T00:00:00Z",
        "closed_at": None,
        **fields,
    }


def without(field: str) -> dict[str, Any]:
    return {name: value for name, value in record().items() if name != field}


def as_line(content: dict[str, Any] | bytes | str) -> bytes:
    if isinstance(content, bytes):
        return content
    return (content if isinstance(content, str) else json.dumps(content)).encode()


def land(folder: Path, lines: Sequence[Any], name: str = "dump", day: int = 0) -> LandedFile:
    """Land `lines` as plain text, as if on the given day after a Monday."""
    landed = land_content(
        b"\n".join(map(as_line, lines)).splitlines(True), f"{name}.jsonl", folder, Path("archive")
    )
    return replace(landed, fetched_at=MONDAY + timedelta(days=day))


@contextmanager
def warehouse(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_pipeline_database(folder / "pipeline.duckdb") as connection:
        yield connection


def dump_tables(connection: duckdb.DuckDBPyConnection, *, times: bool = False) -> list[list[Any]]:
    """All raw rows; the times of loading only when asked."""
    leave_out = {"issues": "loaded_at", "rejected_records": "rejected_at", "loads": "loaded_at"}
    return [
        connection.execute(
            f"select * {'' if times else f'exclude ({column})'} from raw.{table} order by all"
        ).fetchall()
        for table, column in leave_out.items()
    ]


def rejections(connection: duckdb.DuckDBPyConnection) -> list[tuple[int, str]]:
    return connection.execute("select line, reason from raw.rejected_records order by line").fetchall()
