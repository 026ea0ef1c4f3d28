"""What events say of an issue: when its assignee was assigned; and until when one that vanished was seen."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.dbt.conftest import Models, Transform, run_models
from tests.dbt.records import Record, iso

READS = ("training.label_tickets", "training.tickets_open")

START = datetime(2020, 1, 6)
REPOSITORY = "owner/name"
Event = tuple[int, str] | tuple[int, str, str]  # day, kind, login


def on(day: float) -> datetime:
    return START + timedelta(days=day)


def issue(
    number: int, assignees: list[str] | None, events: list[Event] | None, *, closed: float | None = 10
) -> Record:
    return {
        "repository": REPOSITORY,
        "number": number,
        "title": "It fails",
        "body": None,
        "state": "open" if closed is None else "closed",
        "created_at": iso(START),
        "updated_at": iso(on(20)),
        "closed_at": None if closed is None else iso(on(closed)),
        "user": {"login": "ada", "type": "User"},
        "assignees": None if assignees is None else [{"login": login} for login in assignees],
        "labels": [],
        "events": events
        and [
            {
                "event": kind,
                "created_at": iso(on(day)),
                "assignee": {"login": login[0]} if login else None,
            }
            for day, kind, *login in events
        ],
    }


# Assignees at the end, events (day, kind, login), the day of the assignment that counts; closed on day 10.
ASSIGNMENTS: dict[str, tuple[list[str] | None, list[Event] | None, int | None]] = {
    "once": (["ada"], [(2, "assigned", "ada")], 2),
    "handed over": (["bob"], [(2, "assigned", "ada"), (4, "unassigned", "ada"), (4, "assigned", "bob")], 4),
    "taken back and given again": (
        ["ada"],
        [(2, "assigned", "ada"), (3, "unassigned", "ada"), (6, "assigned", "ada")],
        6,
    ),
    "several assignees: the first one counts": (
        ["bob", "ada"],
        [(2, "assigned", "ada"), (3, "assigned", "bob"), (5, "assigned", "cyd"), (6, "unassigned", "cyd")],
        3,
    ),
    "before a reopening": (["ada"], [(2, "assigned", "ada"), (3, "closed"), (5, "reopened")], 2),
    "after the closing": (["ada"], [(12, "assigned", "ada")], None),
    "before and after the closing": (
        ["ada"],
        [(2, "assigned", "ada"), (11, "unassigned", "ada"), (12, "assigned", "ada")],
        2,
    ),
    "not in force at the closing": (
        ["ada"],
        [(2, "assigned", "ada"), (3, "unassigned", "ada"), (12, "assigned", "ada")],
        None,
    ),
    "no event": (["ada"], [], None),
    "a source without events": (["ada"], None, None),
    "nobody is left": ([], [(2, "assigned", "ada"), (3, "unassigned", "ada")], None),
    "unknown assignees": (None, [(2, "assigned", "ada")], None),
}


@pytest.fixture(scope="module")
def labels(transform: Transform) -> dict[str, tuple[Any, ...]]:
    records = [
        issue(number, assignees, events)
        for number, (assignees, events, _) in enumerate(ASSIGNMENTS.values(), start=1)
    ]
    rows = (
        transform(records)
        .sql(
            "select item_id, y, hours_from_assignment, assigned_at, assigned_at_source"
            " from training.label_tickets"
        )
        .fetchall()
    )
    by_item = {item: facts for item, *facts in rows}
    return {
        name: tuple(by_item[f"{REPOSITORY}#{number}"]) for number, name in enumerate(ASSIGNMENTS, start=1)
    }


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_resolution_from_assignment(labels: dict[str, tuple[Any, ...]], name: str) -> None:
    day = ASSIGNMENTS[name][2]
    expected = (None, None, None) if day is None else (24.0 * (10 - day), on(day), "event")
    assert labels[name] == (240.0, *expected)


def test_an_open_issue_has_no_resolution_from_assignment(transform: Transform) -> None:
    records = [issue(1, ["ada"], [(2, "assigned", "ada")], closed=None)]
    rows = transform(records).sql(
        "select is_censored, hours_from_assignment, assigned_at from training.label_tickets"
    )
    assert rows.fetchall() == [(True, None, None)]


def test_an_issue_that_vanished_is_observed_until_it_was_last_seen(models: Models) -> None:
    records = [issue(1, [], [], closed=None), issue(2, [], [], closed=None), issue(3, [], [])]
    # Landed just now: the sweep that misses it is the earlier bound.
    tombstones = [(REPOSITORY, number, "deleted", on(15)) for number in (2, 3)]
    with run_models(models, records, tombstones) as database:
        rows = database.sql(
            "select item_id, is_censored, observed_until from training.label_tickets order by all"
        ).fetchall()
        still_open = database.sql("select item_id from training.tickets_open").fetchall()
    assert rows == [
        (f"{REPOSITORY}#1", True, on(20)),
        (f"{REPOSITORY}#2", True, on(15)),
        (f"{REPOSITORY}#3", False, on(20)),
    ]
    assert still_open == [(f"{REPOSITORY}#1",)]
