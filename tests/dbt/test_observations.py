"""When a ticket is looked at, and what had happened in it by then."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest

from tests.dbt.conftest import Transform
from tests.dbt.records import Record, iso, random_records

READS = ("training.train_remaining", "training.remaining_open", "training.tickets_open")

START = datetime(2020, 1, 6)
REPOSITORY = "owner/name"
AGES = [0, 1, 7, 14, 30, 90, 180, 365, 730]


def on(day: float) -> datetime:
    return START + timedelta(days=day)


def said(login: str | None, day: float, body: str = "hm", association: str = "NONE") -> dict[str, Any]:
    return {
        "user": login and {"login": login},
        "created_at": iso(on(day)),
        "body": body,
        "author_association": association,
    }


def done(event: str, day: float, **more: Any) -> dict[str, Any]:
    return {"event": event, "created_at": iso(on(day)), "actor": {"login": "mia"}, **more}


def record(number: int, day: float = 0, closed: float | None = None, **more: Any) -> Record:
    return {
        "repository": REPOSITORY,
        "number": number,
        "title": "It fails",
        "body": None,
        "state": "open" if closed is None else "closed",
        "created_at": iso(on(day)),
        "updated_at": iso(on(day)),
        "closed_at": None if closed is None else iso(on(closed)),
        "user": {"login": "ada", "type": "User"},
        "assignees": [],
        "labels": [],
        "comments_data": [],
        "events": [],
    } | more


def rows(
    database: duckdb.DuckDBPyConnection, columns: str, number: int, relation: str = "train_remaining"
) -> list[tuple[Any, ...]]:
    return database.sql(
        f"select {columns} from training.{relation} where item_id = '{REPOSITORY}#{number}' order by event_at"
    ).fetchall()


# The repository is seen until day 800, by the newest ticket.
LAST = record(99, day=800)


def ages(database: duckdb.DuckDBPyConnection, number: int) -> list[float]:
    return [age for (age,) in rows(database, "age_days", number)]


def test_a_ticket_is_looked_at_as_long_as_it_was_open_as_known_then(transform: Transform) -> None:
    database = transform(
        [
            record(1),
            record(2),
            record(3, closed=14),
            # Closed on day 5 and reopened on day 40: on day 7 and 30 nobody knew that it would be.
            record(5, closed=100, events=[done("closed", 5), done("reopened", 40), done("closed", 100)]),
            # Closed at the very second of its creation, and on a day on which a third of all was.
            record(7, closed=0),
            LAST,
        ]
    )
    # Every second early age, in turns, and every late one.
    assert ages(database, 1) == [0, 7, 30, 180, 365, 730]
    assert ages(database, 2) == [0, 1, 14, 90, 365, 730]
    assert ages(database, 3) == [0, 7]
    assert ages(database, 5) == [0]
    assert ages(database, 7) == [0]
    assert {age for number in (1, 2) for age in ages(database, number)} == set(AGES)


def test_open_tickets_are_looked_at_when_their_repository_was_last_seen(transform: Transform) -> None:
    """Also where the records end before the last thing that happened in one of them."""
    other = "owner/other"
    database = transform(
        [
            record(1, day=0, comments_data=[said("bob", 20)]),
            record(2, day=10, events=[done("labeled", 25, label={"name": "bug"})], updated_at=iso(on(12))),
            record(3, day=5, closed=6),
            record(4, day=25),
            record(1, day=3, repository=other),
        ]
    )
    found = database.sql(
        "select item_id, round(age_days, 6), observed_at::date from training.tickets_open order by item_id"
    ).fetchall()
    last = on(25).date()
    assert found == [
        ("owner/name#1", 25, last),
        ("owner/name#2", 15, last),
        ("owner/name#4", 0, last),
        ("owner/other#1", 0, on(3).date()),
    ]
    # What happened at that very time is known.
    assert rows(database, "n_labels, round(days_since_event, 6)", 2, "remaining_open") == [(1, 0)]


def test_a_clock_that_runs_ahead_makes_no_ticket_older(transform: Transform) -> None:
    now = datetime.now(UTC).replace(tzinfo=None)
    today = (now - START) / timedelta(days=1)
    database = transform(
        [
            record(1, day=today - 10, comments_data=[said("bob", today + 0.8)]),
            record(2, day=today + 0.9),
        ]
    )
    found = database.sql("select number, age_days from training.tickets_open order by number").fetchall()
    assert found == [(1, pytest.approx(10, abs=0.1)), (2, pytest.approx(0, abs=1e-6))]


def test_what_had_happened_by_then_is_known_and_nothing_later(transform: Transform) -> None:
    database = transform(
        [
            record(
                1,
                comments_data=[
                    said("cyd", -1),  # copied from elsewhere
                    said("build[bot]", 0.5),
                    said("bob", 2, association="MEMBER"),
                    said("mia", 3, "see #10"),
                    said("ada", 6),
                    said("bob", 20),
                    said("mia", 40),
                ],
                events=[
                    done("labeled", 2, label={"name": "I-crash"}),
                    done("labeled", 5, label={"name": "bug"}),
                    done("unlabeled", 25, label={"name": "bug"}),
                    done("milestoned", 26),
                ],
            ),
            # Triage needs rights: from day 1 on mia is known to have them; what she is called says nothing.
            record(3, events=[done("labeled", 1, label={"name": "bug"})]),
            record(10, day=1, closed=10, pull_request=True),
            record(11, day=15, pull_request=True, body="fixes #1"),
            record(12, day=16, pull_request=True, body="```\n#1\n``` other/name#1 and color #1a"),
            LAST,
        ]
    )
    counts = (
        "age_days, n_comments_author, n_comments_member, n_comments_other, n_comments_bot, n_people, "
        "n_labels, was_called_severe, has_milestone, n_pull_requests, n_open_pull_requests"
    )
    assert rows(database, counts, 1)[:4] == [
        (0, 0, 0, 0, 0, 0, 0, False, False, 0, 0),
        (7, 1, 1, 1, 1, 2, 2, True, False, 1, 1),
        (30, 1, 1, 2, 1, 2, 1, True, True, 2, 1),
        (180, 1, 2, 2, 1, 2, 1, True, True, 2, 1),
    ]
    times = "age_days, is_answered_last, waiting_days, days_since_answer, days_since_pull_request"
    assert rows(database, times, 1)[:4] == [
        (0, False, 0, 0, None),
        (7, False, 1, 4, 4),
        (30, True, None, 10, 15),
        (180, True, None, 140, 165),
    ]


def test_without_an_event_nothing_is_made_up(transform: Transform) -> None:
    """Comments that nobody downloaded are not none."""
    database = transform([record(1), record(3, comments_data=None, events=None), LAST])
    known = "n_comments_other, is_answered_last, waiting_days, days_since_answer, n_labels, n_reopenings"
    assert rows(database, known, 1)[1] == (0, False, 7, 7, 0, 0)
    assert rows(database, known, 3)[1] == (None, None, None, None, 0, 0)


def test_comments_are_counted_as_of_every_observation(transform: Transform) -> None:
    """Against the definition, on random histories."""
    records = random_records(12, items=300)
    database = transform(records)
    found = database.sql(
        "select item_id, event_at, n_comments_author, n_comments_member + n_comments_other, n_comments_bot "
        "from training.train_remaining"
    ).fetchall()
    by_item = {f"{one['repository']}#{one['number']}": one for one in records}
    for item, at, *counted in found:
        one = by_item[item]
        author = (one["user"] or {}).get("login")
        kinds = Counter(
            "bot" if login in ("build[bot]", "gopherbot") else "author" if login == author else "other"
            for login, when in ((c["user"]["login"], c["created_at"]) for c in one["comments_data"])
            if one["created_at"] <= when < f"{at:%Y-%m-%dT%H:%M:%SZ}"
        )
        assert counted == [kinds["author"], kinds["other"], kinds["bot"]], (item, at)
    assert sum(sum(counts) for _, _, *counts in found) > 100


@pytest.mark.parametrize("seed", [1, 2])
def test_the_spine_costs_less_than_two_and_a_half_times_the_rows(transform: Transform, seed: int) -> None:
    """And every item begins with its creation, in one group."""
    database = transform(random_records(seed))
    query = """
        select
            count(*) / count(distinct item_id),
            count(*) filter (where age_days = 0) = count(distinct item_id),
            bool_and(group_id = first_group),
            bool_and(abs(epoch(event_at) - epoch(first_at) - age_days * 86400) < 1e-3)
        from (
            select *, min(event_at) over (partition by item_id) as first_at,
                arg_min(group_id, event_at) over (partition by item_id) as first_group
            from training.train_remaining
        )
    """
    ratio, begins, one_group, ages_hold = database.sql(query).fetchall()[0]
    assert 1.2 < ratio < 2.5
    assert begins and one_group and ages_hold
