"""The corpus as files: everything comes back, and nobody shares what its author deleted."""

import csv
import gzip
import json
from pathlib import Path

import duckdb
import pytest

from orchestration.domains.tickets.export import dump_name, export
from orchestration.domains.tickets.landed.loading import load_landed
from orchestration.domains.tickets.sources import SourceError
from orchestration.domains.tickets.sources.archive import ArchiveSource
from orchestration.store.warehouse import open_pipeline_database
from tests.dbt.conftest import Transform
from tests.dbt.records import random_records

ASSIGNED = {
    "repository": "owner/other",
    "number": 1,
    "id": 2**53 - 1,
    "title": 'a "quoted", title',
    "body": "two\nlines",
    "state": "open",
    "created_at": "2020-02-01T00:00:00Z",
    "updated_at": "2020-02-05T00:00:00Z",
    "closed_at": None,
    "user": {"login": "ada", "type": "User"},
    "assignees": [{"login": "bob"}, {"login": "cyd"}],
    "labels": [{"name": "b"}, {"name": "a"}],
    "comments": 0,
    "events": [
        {"event": kind, "created_at": f"2020-02-0{day}T00:00:00Z", "assignee": {"login": who}}
        for day, kind, who in (
            (2, "assigned", "bob"),
            (3, "unassigned", "bob"),
            (4, "assigned", "bob"),
            (5, "assigned", "cyd"),
        )
    ],
}


@pytest.fixture(scope="module")
def database(transform: Transform) -> duckdb.DuckDBPyConnection:
    database = transform([*random_records(seed=5, repositories=2, items=60), ASSIGNED])
    # One that is gone, and one that was fetched again after it was gone.
    database.execute(
        """
        insert into raw.tombstones values
            ('owner/repo0', 3, 'deleted', now()::timestamp + interval 1 hour),
            ('owner/repo0', 4, 'transferred', '2000-01-01')
        """
    )
    return database


def test_what_was_exported_can_be_read_again(database: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    rows = export(database, tmp_path / "out")
    assert rows["owner__repo0.jsonl.gz"] == 59
    assert not list(tmp_path.rglob("*.partial"))
    archive = ArchiveSource(tmp_path / "out")
    with open_pipeline_database(tmp_path / "again.duckdb") as again:
        load_landed(again, archive.land(tmp_path / "landing"), source="archive")
        back = again.execute("select repository, number, record from raw.issues order by all").fetchall()
    there = database.execute("select repository, number, record from raw.issues order by all").fetchall()
    assert back == [row for row in there if row[:2] != ("owner/repo0", 3)]


def test_the_flat_table_has_the_time_of_the_kept_assignment(
    database: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    export(database, tmp_path)
    with (tmp_path / "tickets_raw.csv").open(newline="") as lines:
        tickets = {row["item_id"]: row for row in csv.DictReader(lines)}
    ticket = tickets["owner/other#1"]
    assert ticket["title"] == 'a "quoted", title' and ticket["body"] == "two\nlines"
    assert (ticket["assignees"], ticket["labels"]) == ("bob;cyd", "a;b")
    assert (ticket["assigned_at"], ticket["assigned_at_source"]) == ("2020-02-04 00:00:00", "event")
    assert "owner/repo0#3" not in tickets
    issues = database.execute(
        """
        select count(*) from staging.stg_github__issue
        where not is_pull_request and item_id <> 'owner/repo0#3'
        """
    ).fetchone()
    assert issues == (len(tickets),)


def test_the_training_data_is_one_list_of_objects(
    database: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    rows = export(database, tmp_path)
    tickets = json.loads(gzip.decompress((tmp_path / "tickets_final.json.gz").read_bytes()))
    assert len(tickets) == rows["tickets_final.json.gz"] > 60
    assert {"item_id", "event_at", "y", "is_censored", "slice_repo", "text"} <= tickets[0].keys()


def test_the_same_corpus_is_the_same_bytes(database: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        export(database, tmp_path / folder)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_a_renamed_repository_is_exported_under_its_present_name(tmp_path: Path) -> None:
    record = json.dumps({**ASSIGNED, "repository": "owner/former"})
    with open_pipeline_database(tmp_path / "p.duckdb") as database:
        database.execute(
            "insert into raw.issues by name select 'owner/other' as repository, 1 as number, ? as record,"
            " 'github' as source, 'f' as file, 1 as line, now() as fetched_at, now() as loaded_at",
            [record],
        )
        with pytest.raises(SourceError, match=r"training\.train_tickets.*make run"):
            export(database, tmp_path / "out")
        for relation in ("staging.stg_github__issue", "training.train_tickets", "training.label_tickets"):
            database.execute(f"create schema if not exists {relation.split('.')[0]}")
            database.execute(f"create table {relation} (item_id varchar)")
        with pytest.raises(duckdb.BinderException):
            export(database, tmp_path / "out")
    # What was finished stays; what was not leaves nothing.
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["owner__other.jsonl.gz"]
    line = gzip.decompress((tmp_path / "out" / "owner__other.jsonl.gz").read_bytes())
    assert json.loads(line)["repository"] == "owner/other"


def test_nothing_is_not_exported(tmp_path: Path) -> None:
    with (
        open_pipeline_database(tmp_path / "p.duckdb") as database,
        pytest.raises(SourceError, match="nothing"),
    ):
        export(database, tmp_path / "out")


def test_exports_are_what_others_can_read(transform: Transform, tmp_path: Path) -> None:
    """No NaN in JSON, and no cell of CSV that a spreadsheet takes for a formula."""
    formulas = ["=1+1", "+1", "-1", "@a", "\t=1", "\r=1"]
    records = [{**ASSIGNED, "number": n, "id": n, "title": text} for n, text in enumerate(formulas, start=1)]
    database = transform(records)
    database.execute(
        """update raw.issues set record = replace(record, '"comments":0', '"score":NaN,"comments":0')"""
    )
    database.execute(
        """
        update raw.issues
        set record = replace(record, '"comments": 0', '"score": -Infinity, "comments": 0')
        """
    )
    database.execute("update training.train_tickets set author_days_since_first_seen = 'nan'::double")
    export(database, tmp_path)

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    for dump in tmp_path.glob("*.jsonl.gz"):
        for line in gzip.decompress(dump.read_bytes()).splitlines():
            assert json.loads(line, parse_constant=refuse)["title"] in formulas
    final = gzip.decompress((tmp_path / "tickets_final.json.gz").read_bytes())
    assert json.loads(final, parse_constant=refuse)[0]["author_days_since_first_seen"] is None
    with (tmp_path / "tickets_raw.csv").open(newline="") as lines:
        assert [row["title"] for row in csv.DictReader(lines)][:4] == [f"'{text}" for text in formulas[:4]]


def test_no_two_repositories_share_a_file_name() -> None:
    names = ["a", "a_", "_a", "a__b", "b", "a_b", "b__c", "c", "a:b", "_", "a.b", "a-b"]
    repositories = [f"{owner}/{name}" for owner in names for name in names if ":" not in name]
    assert len({dump_name(repository).lower() for repository in repositories}) == len(repositories)
    assert dump_name("owner/some_name") == "owner__some_name.jsonl.gz"
