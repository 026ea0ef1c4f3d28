"""One issue is one row: whatever its repository is called, and in whatever order its records come."""

import itertools
import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.domains.tickets.landed.loading import load_landed
from orchestration.domains.tickets.sources import LandedFile
from orchestration.domains.tickets.sources.archive import ArchiveSource
from orchestration.store.warehouse import open_pipeline_database
from tests.paths import CASES
from tests.unit.landed import land, record, rejections

DAY = "2024-01-{:02}T00:00:00Z"


def issue(repository: str, number: int, day: int = 2, **fields: Any) -> dict[str, Any]:
    """Record of an issue whose identity is in its number, last changed on `day`."""
    first = DAY.format(1) if number < 50 else DAY.format(3)
    return record(
        number,
        repository=repository,
        id=1000 + number,
        created_at=first,
        updated_at=DAY.format(day),
        **fields,
    )


def names(files: Sequence[LandedFile], *, at_once: bool = True) -> list[tuple[str, int]]:
    with open_pipeline_database(Path(":memory:")) as connection:
        for group in [files] if at_once else [[file] for file in files]:
            load_landed(connection, group, source="archive")
        return connection.execute("select repository, number from raw.issues order by all").fetchall()


@pytest.mark.parametrize(
    ("former", "present"),
    [("Acme/Case", "acme/case"), ("old-owner/proj", "new-owner/proj"), ("acme/porj", "acme/proj")],
)
def test_a_repository_under_two_names_is_one_set_of_issues(tmp_path: Path, former: str, present: str) -> None:
    """The second dump is newer and lacks what did not change; both share one issue."""
    before = land(tmp_path, [issue(former, number) for number in range(1, 6)], "before")
    after = land(tmp_path, [issue(present, number, day=9) for number in range(5, 9)], "after")
    right = [(present, number) for number in range(1, 9)]
    for order in ([before, after], [after, before], [before, after, before]):
        assert names(order) == right
        assert names(order, at_once=False) == right


def test_what_comes_under_a_former_name_later_goes_under_the_present_one(tmp_path: Path) -> None:
    files = [
        land(tmp_path, [issue("o/a", 1)], "1"),
        land(tmp_path, [issue("o/b", 1, day=5)], "2"),
        land(tmp_path, [issue("O/A", 2, day=3)], "3"),
        land(tmp_path, [issue("o/b", 3, day=4), issue("o/c", 4, day=4)], "4"),
    ]
    for order in itertools.permutations(files):
        assert names(order, at_once=False) == [("o/b", 1), ("o/b", 2), ("o/b", 3), ("o/c", 4)]


def test_a_repository_that_got_its_former_name_back(tmp_path: Path) -> None:
    files = [
        land(tmp_path, [issue(name, 1, day)], f"{day}") for day, name in ((2, "o/a"), (3, "o/b"), (4, "o/a"))
    ]
    for order in itertools.permutations(files):
        assert names(order, at_once=False) == [("o/a", 1)]


def test_equal_numbers_are_no_evidence_and_equal_identifiers_alone_neither(tmp_path: Path) -> None:
    """Archives may count their rows and call that an identifier."""
    one = [record(number, repository="o/a", id=number) for number in (1, 2)]
    other = [
        record(number, repository="o/b", id=number, created_at="2024-01-01T00:00:01Z") for number in (1, 2)
    ]
    assert names([land(tmp_path, [*one, *other])]) == [("o/a", 1), ("o/a", 2), ("o/b", 1), ("o/b", 2)]


def test_a_new_repository_under_a_former_name_is_refused_with_the_reason(tmp_path: Path) -> None:
    old = land(tmp_path, [issue("o/a", number) for number in (1, 2)], "old")
    renamed = land(tmp_path, [issue("o/b", number, day=9) for number in (1, 2)], "renamed")
    new = [
        {**issue("o/a", number, day=20), "id": 7000 + number, "created_at": DAY.format(10)}
        for number in (1, 2, 3)
    ]
    reused = land(tmp_path, new, "reused")
    for order in itertools.permutations([old, renamed, reused]):
        for at_once in (True, False):
            with open_pipeline_database(Path(":memory:")) as connection:
                for group in [order] if at_once else [[file] for file in order]:
                    load_landed(connection, group, source="archive")
                kept = connection.execute(
                    "select repository, number, issue_id from raw.issues order by all"
                ).fetchall()
                reasons = {reason for _, reason in rejections(connection)}
                accounts = connection.execute(
                    "select sum(lines_read), sum(rejected) from raw.loads"
                ).fetchall()
            assert kept == [("o/b", 1, "1001"), ("o/b", 2, "1002")]
            assert accounts == [(7, 3)]
            assert reasons
            assert all(
                reason.startswith("the name belongs to another repository: number") for reason in reasons
            )


