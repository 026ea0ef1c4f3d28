"""The project as a whole: dbt builds it and all its tests pass; nothing is lost; the scope is respected."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.dbt.conftest import Dbt, Models, Transform, load, run_models
from tests.dbt.records import Record, random_records

READS = ("training.train_tickets", "training.label_tickets", "training.tickets_open")

ODD_ENTRIES: list[Any] = [
    None,
    {},
    "text",
    {"user": None, "created_at": None, "body": None},
    {"user": {"login": None}, "created_at": "2020-01-20T00:00:00Z", "author_association": None},
    {"user": {"login": "ada"}, "created_at": "some day"},
    {"event": None, "created_at": "2020-01-20T00:00:00Z"},
    {"event": "assigned", "created_at": "2020-01-20T00:00:00Z", "assignee": None},
    {"event": "labeled", "created_at": "2020-01-20T00:00:00+02:00", "label": "bug"},
    {"event": "labeled", "created_at": None, "label": {"name": None}},
    {"login": None, "name": None},
    {"login": 5, "name": 5},
]


def odd_records() -> list[Record]:
    """Every field of an issue absent, null, of another type or with odd entries, one at a time."""
    base = {**random_records(3)[0], "pull_request": None, "created_at": "2020-01-10T00:00:00Z"}
    base |= {"closed_at": "2020-02-01T00:00:00Z", "state": "closed", "assignees": [{"login": "ada"}]}
    kept = {"repository", "number", "created_at"}
    others = [*base, "milestone", "closed_by", "locked", "state_reason", "id", "unknown"]
    records: list[Record] = []
    for key in [name for name in others if name not in kept]:
        records.append({name: value for name, value in base.items() if name != key})
        values: list[Any] = [None, [], {}, ODD_ENTRIES, [[]]]
        if not key.endswith("_at"):  # a time that is none is rejected before
            values += ["", "text", 5, True]
        records += [{**base, key: value} for value in values if not key.endswith("_at") or not value]
    return [{**record, "number": 1000 + place} for place, record in enumerate(records)]


@pytest.fixture(scope="module")
def built(dbt: Dbt, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a build of ordinary and odd records, whose own tests all passed."""
    file = tmp_path_factory.mktemp("built") / "memory.duckdb"
    with duckdb.connect(file) as database:
        load(database, [*random_records(3), *odd_records()])
    done = dbt("build", database=file)
    assert done.returncode == 0, done.stdout[-3000:]
    return file


def test_dbt_builds_and_all_its_tests_pass(built: Path) -> None:
    with duckdb.connect(built, read_only=True) as database:
        schemas = database.sql("select distinct table_schema from information_schema.tables").fetchall()
        assert {name for (name,) in schemas} == {
            "raw",
            "staging",
            "intermediate",
            "features",
            "training",
            "tickets",
            "carried",
        }


def test_no_odd_record_breaks_the_build_or_is_lost(built: Path) -> None:
    with duckdb.connect(built, read_only=True) as database:
        numbers = {
            n for (n,) in database.sql("select number from staging.stg_github__issue").fetchall() if n >= 1000
        }
    assert numbers == {record["number"] for record in odd_records()}


def test_every_issue_in_is_one_item_out(transform: Transform) -> None:
    records = random_records(4)
    issues = {f"{r['repository']}#{r['number']}" for r in records if not r["pull_request"]}
    database = transform(records)
    for relation in ("train_tickets", "label_tickets"):
        items = [item for (item,) in database.sql(f"select item_id from training.{relation}").fetchall()]
        assert len(items) == len(issues)
        assert set(items) == issues
    still_open = {f"{r['repository']}#{r['number']}" for r in records if r["state"] == "open"} & issues
    listed = database.sql("select item_id from training.tickets_open").fetchall()
    assert {item for (item,) in listed} == still_open


def test_the_order_of_the_records_does_not_matter(transform: Transform) -> None:
    records = random_records(5, items=60)
    query = "select * from training.train_tickets order by item_id"
    tables = [transform(order).sql(query).fetchall() for order in (records, records[::-1])]
    assert tables[0] == tables[1]


def test_scope_assigned_keeps_closed_tickets_with_an_assignee(varied_models: Models) -> None:
    records = random_records(6)
    expected = {
        f"{r['repository']}#{r['number']}"
        for r in records
        if not r["pull_request"] and r["state"] == "closed" and r["assignees"]
    }
    assert expected
    with run_models(varied_models, records) as database:
        for relation in ("train_tickets", "label_tickets"):
            items = {item for (item,) in database.sql(f"select item_id from training.{relation}").fetchall()}
            assert items == expected


def test_an_unknown_scope_is_refused_in_one_sentence(tmp_path: Path) -> None:
    done = Dbt(tmp_path, ticket_scope="everything")("compile", "--select", "train_tickets")
    assert done.returncode != 0
    assert "ticket_scope must be 'all' or 'assigned', not 'everything'." in done.stdout


def test_the_one_test_of_a_model_finds_every_kind_of_broken_law(dbt: Dbt) -> None:
    found = dbt.render(
        "{{ test_sound('items', keys=[['a'], ['b', 'c']], never_null=['d'], holds=[\"d > 'a'\", 'a > 0']) }}"
    )
    with duckdb.connect() as database:
        database.execute(
            "create table items as from (values (1, 1, 1, 'b'), (2, 1, 2, 'b')) as t(a, b, c, d)"
        )
        assert database.execute(found).fetchall() == []
        for row, broken in {
            "1, 2, 2, 'b'": "key a",
            "null, 2, 2, 'b'": "key a",
            "3, 1, 2, 'b'": "key b, c",
            "3, null, 2, 'b'": "key b, c",
            "3, 2, 2, null": "d is null",
            "3, 2, 2, 'a'": "d > 'a'",
            "-3, 2, 2, 'b'": "a > 0",
        }.items():
            database.execute(f"begin; insert into items values ({row})")
            assert [name for name, _ in database.execute(found).fetchall()] == [broken], row
            database.execute("rollback")
