"""Loading: the newest record wins, and neither order nor interruption makes a difference."""

import gzip
import json
import signal
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.domains.tickets.landed.loading import load_landed
from orchestration.domains.tickets.sources import LandedFile, SourceError
from orchestration.domains.tickets.sources.archive import ArchiveSource
from orchestration.domains.tickets.sources.sample import SampleSource
from orchestration.store.warehouse import open_pipeline_database
from tests.paths import ISSUES, ROOT
from tests.unit.landed import MONDAY, as_line, dump_tables, land, record, rejections, warehouse, without


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        (r"a\u0000b", "a\0b"),
        (r"\ud83d\ude00", "😀"),
        (r"a\ud83d b", "a\ufffd b"),
        (r"a\uDE00", "a\ufffd"),
        (r"\ud83d\ud83d\ude00", "\ufffd😀"),
        (r"\\ud83d", r"\ud83d"),
        (r"\\\ud83d", "\\\ufffd"),
        (r"\ud83dx\u00e9", "\ufffdxé"),
    ],
)
def test_text_that_json_can_hold_lands(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, escaped: str, text: str
) -> None:
    line = json.dumps(record(title="TITLE")).replace("TITLE", escaped)
    report = load_landed(connection, [land(tmp_path, [line])], source="archive")
    assert report.rejected == 0
    assert connection.execute("select record ->> '$.title' from raw.issues").fetchall() == [(text,)]


