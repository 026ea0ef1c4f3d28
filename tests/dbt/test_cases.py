"""Issues in the shapes that people have, from the file to the labels: what must come out of each."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.domains.tickets.landed.loading import load_landed
from orchestration.domains.tickets.sources.archive import ArchiveSource
from orchestration.store.warehouse import open_pipeline_database
from tests.dbt.conftest import Models
from tests.paths import CASES
from tests.unit.landed import record

TICKETS = "select count(*) from training.label_tickets where starts_with(item_id, ? || '#')"
OPEN_TICKETS = f"{TICKETS} and relevance is null and is_censored"
PULL_REQUESTS = "select count(*) from staging.stg_github__issue where repository = ? and is_pull_request"
AUTHORS = "select count(author_login) from staging.stg_github__issue where repository = ?"
MILESTONES = "select count(milestone_title) from staging.stg_github__issue where repository = ?"
LABELS = "select count(*) from staging.stg_github__label where starts_with(item_id, ? || '#')"
ASSIGNEES = "select count(*) from staging.stg_github__assignee where starts_with(item_id, ? || '#')"
COMMENTS = "select count(author_login) from staging.stg_github__comment where repository = ?"
EVENTS = "select count(*) from staging.stg_github__event where repository = ?"
BOTS = """
    select count(*) from intermediate.int_issue__cleaned
    where starts_with(item_id, ? || '#') and is_bot_author
"""
HANDLERS = "select count(*) from intermediate.int_issue__handler where starts_with(item_id, ? || '#')"
OLDEST = """
    select max(repository_age_days) < 100 from training.train_tickets where starts_with(item_id, ? || '#')
"""
KINDS = """
    select string_agg(distinct resolution_kind order by resolution_kind) from intermediate.int_issue__closing
    where starts_with(item_id, ? || '#') and is_resolution
