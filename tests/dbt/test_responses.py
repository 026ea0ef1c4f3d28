"""The first answer of an issue: by whom, when, until when nobody knows, and what earlier ones tell of it."""

from datetime import datetime, timedelta
from typing import Any

import duckdb
import pytest

from tests.dbt.conftest import Transform
from tests.dbt.records import Record, iso, random_records

READS = (
    "training.train_response",
    "training.label_response",
    "training.tickets_open",
    "intermediate.int_issue__first_response",
    "intermediate.int_issue__event",
    "intermediate.int_issue__cleaned",
)

START = datetime(2020, 1, 6)
END = 100.0
REPOSITORY = "owner/name"


def on(day: float) -> datetime:
    return START + timedelta(days=day)


def comment(day: float, login: str | None, **user: str) -> Record:
    return {"created_at": iso(on(day)), "user": login and {"login": login, **user}, "body": "hm"}


def event(day: float, kind: str, login: str | None) -> Record:
    return {"event": kind, "created_at": iso(on(day)), "actor": login and {"login": login}, "label": "bug"}


def issue(number: int, **fields: Any) -> Record:
    return {
        "repository": REPOSITORY,
        "number": number,
        "title": "It fails",
        "state": "closed" if fields.get("closed_at") else "open",
        "created_at": iso(START),
        "updated_at": iso(on(END)),
        "user": {"login": "ada", "type": "User"},
        "comments_data": [],
        **fields,
    }


# Fields of the issue; day and kind of the answer, the day of a program's, the day until which it is known.
ANSWERS: dict[str, tuple[dict[str, Any], tuple[float | None, str | None, float | None, float]]] = {
    "a comment": ({"comments_data": [comment(2, "bob")]}, (2, "commented", None, END)),
    "the author's own words are none": (
        {"comments_data": [comment(1, "ada"), comment(3, "bob")]},
        (3, "commented", None, END),
    ),
    "nor in other capitals": ({"comments_data": [comment(1, "ADA")]}, (None, None, None, END)),
    "a program is counted apart": (
        {"comments_data": [comment(1, "hello[bot]"), comment(3, "bob")]},
        (3, "commented", 1, END),
    ),
    "a program by type": ({"comments_data": [comment(1, "hello", type="Bot")]}, (None, None, 1, END)),
    "a name that ends in bot": ({"comments_data": [comment(1, "jtalbot")]}, (1, "commented", None, END)),
    "a label": ({"events": [event(4, "labeled", "eve")]}, (4, "labelled", None, END)),
    "an assignment": ({"events": [event(4, "assigned", "eve")]}, (4, "assigned", None, END)),
    "a label of the author": ({"events": [event(4, "labeled", "ada")]}, (None, None, None, END)),
    "a label of a program": ({"events": [event(4, "labeled", "hello[bot]")]}, (None, None, 4, END)),
    "a reference is none": ({"events": [event(4, "cross-referenced", "eve")]}, (None, None, None, END)),
    "a closing": ({"closed_at": iso(on(5)), "closed_by": {"login": "eve"}}, (5, "closed", None, END)),
    "a closing by the author": (
        {"closed_at": iso(on(5)), "closed_by": {"login": "ada"}},
        (None, None, None, END),
    ),
    "a closing by nobody knows whom": ({"closed_at": iso(on(5))}, (None, None, None, 5)),
    "a comment of nobody": ({"comments_data": [comment(2, None), comment(3, "bob")]}, (None, None, None, 2)),
    "a deleted account": ({"comments_data": [comment(2, "ghost")]}, (None, None, None, 2)),
    "a deleted account after the answer": (
        {"comments_data": [comment(2, "bob"), comment(3, "ghost")]},
        (2, "commented", None, END),
    ),
    "events out of order": (
        {"events": [event(9, "labeled", "eve"), event(4, "labeled", "bob")]},
        (4, "labelled", None, END),
    ),
    "before the creation": ({"comments_data": [comment(-2, "bob")]}, (None, None, None, END)),
    "without a time": (
        {"comments_data": [{"created_at": None, "user": {"login": "bob"}}]},
        (None, None, None, END),
    ),
    "ten thousand comments": (
        {"comments_data": [comment(9 + k / 1000, "bob") for k in range(10_000)][::-1]},
        (9, "commented", None, END),
    ),
    "nothing": ({}, (None, None, None, END)),
    "no comments are told": ({"comments_data": None, "closed_at": iso(on(5))}, (None, None, None, 0)),
}


@pytest.fixture(scope="module")
def answered(transform: Transform) -> duckdb.DuckDBPyConnection:
    return transform(
        [issue(number, **fields) for number, (fields, _) in enumerate(ANSWERS.values(), start=1)]
    )