def test_a_record_is_stored_as_it_came(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    line = '{"number":3000000000 ,  "repository": "jira:owner/KEY", "created_at": "2024-01-01", "x": 1.50}'
    file = land(tmp_path, [b"\xef\xbb\xbf" + line.encode() + b" \r"])
    load_landed(connection, [file], source="archive", loaded_at=MONDAY)
    assert connection.execute("from raw.issues").fetchall() == [
        (
            "jira:owner/KEY",
            3000000000,
            line,
            None,
            "archive",
            file.name,
            1,
            file.fetched_at,
            MONDAY,
            None,
            datetime(2024, 1, 1),
            None,
        )
    ]


@pytest.mark.parametrize(
    ("time", "utc"),
    [
        ("2024-03-01T12:00:00Z", datetime(2024, 3, 1, 12)),
        ("2024-03-01T12:00:00+02:00", datetime(2024, 3, 1, 10)),
        ("2024-03-01T12:00:00.123456-0530", datetime(2024, 3, 1, 17, 30, 0, 123456)),
        ("2024-03-01 12:00:00", datetime(2024, 3, 1, 12)),
        ("2024-03-01", datetime(2024, 3, 1)),
    ],
)
def test_times_become_utc(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, time: str, utc: datetime
) -> None:
    load_landed(connection, [land(tmp_path, [record(updated_at=time)])], source="archive")
    assert connection.execute("select updated_at from raw.issues").fetchall() == [(utc,)]


def test_offsets_count_when_closing_is_compared_with_creation(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    line = record(created_at="2024-01-01T12:00:00+02:00", closed_at="2024-01-01T10:30:00Z")
    assert load_landed(connection, [land(tmp_path, [line])], source="archive").loaded == 1


def test_the_newest_record_wins(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    newer = record(1, title="newer", updated_at="2024-02-01T00:00:00Z")
    older, undated = record(1, title="older"), record(1, title="undated", updated_at=None)
    first = load_landed(connection, [land(tmp_path, [older, newer, undated])], source="archive")
    again = load_landed(connection, [land(tmp_path, [older | {"x": 1}], day=9)], source="archive")
    newest = record(1, title="newest", updated_at="2024-03-01T00:00:00Z")
    last = load_landed(connection, [land(tmp_path, [newest], day=-9)], source="archive")

    assert [(report.loaded, report.superseded) for report in (first, again, last)] == [(1, 2), (0, 1), (1, 0)]
    assert connection.execute("select record ->> '$.title' from raw.issues").fetchall() == [("newest",)]


def test_ties_go_to_the_file_that_landed_last_and_then_to_the_last_line(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    late = land(tmp_path, [record(1, title="late 1"), record(1, title="late 2")], "a", day=1)
    early = land(tmp_path, [record(1, title="early")], "z", day=0)
    load_landed(connection, [late, early], source="archive")
    assert connection.execute("select record ->> '$.title', line from raw.issues").fetchall() == [
        ("late 2", 2)
    ]


def test_repository_in_any_case_and_number_make_a_key(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    lines = [
        record(1),
        record(2),
        record(1, repository="owner/Name"),
        record(1, repository="jira:owner/name"),
    ]
    assert load_landed(connection, [land(tmp_path, lines)], source="archive").loaded == 3
    assert connection.execute("select repository, number from raw.issues order by all").fetchall() == [
        ("jira:owner/name", 1),
        ("owner/Name", 1),
        ("owner/Name", 2),
    ]


def test_the_same_files_twice_change_nothing(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    files = [land(tmp_path, [record(1), "bad"], "a"), land(tmp_path, [record(2), record(2)], "b")]
    files.append(land(tmp_path, [record(1), "bad"], "copy of a"))
    load_landed(connection, files, source="archive")
    before = dump_tables(connection, times=True)

    report = load_landed(connection, files, source="archive")
    assert dump_tables(connection, times=True) == before
    assert (report.files, report.files_skipped) == ((), 3)


def test_an_empty_file_is_accounted_for(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    report = load_landed(connection, [land(tmp_path, [b"", b" \t", b""])], source="archive")
    assert [(file.lines_read, file.loaded) for file in report.files] == [(0, 0)]


LINES = st.one_of(
    st.sampled_from(["bad", record(0), without("created_at")]),
    st.builds(
        record,
        st.integers(1, 3),
        repository=st.sampled_from(["a/b", "a/c"]),
        updated_at=st.sampled_from([None, "2024-01-01T00:00:00Z", "2024-01-02T00:00:00+01:00", "2024-01-02"]),
    ),
)


@settings(max_examples=25, deadline=None)
@given(
    contents=st.lists(st.tuples(st.lists(LINES, max_size=6), st.integers(0, 1)), min_size=1, max_size=4),
    random=st.randoms(use_true_random=False),
)
def test_counts_add_up_and_order_does_not_matter(contents: list[Any], random: Any) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = []
        for index, (lines, day) in enumerate(contents):
            # A title of its own makes each line's content unique, bad lines excepted.
            titled = [
                line if isinstance(line, str) else line | {"title": f"{index} {position}"}
                for position, line in enumerate(lines)
            ]
            files.append(land(folder, [*titled, f"end of {index}"], f"dump{index}", day))
        expected = newest_by_hand(files)
        shuffled = random.sample(files, len(files))

        with open_pipeline_database(Path(":memory:")) as at_once:
            report = load_landed(at_once, shuffled, source="archive")
            tables = dump_tables(at_once)
        with open_pipeline_database(Path(":memory:")) as one_by_one:
            reports = [load_landed(one_by_one, [file], source="archive") for file in shuffled]
            issues, rejected, loads = dump_tables(one_by_one)

    assert {(row[0], row[1]): (row[5], row[6]) for row in issues} == expected
    assert [issues, rejected] == tables[:2]
    for account in (*report.files, *(file for each in reports for file in each.files)):
        assert account.lines_read == account.loaded + account.superseded + account.rejected
    assert report.loaded == len(expected)
    assert report.lines_read == sum(len(lines) + 1 for lines, _ in contents)
    assert report.rejected == len(rejected) == sum(row[-1] for row in loads)


def newest_by_hand(files: list[LandedFile]) -> dict[tuple[str, int], tuple[str, int]]:
    """The naive way: remember the largest of all that is seen."""
    utc = {
        None: datetime.min,
        "2024-01-01T00:00:00Z": datetime(2024, 1, 1),
        "2024-01-02T00:00:00+01:00": datetime(2024, 1, 1, 23),
        "2024-01-02": datetime(2024, 1, 2),
    }
    best: dict[tuple[str, int], Any] = {}
    for file in files:
        for number, line in enumerate(file.path.read_text().splitlines(), start=1):
            content = json.loads(line) if line.startswith("{") else {}
            if content.get("number") and "created_at" in content:
                key = (content["repository"], content["number"])
                rank = (utc[content["updated_at"]], file.fetched_at, file.name, number)
                best[key] = max(best.get(key, rank), rank)
    return {key: rank[2:] for key, rank in best.items()}


def test_real_issues_replace_synthetic_ones(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    sample = [land(tmp_path, [record(1), record(2), "bad"], "sample")]
    load_landed(connection, sample, source="sample")
    report = load_landed(connection, [land(tmp_path, [record(3)], "real")], source="archive")

    assert report.synthetic_removed == 2
    assert connection.execute("select source, number from raw.issues").fetchall() == [("archive", 3)]
    assert connection.execute("select source from raw.loads").fetchall() == [("archive",)]
    assert rejections(connection) == []


def test_a_file_of_the_sample_can_be_loaded_as_real(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    file = land(tmp_path, [record(1)])
    load_landed(connection, [file], source="sample")
    report = load_landed(connection, [file], source="archive")
    assert (report.synthetic_removed, report.loaded) == (1, 1)
    assert connection.execute("select source from raw.issues").fetchall() == [("archive",)]


def test_the_sample_is_refused_beside_real_issues(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    load_landed(connection, [land(tmp_path, [record(1)], "real")], source="archive")
    before = dump_tables(connection, times=True)
    with pytest.raises(SourceError, match=r"1 real records \(source archive\).*WAREHOUSE_DIR"):
        load_landed(connection, [land(tmp_path, [record(2)], "sample")], source="sample")
    assert dump_tables(connection, times=True) == before


def test_the_sample_loads_whole(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    report = load_landed(connection, SampleSource().land(tmp_path), source="sample")
    assert (report.lines_read, report.loaded, len(report.files)) == (3320, 3320, 5)


LOAD = """
import sys
from pathlib import Path
from orchestration.domains.tickets.landed.loading import load_landed
from orchestration.domains.tickets.sources.archive import ArchiveSource
from orchestration.store.warehouse import open_pipeline_database
folder = Path(sys.argv[1])
files = ArchiveSource(folder / "new").land(folder / "landing")
with open_pipeline_database(folder / "pipeline.duckdb") as connection:
    print("loading", flush=True)
    load_landed(connection, files, source="archive")
    print("loaded", flush=True)
"""


@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.2, 0.35, 0.5])
def test_killed_at_any_point_and_run_again_gives_the_same_tables(tmp_path: Path, seconds: float) -> None:
    (tmp_path / "new").mkdir()
    for part in range(3):
        lines = [
            record(number, title=f"{part} {number} " * 50, updated_at=f"2024-02-0{part + 1}")
            for number in range(part * 2000 + 1, part * 2000 + 4001)
        ]
        content = b"\n".join([*map(as_line, lines), b"bad"])
        (tmp_path / "new" / f"part{part}.jsonl.gz").write_bytes(gzip.compress(content, 1))
    old = land(tmp_path / "landing", [record(number, title="old") for number in range(1, 9001)], "old")
    with warehouse(tmp_path) as connection:
        load_landed(connection, [old], source="archive")
        before = dump_tables(connection)
    files = ArchiveSource(tmp_path / "new").land(tmp_path / "landing")
    with warehouse(tmp_path / "undisturbed") as connection:
        load_landed(connection, [old], source="archive")
        load_landed(connection, files, source="archive")
        after = dump_tables(connection)
    assert before != after

    with subprocess.Popen(
        [sys.executable, "-c", LOAD, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "loading\n"
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
    with warehouse(tmp_path) as connection:
        assert dump_tables(connection) in (before, after)

    with warehouse(tmp_path) as connection:
        load_landed(connection, files, source="archive")
        assert dump_tables(connection) == after


def test_a_load_that_fails_half_way_keeps_whole_files_and_goes_on_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every file is a group of its own; each has newer records of half of what the file before it has.
    monkeypatch.setattr("orchestration.domains.tickets.landed.loading._GROUP_BYTES", 1)
    landing = tmp_path / "landing"
    files = [
        land(
            landing, [*(record(n, updated_at=f"2024-02-0{part}") for n in (part, part + 1)), "bad"], f"{part}"
        )
        for part in (1, 2, 3)
    ]
    with warehouse(tmp_path / "undisturbed") as connection:
        report = load_landed(connection, files, source="archive")
        after = dump_tables(connection)
    assert (report.lines_read, report.loaded, report.rejected, len(report.files)) == (9, 6, 3, 3)

    away = files[1].path.rename(tmp_path / "away")
    with warehouse(tmp_path) as connection:
        with pytest.raises(FileNotFoundError):
            load_landed(connection, files, source="archive")
        away.rename(files[1].path)
        assert load_landed(connection, files, source="archive").files_skipped == 1
        assert dump_tables(connection) == after


@pytest.mark.skipif(not ISSUES.exists(), reason="the corpus is not on this machine")
def test_the_corpus_loads_whole(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    files = ArchiveSource(ISSUES).land(tmp_path / "landing")
    report = load_landed(connection, files, source="archive")

    assert (report.lines_read, report.loaded, report.rejected) == (85_174, 85_174, 0)
    assert connection.execute(
        """
        select
            count(*) filter (coalesce(record ->> '$.pull_request', 'false') = 'false'),
            count(distinct repository)
        from raw.issues
        """
    ).fetchall() == [(48_648, 50)]
    assert load_landed(connection, files, source="archive").files_skipped == 50
