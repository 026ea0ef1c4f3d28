"""Files as people have them: read in bounded memory, or named with the reason; none goes by unnoticed."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.domains.tickets.landed.loading import load_landed, rejection_reasons
from orchestration.domains.tickets.reading import lines
from orchestration.domains.tickets.sources.archive import ArchiveSource
from tests.paths import CASES, ROOT
from tests.unit.landed import record

ONE, TWO, THREE = (record(number, title='a "[{" b') for number in (1, 2, 3))
ARRAY = json.dumps([ONE, TWO])
READ = {
    "lines.jsonl": f"{json.dumps(ONE)}\n\n{json.dumps(TWO)}\n",
    "lines.NDJSON": f"{json.dumps(ONE)}\r\n{json.dumps(TWO)}",
    "array.json": ARRAY,
    "array.jsonl": "\ufeff" + ARRAY,
    "pages.json": json.dumps([ONE]) + json.dumps([TWO]),
    "pages_on_lines.Json": json.dumps([ONE]) + "\n" + json.dumps([TWO]) + "\n",
    "slurped.json": json.dumps([[ONE], [TWO]]),
    "indented.json": json.dumps([ONE, TWO], indent=2),
    "indented_objects.jsonl": json.dumps(ONE, indent=1) + "\n" + json.dumps(TWO, indent=1),
    "spaced.json": f"\n [ {json.dumps(ONE)} ,\n{json.dumps(TWO)} ] ",
    "packed.json.gz": gzip.compress(ARRAY.encode()),
    "PACKED.JSONL.GZ": gzip.compress(f"{json.dumps(ONE)}\n{json.dumps(TWO)}".encode()),
    "rows.csv": "repository,number,created_at,labels,title\n"
    'owner/name,1,2024-01-01T00:00:00Z,"[""a""]","x,\ny"\nowner/name,2,2024-01-01T00:00:00Z,,\n',
    "semicolons.CSV": "repository;number;createdAt\nowner/name;1;2024-01-01\nowner/name;2;2024-01-01\n",
    "rows.csv.gz": gzip.compress(
        b"repository,number,created_at\nowner/name,1,2024-01-01\nowner/name,2,2024-01-01\n"
    ),
}


def loaded(connection: duckdb.DuckDBPyConnection, folder: Path) -> list[Any]:
    source = ArchiveSource(folder / "dumps")
    load_landed(connection, source.land(folder / "landing"), source="archive")
    return connection.execute("select number from raw.issues order by 1").fetchall()


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / "dumps" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def problems(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    found = connection.execute("select file, problem from raw.loads where problem is not null").fetchall()
    return {file.removeprefix("archive/").partition(".")[0]: problem for file, problem in found}


@pytest.mark.parametrize("name", READ)
def test_what_people_have_is_read(connection: duckdb.DuckDBPyConnection, tmp_path: Path, name: str) -> None:
    write(tmp_path, name, READ[name])
    assert loaded(connection, tmp_path) == [(1,), (2,)]
    assert problems(connection) == {}


def test_parquet_is_read(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    target = write(tmp_path, "x [1].parquet", b"")
    duckdb.sql(
        f"""
        copy (
            select
                'owner/name' as repository, range as number,
                timestamptz '2024-01-01 12:00:00+02' as created_at,
                {{'login': 'ada'}} as user, [{{'name': 'bug'}}] as labels,
                null::struct(url varchar) as pull_request
            from range(1, 3)
        ) to '{target}' (format parquet)
        """
    )
    assert loaded(connection, tmp_path) == [(1,), (2,)]
    assert connection.execute(
        "select distinct created_at::varchar, record ->> '$.user.login' from raw.issues"
    ).fetchall() == [("2024-01-01 10:00:00", "ada")]


UNREADABLE = {
    "plain_named_gz.jsonl.gz": (json.dumps(ONE), "is no gzip file"),
    "empty_named_gz.jsonl.gz": (b"", "is no gzip file"),
    "gz_named_plain.jsonl": (gzip.compress(json.dumps(ONE).encode()), "is a gzip file, although"),
    "zip_named_json.json": (b"PK\x03\x04rest", "is a zip file, although"),
    "zstd_named_gz.json.gz": (b"\x28\xb5\x2f\xfdrest", "is no gzip file"),
    "parquet_named_csv.csv": (b"PAR1rest", "is a Parquet file, although"),
    "json_named_parquet.parquet": (json.dumps(ONE), "is no Parquet file"),
    "damaged.parquet": (b"PAR1rest", "cannot be read as PARQUET: "),
    "utf16.jsonl": (json.dumps(ONE).encode("utf-16"), "is UTF-16: convert it"),
    "cut.jsonl.gz": (gzip.compress(os.urandom(5000))[:2000], "the gzip file cannot be read from here on"),
    "cut_array.json": (ARRAY[:-10], "ends within a JSON array or object: it is cut"),
    "garbage.jsonl": ("no json\nneither\n", "nothing of it could be read: not JSON"),
    "events.json": (
        json.dumps({"payload": {"issue": ONE}}),
        "nothing of it could be read: an event of GH Archive",
    ),
    "other.csv": ("a,b\n1,2\n", "nothing of it could be read: repository is missing"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_file_that_cannot_be_read_fails_by_itself_and_by_name(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, name: str
) -> None:
    content, reason = UNREADABLE[name]
    write(tmp_path, name, content)
    write(tmp_path, "good.jsonl", "\n".join(json.dumps(record(number)) for number in range(10, 3000)))
    assert len(loaded(connection, tmp_path)) >= 2990
    found = problems(connection)
    assert list(found) == [name.partition(".")[0]]
    assert reason in found[name.partition(".")[0]]


def test_what_is_not_read_is_named_with_the_reason(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    write(tmp_path, "good.jsonl", json.dumps(ONE))
    for name in ("a.jsonl.zst", "b.txt", "sub/c.jsonl", ".hidden.jsonl", "tickets_raw.csv", "d.parquet.gz"):
        write(tmp_path, name, "x")
    os.mkfifo(tmp_path / "dumps" / "pipe.jsonl")
    (tmp_path / "dumps" / "zero.jsonl").symlink_to("/dev/zero")
    (tmp_path / "dumps" / "nowhere.jsonl").symlink_to("/nowhere")
    (tmp_path / "dumps" / "folder.jsonl").mkdir()
    write(tmp_path, "n" * 245 + ".jsonl", json.dumps(TWO))
    Path(os.fsdecode(os.fsencode(tmp_path / "dumps") + b"/na\xffme.jsonl")).write_text(json.dumps(TWO))
    source = ArchiveSource(tmp_path / "dumps")
    files = source.land(tmp_path / "landing")
    assert [file.name.partition(".")[0] for file in files] == ["archive/good"]
    said = {name if len(name) < 100 else "long": reason for name, reason in source.not_read.items()}
    expected = {
        "a.jsonl.zst": "is packed with Zstandard",
        "b.txt": "has an ending that is not read",
        "sub": "is a folder",
        "tickets_raw.csv": "is a table that the export made",
        "d.parquet.gz": "has an ending that is not read",
        "pipe.jsonl": "is no regular file",
        "zero.jsonl": "is no regular file",
        "nowhere.jsonl": "cannot be opened",
        "folder.jsonl": "is a folder",
        "long": "cannot be read (File name too long)",
        r"na\xffme.jsonl": "has a name that is not UTF-8",
    }
    assert said.keys() == expected.keys()
    assert all(said[name].startswith(reason) for name, reason in expected.items())
    table = source.facts()["files_not_read"]
    assert isinstance(table, str) and all(
        f"| {name} | {expected[name]}" in table for name in ("sub", "b.txt")
    )


def test_folders_are_read_where_asked(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    for number, name in enumerate(("a.jsonl", "sub/b.jsonl", "sub/deep/c.json", "other/d.jsonl"), start=1):
        write(tmp_path, name, json.dumps(record(number)))
    source = ArchiveSource(tmp_path / "dumps", secondary=("sub",))
    load_landed(connection, source.land(tmp_path / "landing"), source="archive")
    assert connection.execute("select number from raw.issues order by 1").fetchall() == [(1,), (2,), (3,)]
    assert list(source.not_read) == ["other"]


def test_a_corrected_dump_clears_the_account(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    write(tmp_path, "proj.jsonl", "\n".join([json.dumps(ONE), "bad", json.dumps(record("3"))]))
    loaded(connection, tmp_path)
    assert [reason for reason, _, _ in rejection_reasons(connection)] == [
        "not JSON",
        "number is not a positive integer",
    ]
    write(tmp_path, "proj.jsonl", "\n".join(map(json.dumps, (ONE, TWO, THREE))))
    assert loaded(connection, tmp_path) == [(1,), (2,), (3,)]
    assert rejection_reasons(connection) == []
    rejected = connection.execute("select sum(rejected) filter (is_current), sum(rejected) from raw.loads")
    assert rejected.fetchall() == [(0, 2)]


@pytest.mark.parametrize("name", ["line.jsonl", "line.jsonl.gz", "array.json", "array.json.gz"])
def test_a_record_beyond_the_limit_ends_its_file(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(lines, "RECORD_BYTES", 1 << 20)
    parts = [json.dumps(ONE), '{"x": "' + "y" * (3 << 20) + '"}', json.dumps(TWO)]
    text = "[" + ",".join(parts) + "]" if name.startswith("array") else "\n".join(parts)
    write(tmp_path, name, gzip.compress(text.encode(), 1) if name.endswith(".gz") else text)
    assert loaded(connection, tmp_path) == [(1,)]
    assert "of more than 1,048,576 bytes" in problems(connection)[name.partition(".")[0]]


def test_a_bomb_costs_a_sentence_and_no_memory(tmp_path: Path) -> None:
    """Half a gigabyte on one line, packed into half a megabyte."""
    with gzip.open(write(tmp_path, "bomb.jsonl.gz", b""), "wb", 9) as bomb:
        bomb.write(b'{"x": "')
        for _ in range(512):
            bomb.write(b"y" * (1 << 20))
    program = f"""