def test_the_first_answer_is_a_persons_who_is_not_the_author(answered: duckdb.DuckDBPyConnection) -> None:
    rows = answered.sql(
        """
        select split_part(item_id, '#', 2)::int, responded_at, response, bot_responded_at, observed_until
        from intermediate.int_issue__first_response order by all
        """
    ).fetchall()
    found = {name: tuple(row) for name, (_, *row) in zip(ANSWERS, rows, strict=True)}
    expected = {
        name: (None if day is None else on(day), kind, None if bot is None else on(bot), on(until))
        for name, (_, (day, kind, bot, until)) in ANSWERS.items()
    }
    assert found == expected


def test_labels_are_the_hours_to_the_answer_or_how_long_it_was_missed(
    answered: duckdb.DuckDBPyConnection,
) -> None:
    rows = answered.sql(
        """
        select split_part(item_id, '#', 2)::int, y, is_censored, observed_until, labelled_at
        from training.label_response order by all
        """
    ).fetchall()
    known = [facts for name, (_, facts) in ANSWERS.items() if name != "no comments are told"]
    assert [row[1:] for row in rows] == [
        (None, True, on(until), None) if day is None else (24.0 * day, False, on(END), on(day))
        for day, _, _, until in known
    ]


def test_an_open_ticket_says_whether_it_was_answered_and_how_long_it_waits(
    answered: duckdb.DuckDBPyConnection,
) -> None:
    rows = answered.sql(
        "select split_part(item_id, '#', 2)::int, answered, round(waiting_days, 6) from training.tickets_open"
    ).fetchall()
    names = dict(enumerate(ANSWERS, start=1))
    found = {names[number]: (is_answered, waiting) for number, is_answered, waiting in rows}
    assert found["a comment"] == (True, None)
    assert found["nothing"] == found["a program by type"] == (False, END)
    assert "a closing" not in found


def test_a_repository_of_programs_only_answers_nobody(transform: Transform) -> None:
    bots = [
        issue(
            n, user={"login": "hello[bot]"}, comments_data=[comment(n, "bye[bot]")], created_at=iso(on(n / 2))
        )
        for n in range(1, 30)
    ]
    database = transform(bots)
    assert database.sql(
        "select distinct y, is_censored, observed_until from training.label_response"
    ).fetchall() == [(None, True, on(END))]
    shares = database.sql("select distinct repository_share_answered_7d from training.train_response")
    assert set(shares.fetchall()) == {(None,), (0.0,)}


def test_the_history_of_answers_equals_a_naive_one(transform: Transform) -> None:
    """Of earlier issues, decided before T and within 90 days: the share that was answered in time."""
    database = transform(random_records(7))
    answers = database.sql(
        """
        select repository, created_at, responded_at, responses.observed_until
        from intermediate.int_issue__first_response as responses
        inner join intermediate.int_issue__cleaned using (item_id, created_at)
        where is_known
        """
    ).fetchall()
    asked = database.sql(
        """
        select repository, event_at, repository_share_answered_2d, repository_answered
        from training.train_response
        """
    ).fetchall()
    assert len(asked) > 100
    for repository, at, share, n_answered in asked:
        own = [one[1:] for one in answers if one[0] == repository]
        newest = max(
            (
                when
                for created, responded, until in own
                for when in facts_of(created, responded, until)
                if when < at
            ),
            default=None,
        )
        if newest is None:
            assert (share, n_answered) == (None, 0)
            continue
        since = newest - timedelta(days=90)
        decided = [
            responded is not None and responded <= created + timedelta(days=2)
            for created, responded, until in own
            if is_decided(created, responded, until, 2) and since <= created + timedelta(days=2) <= newest
        ]
        assert share == (pytest.approx(sum(decided) / len(decided)) if decided else None)
        assert n_answered == sum(1 for _, responded, _ in own if responded and since <= responded <= newest)


def is_decided(created: datetime, responded: datetime | None, until: datetime, days: int) -> bool:
    at = created + timedelta(days=days)
    return until >= at or (responded is not None and responded <= at)


def facts_of(created: datetime, responded: datetime | None, until: datetime) -> list[datetime]:
    decided = [
        created + timedelta(days=days) for days in (1, 2, 7) if is_decided(created, responded, until, days)
    ]
    return [created, *([responded] if responded else []), *decided]


def test_loading_twice_counts_once(transform: Transform) -> None:
    """Facts that a record tells twice are one, and counts are whole numbers."""
    records = random_records(8, items=40)
    doubled = [
        {**one, "comments_data": 2 * one["comments_data"], "events": one["events"] and 2 * one["events"]}
        for one in records
    ]
    query = "select item_id, event, actor_id, actor_kind, label, event_at from intermediate.int_issue__event"
    once, twice = (transform(given).sql(f"{query} order by all").fetchall() for given in (records, doubled))
    assert once == twice
