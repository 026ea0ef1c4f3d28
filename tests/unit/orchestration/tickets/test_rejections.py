"""Lines that cannot be loaded: each is kept with its reason, and the rest loads."""

import gzip
import os
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.domains.tickets.landed.loading import load_landed
from orchestration.store.landing import land_content
from tests.unit.landed import as_line, land, record, rejections, without


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("no json", "not JSON"),
        ('{"repository": "owner/name", "number": 1', "not JSON"),
        ('{"a": "raw \x01 control"}', "not JSON"),
        ("[1]", "JSON, but not an object"),
        ('"text"', "JSON, but not an object"),
        (b'{"title": "\xff"}', "not UTF-8: invalid start byte at byte 11"),
        (b'{"title": "\xed\xa0\xbd"}', "not UTF-8: invalid continuation byte at byte 11"),
        (without("repository"), "repository is missing"),
        (record(repository=None), "repository is missing"),
        (record(repository="name"), "repository is not owner/name: name"),
        (record(repository="../.."), "repository is not owner/name: ../.."),
        (record(repository="a/b/c"), "repository is not owner/name: a/b/c"),
        (record(repository="a/b'; drop table x"), "repository is not owner/name: a/b'; drop table x"),
        (record(repository=["a/b"]), 'repository is not owner/name: ["a/b"]'),
        (without("number"), "number is missing"),
        (record(None), "number is missing"),
        (record("12"), 'number is not a positive integer: "12"'),
        (record(0), "number is not a positive integer: 0"),
        (record(-1), "number is not a positive integer: -1"),
        (record(1.5), "number is not a positive integer: 1.5"),
        (record(True), "number is not a positive integer: true"),
        (record(10**19), "number is not a positive integer: 10000000000000000000"),
        (without("created_at"), "created_at is missing"),
        (record(created_at=None), "created_at is missing"),
        (record(created_at="yesterday"), "created_at is not a time: yesterday"),
        (record(created_at="infinity"), "created_at is not a time: infinity"),
        (record(created_at="2024-02-30T00:00:00Z"), "created_at is not a time: 2024-02-30T00:00:00Z"),
        (record(created_at=1704067200), "created_at is not a time: 1704067200"),
        (record(updated_at="2024"), "updated_at is not a time: 2024"),
        (record(closed_at=""), "closed_at is not a time: "),
        (
            record(closed_at="2023-12-31T23:59:59Z"),
            "closed_at is before created_at: 2023-12-31T23:59:59Z < 2024-01-01T00:00:00Z",
        ),
    ],
)
def test_a_bad_line_is_rejected_with_its_reason_and_the_rest_loads(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, line: Any, reason: str
) -> None:
    file = land(tmp_path, [record(7), line, b"", record(8)])
    report = load_landed(connection, [file], source="archive")

    assert (report.lines_read, report.loaded, report.superseded, report.rejected) == (3, 2, 0, 1)
    assert connection.execute("select number from raw.issues order by 1").fetchall() == [(7,), (8,)]
    assert rejections(connection) == [(2, reason)]
    text = as_line(line).decode(errors="replace")
    stored = connection.execute("select load_id, file, record from raw.rejected_records").fetchall()
    assert stored == [(file.sha256[:16], file.name, text)]


def test_a_long_rejected_record_is_cut(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    load_landed(connection, [land(tmp_path, ["é" * 5000])], source="archive")
    assert connection.execute("select record from raw.rejected_records").fetchall() == [("é" * 2000,)]


@pytest.mark.parametrize("keep", [0.3, 0.9, 0.999])
def test_a_truncated_gzip_file_gives_its_lines_and_one_rejection(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, keep: float
) -> None:
    noise = [record(number, title=os.urandom(200).hex()) for number in range(1, 2001)]
    content = gzip.compress(b"".join(as_line(line) + b"\n" for line in noise))
    file = land_content([content[: int(len(content) * keep)]], "dump.jsonl.gz", tmp_path, Path("archive"))
    report = load_landed(connection, [file], source="archive")

    assert report.rejected == 1
    assert report.lines_read == report.loaded + 1
    assert abs(report.loaded - 2000 * keep) < 50
    [(line, reason)] = rejections(connection)
    assert line == report.loaded + 1
    assert reason.startswith("the gzip file cannot be read from here on: Compressed file ended")
    assert connection.execute("select max(number) from raw.issues").fetchall() == [(report.loaded,)]


def test_what_is_no_gzip_file_is_one_rejection(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    bad = land_content([as_line(record(9))], "bad.jsonl.gz", tmp_path, Path("archive"))
    good = land(tmp_path, [record()], "good")
    report = load_landed(connection, [bad, good], source="archive")

    assert [(file.lines_read, file.loaded, file.rejected) for file in report.files] == [(1, 0, 1), (1, 1, 0)]
    assert "is no gzip file" in rejections(connection)[0][1]


def test_garbage_inside_a_gzip_file_is_one_rejection(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    content = bytearray(gzip.compress(b"".join(as_line(record(n)) + b"\n" for n in range(1, 50)), mtime=0))
    content[10] = 0b111  # a block type that does not exist
    file = land_content([bytes(content)], "dump.jsonl.gz", tmp_path, Path("archive"))
    report = load_landed(connection, [file], source="archive")
    assert (report.lines_read, report.rejected) == (1, 1)
    assert "invalid block type" in rejections(connection)[0][1]