import resource
from pathlib import Path
from orchestration.domains.tickets.reading.lines import read_lines
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
(line,) = read_lines(Path({str(tmp_path / "dumps" / "bomb.jsonl.gz")!r}))
print(line.problem)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    problem, kilobytes = done.stdout.splitlines()
    assert problem.startswith("the file has a line of more than")
    assert int(kilobytes) < 150_000


@pytest.mark.skipif(not CASES.exists(), reason="the cases are not on this machine")
@pytest.mark.parametrize(
    ("folder", "read", "unreadable", "not_read"),
    [
        ("folder_one_line_files", 3000 + 5000 + 1, ["plain"], []),
        # Nine of them have the same content: the others are named as its copies.
        ("folder_other_names", 30 + 1, ["2015-01-01-15"], ["e.jsonl.zst", "sub"]),
        ("corrected_dump/g2a", 20, [], []),
        ("corrected_dump/g2b", 20, [], []),
    ],
)
def test_cases(
    connection: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    folder: str,
    read: int,
    unreadable: list[str],
    not_read: list[str],
) -> None:
    source = ArchiveSource(CASES / "archive" / folder)
    report = load_landed(connection, source.land(tmp_path), source="archive")
    assert report.lines_read == read
    assert len(report.copies) == (6 if folder == "folder_other_names" else 0)
    assert sorted(problems(connection)) == unreadable
    assert list(source.not_read) == not_read