def test_names_that_the_source_knows_win(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    before = land(tmp_path, [record(1, updated_at=DAY.format(20))], "before")
    load_landed(connection, [before], source="github")
    after = replace(
        land(tmp_path, [record(2, repository="owner/new")], "after"), renames=(("owner/name", "owner/new"),)
    )
    load_landed(connection, [after], source="github")
    found = connection.execute("select repository, number from raw.issues order by number").fetchall()
    assert found == [("owner/new", 1), ("owner/new", 2)]


EVENTS = [{"event": "assigned", "created_at": DAY.format(2), "assignee": {"login": "ada"}}]


def test_a_poorer_record_takes_nothing_away(tmp_path: Path) -> None:
    known = {
        "events": EVENTS,
        "comments_data": [],
        "labels": [{"name": "bug"}],
        "assignees": [{"login": "ada"}],
    }
    rich, poor = issue("o/a", 1, **known), issue("o/a", 1)
    newer = issue("o/a", 1, day=5, labels=[], title="new")
    files = [
        land(tmp_path, [line], name, day)
        for day, (name, line) in enumerate([("r", rich), ("p", poor), ("n", newer)])
    ]
    for order in itertools.permutations([*files, files[0]]):
        with open_pipeline_database(Path(":memory:")) as connection:
            for file in order:
                load_landed(connection, [file], source="archive")
            (text,) = connection.execute("select record::varchar from raw.issues").fetchall()[0]
        found = json.loads(text)
        # Labels were taken off; nobody said that about events, and a pull request never becomes an issue.
        assert (found["title"], found["labels"], found["events"]) == ("new", [], EVENTS)
        assert found["assignees"] == [{"login": "ada"}]


PARTS = st.fixed_dictionaries(
    {},
    optional={
        "events": st.sampled_from([None, [], EVENTS, EVENTS * 2]),
        "comments_data": st.sampled_from([None, [], [{"user": {"login": "x"}, "created_at": DAY.format(2)}]]),
        "labels": st.sampled_from([None, [], [{"name": "a"}], [{"name": "a"}, {"name": "b"}]]),
        "user": st.sampled_from([None, {"login": "ada"}, {"login": "ada", "type": "User"}]),
        "milestone": st.sampled_from([None, {"title": "v1"}]),
        "pull_request": st.sampled_from([None, True]),
    },
)
RECORDS = st.builds(
    lambda name, number, day, parts: {
        **issue(name, number, day or 1, **parts),
        **({} if day else {"updated_at": None}),
    },
    st.sampled_from(["o/a", "O/a", "o/b", "p/c"]),
    st.integers(1, 2),
    st.sampled_from([None, 2, 3]),
    PARTS,
)


@settings(max_examples=40, deadline=None)
@given(
    contents=st.lists(
        st.tuples(st.lists(RECORDS, min_size=1, max_size=3), st.integers(0, 2)), min_size=2, max_size=4
    ),
    random=st.randoms(use_true_random=False),
)
def test_the_order_of_loading_changes_nothing(contents: list[Any], random: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        # A field of its own makes each file's content unique: the same content twice is one file.
        files = [
            land(Path(folder), [{**line, "file": n} for line in lines], f"f{n}", day)
            for n, (lines, day) in enumerate(contents)
        ]
        results = []
        for repeated in ([], files):
            order = [*random.sample(files, len(files)), *random.sample(repeated, len(repeated))]
            for groups in ([order], [[file] for file in order]):
                with open_pipeline_database(Path(":memory:")) as connection:
                    for group in groups:
                        load_landed(connection, group, source="archive")
                    results.append(
                        connection.execute(
                            "select * exclude (loaded_at) from raw.issues order by all"
                        ).fetchall()
                    )
    assert all(result == results[0] for result in results[1:])


@pytest.mark.skipif(not CASES.exists(), reason="the cases are not on this machine")
@pytest.mark.parametrize(
    ("folders", "right"),
    [
        (["leak_rename"], [("new-owner/proj", 600)]),
        (["corrected_dump/g3a", "corrected_dump/g3b"], [("acme/proj", 20)]),
        (["richer_then_poorer"], [("acme/rich", 20)]),
    ],
)
def test_cases(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, folders: list[str], right: list[Any]
) -> None:
    for folder in folders:
        files = ArchiveSource(CASES / "archive" / folder).land(tmp_path)
        load_landed(connection, files, source="archive")
    assert connection.execute("select repository, count(*) from raw.issues group by all").fetchall() == right
    if folders == ["richer_then_poorer"]:
        events = connection.execute("select count(*) from raw.issues where record ->> '$.events' is not null")
        assert events.fetchall() == [(20,)]
