"""What was like an open ticket: earlier ones of its repository, each with what became of it."""

import duckdb
import pytest

from orchestration.domains.tickets.serving.similar import find_similar, load_similar, read_texts

ISSUES = """
    ('o/r', 1, 'Segmentation fault in the parser', 'crash on start', '2020-01-01', '2020-01-03', 'github'),
    ('o/r', 2, 'Typo in the manual', null, '2020-01-02', null, 'github'),
    ('o/r', 3, 'Parser crashes: segmentation fault', 'on start', '2020-02-01', null, 'github'),
    ('o/r', 4, 'The parser has a segmentation fault', 'crash', '2020-03-01', '2020-03-09', 'github'),
    ('o/r', 5, 'Segmentation faults of the parser', 'gone', '2020-01-05', '2020-01-06', 'github'),
    ('o/other', 1, 'Segmentation fault in the parser', 'crash on start', '2020-01-01', null, 'github'),
    ('jira:o/K', 1, 'Cannot sync', null, '2020-01-01', '2020-01-02', 'archive'),
    ('jira:o/K', 2, 'Cannot sync either', null, '2020-01-03', null, 'archive'),
    ('made/up', 1, 'Slow query', null, '2020-01-01', null, 'sample'),
    ('made/up', 2, 'Slow query, again', null, '2020-01-04', null, 'sample')
"""


@pytest.fixture
def database() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for schema in ("raw", "staging", "intermediate", "training"):
        connection.execute(f"create schema {schema}")
    connection.execute(
        f"""
        create table given as
        select *, repository || '#' || number as item_id
        from (values {ISSUES}) as t (repository, number, title, body, created_at, closed_at, source);
        create table raw.issues as
        select
            repository, number, source,
            if(number = 4, json_object('html_url', 'https://git.firm/o/r/issues/4'), '{{}}'::json) as record
        from given;
        create table staging.stg_github__tombstone as select 'o/r#5' as item_id;
        create table intermediate.int_issue__cleaned as
        select
            item_id, repository, number::bigint as number, title, body, created_at::timestamp as created_at,
            closed_at is not null as is_closed
        from given;
        create table training.tickets_open as
        select item_id, repository, number::bigint as number from given where closed_at is null;
        create table intermediate.int_issue__resolution as
        select
            item_id,
            if(number = 1, date_diff('hour', created_at::timestamp, closed_at::timestamp), null)::double
                as resolution_hours
        from given;
        -- The second ticket was closed once and is open again.
        create table intermediate.int_issue__closing as
        select item_id, 'completed' as resolution_kind, true as is_last from given where closed_at is not null
        union all select 'o/r#1', 'stale', false union all select 'o/r#2', 'stale', true;
        """
    )
    return connection


def table(database: duckdb.DuckDBPyConnection, ticket: str) -> list[tuple[object, ...]]:
    load_similar(database, find_similar(read_texts(database, 1500), most=5))
    return database.execute(
        "select similar_item_id, rank, title, url, state, resolution_kind, resolution_hours "
        "from tickets.similar where item_id = ? order by rank",
        [ticket],
    ).fetchall()


def test_earlier_tickets_of_the_repository_with_what_became_of_them(
    database: duckdb.DuckDBPyConnection,
) -> None:
    """Not the later fourth, not the fifth, which is gone, and not the same words in another repository."""
    found = table(database, "o/r#3")
    title = "Segmentation fault in the parser"
    assert found[0] == (
        "o/r#1", 1, title, "https://github.com/o/r/issues/1", "closed", "completed", 48.0,
    )  # fmt: skip
    assert [row[0] for row in found[1:]] in ([], ["o/r#2"])
    assert table(database, "o/other#1") == []


def test_an_open_ticket_has_no_resolution_whatever_was_before(database: duckdb.DuckDBPyConnection) -> None:
    database.execute(
        "insert into training.tickets_open values ('o/r#4', 'o/r', 4);"
        "update intermediate.int_issue__cleaned set title = 'Typo: the manual' where number = 4"
    )
    first = table(database, "o/r#4")[0]
    assert first[0] == "o/r#2" and first[4:] == ("open", None, None)


def test_a_page_is_named_where_there_is_one(database: duckdb.DuckDBPyConnection) -> None:
    assert table(database, "jira:o/K#2")[0][3] is None
    assert table(database, "made/up#2")[0][3] is None
    database.execute(
        "insert into intermediate.int_issue__cleaned values "
        "('o/r#6', 'o/r', 6, 'The parser has a segmentation fault', 'crash', '2020-05-01', false);"
        "insert into training.tickets_open values ('o/r#6', 'o/r', 6)"
    )
    pages = {row[0]: row[3] for row in table(database, "o/r#6")}
    assert pages["o/r#4"] == "https://git.firm/o/r/issues/4"


def test_no_open_ticket_gives_an_empty_table(database: duckdb.DuckDBPyConnection) -> None:
    assert table(database, "o/r#3")
    database.execute("delete from training.tickets_open")
    assert table(database, "o/r#3") == []
    assert "resolution_kind" in database.sql("from tickets.similar").columns