"""
URGENT = "select count(*) from training.label_tickets where starts_with(item_id, ? || '#') and relevance > 0"
REJECTED = "select count(*) from raw.rejected_records where contains(record, '\"' || ? || '\"')"

# Of the files in archive/: repository, what is counted, and what is right.
CASE_TABLE = [
    ("acme/ok", TICKETS, 30),
    ("acme/ok", OPEN_TICKETS, 6),
    ("hf/structnull", TICKETS, 15),
    ("hf/structnull", PULL_REQUESTS, 5),
    ("hf/flagonly", TICKETS, 15),
    ("pr/emptyobj", TICKETS, 20),
    ("pr/zero", TICKETS, 20),
    *[
        ("flat/strings", what, n)
        for what, n in ((AUTHORS, 20), (LABELS, 40), (ASSIGNEES, 20), (MILESTONES, 20))
    ],
    ("sev/obj", LABELS, 20),
    ("sev/str", LABELS, 20),
    *[("gql/nodes", what, 20) for what in (AUTHORS, LABELS, ASSIGNEES, TICKETS)],
    *[("csv/listtext", what, n) for what, n in ((AUTHORS, 20), (LABELS, 40), (ASSIGNEES, 20))],
    ("gh/comments", COMMENTS, 10),
    ("ev/gql", EVENTS, 10),
    ("time/future", TICKETS, 19),
    ("time/future", REJECTED, 1),
    ("time/future", OPEN_TICKETS, 4),
    ("time/futurecreated", TICKETS, 19),
    ("time/futurecreated", OPEN_TICKETS, 3),
    ("time/epoch0", TICKETS, 19),
    ("time/epoch0", OLDEST, True),
    ("bot/copilot", BOTS, 20),
    ("bot/copilot", HANDLERS, 0),
    ("pd/nan", TICKETS, 5),
    ("pd/nanuser", TICKETS, 20),
    ("gh/array", TICKETS, 40),
    ("gh/pages", TICKETS, 60),
    ("gh/pretty", TICKETS, 3),
    ("gh/camel", TICKETS, 5),
    ("gh/camel", AUTHORS, 5),
    ("acme/case", TICKETS, 20),
    ("re/notplanned", KINDS, "duplicate,not_planned"),
    ("re/notplanned", URGENT, 0),
    ("re/dupfast", KINDS, "completed,duplicate,not_planned"),
    ("re/dupfast", URGENT, 8),
    ("Acme/Case", TICKETS, 0),
]


def run(models: Models, folder: Path, landing: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_pipeline_database(Path(":memory:")) as database:
        load_landed(database, ArchiveSource(folder).land(landing), source="archive")
        for name, sql in models:
            database.execute(f"create schema if not exists {name.split('.')[0]}")
            database.execute(f"create table {name} as ({sql}\n)")
        yield database


@pytest.fixture(scope="module")
def cases(models: Models, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """All the cases, which have a repository each, in one warehouse."""
    yield from run(models, CASES / "archive", tmp_path_factory.mktemp("landing"))


@pytest.mark.skipif(not CASES.exists(), reason="the cases are not on this machine")
@pytest.mark.parametrize(("repository", "count", "right"), CASE_TABLE)
def test_cases(cases: duckdb.DuckDBPyConnection, repository: str, count: str, right: Any) -> None:
    assert cases.execute(count, [repository]).fetchall() == [(right,)]


# Members of the same kinds, each in a repository of its own: fields, what is counted, what is right.
SHAPES: list[tuple[dict[str, Any], str, Any]] = [
    *[
        ({"pull_request": value}, PULL_REQUESTS, 0)
        for value in (
            None,
            False,
            0,
            0.0,
            "",
            "false",
            "None",
            "null",
            {},
            [],
            "{}",
            {"url": None},
            {"a": {"b": None}},
        )
    ],
    *[
        ({"pull_request": value}, PULL_REQUESTS, 1)
        for value in (
            True,
            1,
            1.0,
            "true",
            "True",
            "yes",
            {"url": "x"},
            "{'url': 'x'}",
            "https://g.example/a/b/pull/1",
        )
    ],
    ({"isPullRequest": True}, PULL_REQUESTS, 1),
    ({"is_pull_request": "1", "pull_request": None}, PULL_REQUESTS, 1),
    ({"html_url": "https://github.com/owner/name/pull/1"}, PULL_REQUESTS, 1),
    ({"html_url": "https://github.com/owner/name/issues/1"}, PULL_REQUESTS, 0),
    ({"__typename": "PullRequest"}, PULL_REQUESTS, 1),
    ({"pull_request.url": "x"}, PULL_REQUESTS, 1),
    ({"pull_request.url": None}, PULL_REQUESTS, 0),
    *[
        ({"labels": value}, LABELS, 2)
        for value in (
            ["a", "b"],
            [{"name": "a"}, {"name": "b"}, None],
            {"nodes": [{"name": "a"}, {"name": "b"}]},
            {"edges": [{"node": {"name": "a"}}, {"node": {"name": "b"}}]},
            '["a", "b"]',
            "[{'name': 'a'}, {'name': 'b'}]",
            "a;b",
            "a, b",
        )
    ],
    *[
        (fields, AUTHORS, 1)
        for fields in (
            {"user": "ada"},
            {"user": '{"login": "ada"}'},
            {"author": {"login": "ada", "__typename": "User"}},
            {"Author": "ada"},
            {"user.login": "ada"},
            {"user": None, "author": {"login": "ada"}},
        )
    ],
    *[
        (fields, ASSIGNEES, 1)
        for fields in (
            {"assignees": "ada"},
            {"assignees": {"nodes": [{"login": "ada"}]}},
            {"assignee": {"login": "ada"}},
            {"assignee": "ada"},
            {"assignee.login": "ada"},
            {"assignees": '["ada"]'},
        )
    ],
    *[
        (fields, MILESTONES, 1)
        for fields in ({"milestone": "v1"}, {"milestone.title": "v1"}, {"milestone": "{'title': 'v1'}"})
    ],
    *[
        (fields, COMMENTS, 1)
        for fields in (
            {"comments": [{"author": {"login": "zoe"}, "createdAt": "2024-01-01T09:00:00Z"}]},
            {
                "comments": {
                    "totalCount": 1,
                    "nodes": [{"author": {"login": "zoe"}, "createdAt": "2024-01-01"}],
                }
            },
            {"comments_data": [{"author": "zoe", "created_at": "2024-01-01"}]},
            {
                "comments_data": [
                    {"user": "zoe", "created_at": "2024-01-01"},
                    {"user": "a", "created_at": "2999-01-01"},
                ]
            },
        )
    ],
    *[
        (fields, EVENTS, 1)
        for fields in (
            {
                "events": [
                    {"__typename": "AssignedEvent", "createdAt": "2024-01-01", "assignee": {"login": "a"}}
                ]
            },
            {"timelineItems": {"nodes": [{"__typename": "ClosedEvent", "createdAt": "2024-01-01"}]}},
            {"events": [{"event": "closed", "created_at": "2024-01-01", "actor": "ada"}]},
            {
                "events": [
                    {"event": "closed", "created_at": t}
                    for t in ("2024-01-01", "1970-01-01", "9999-12-31", "x")
                ]
            },
        )
    ],
    *[
        ({"user": {"login": login, "type": kind}}, BOTS, right)
        for login, kind, right in (
            ("Copilot", "Bot", 1),
            ("jtalbot", "User", 0),
            ("jtalbot", None, 0),
            ("abbot", None, 0),
            ("some-bot", "User", 0),
            ("any[bot]", None, 1),
            ("dependabot", None, 1),
            ("Bors", None, 1),
        )
    ],
]


@pytest.fixture(scope="module")
def shapes(models: Models, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder = tmp_path_factory.mktemp("shapes")
    lines = [
        json.dumps({**record(1, id=position, repository=f"shape/s{position}", title="x"), **fields})
        for position, (fields, _, _) in enumerate(SHAPES)
    ]
    (folder / "shapes.jsonl").write_text("\n".join(lines))
    yield from run(models, folder, folder / "landing")


@pytest.mark.parametrize("position", range(len(SHAPES)))
def test_shapes(shapes: duckdb.DuckDBPyConnection, position: int) -> None:
    fields, count, right = SHAPES[position]
    rejected = shapes.execute(
        "select reason from raw.rejected_records where contains(record, ?)", [f'"shape/s{position}"']
    ).fetchall()
    assert rejected == []
    assert shapes.execute(count, [f"shape/s{position}"]).fetchall() == [(right,)], fields
