"""What a closing was, and what follows for the labels: sixty by hand, reopenings, bulks, bad input."""

from datetime import datetime, timedelta
from typing import Any

import duckdb
import pytest

from tests.dbt.closings import CLOSINGS, Closing
from tests.dbt.conftest import Models, Transform, run_models
from tests.dbt.records import Record, iso, undo_after

READS = ("training.train_tickets", "training.label_tickets", "intermediate.int_issue__closing")

START = datetime(2020, 1, 6)
REPOSITORY = "owner/name"


def after(days: float) -> datetime:
    return START + timedelta(days=days)


def issue(number: int, created: datetime, closed: datetime | None, **fields: Any) -> Record:
    return {
        "repository": REPOSITORY,
        "number": number,
        "title": "It fails",
        "body": None,
        "state": "open" if closed is None else "closed",
        "created_at": iso(created),
        "updated_at": iso(after(900)),
        "closed_at": iso(closed),
        "user": {"login": "ada", "type": "User"},
        "labels": [],
        "comments_data": [],
        "events": [],
        **fields,
    }


def record(number: int, closing: Closing) -> Record:
    """Closings of different days, each thirty days after the creation, so that no day closes in bulk."""
    closed = after(40 + 10 * number)

    def at(hours: float) -> str | None:
        return iso(closed + timedelta(hours=hours))

    events = [
        {
            "event": kind,
            "created_at": at(hours),
            "actor": {"login": login},
            "label": label and {"name": label},
        }
        for hours, kind, login, label in closing.events
    ]
    if closing.commit:
        events.append({"event": "closed", "created_at": at(0), "actor": {"login": closing.closer}})
        events[-1]["commit_id"] = "0a1b2c"
    return issue(
        number,
        closed - timedelta(days=30),
        closed,
        state_reason=closing.reason,
        closed_by=closing.closer and {"login": closing.closer, **closing.extra},
        labels=[{"name": label} for label in closing.labels],
        comments_data=[
            {"created_at": at(hours), "user": {"login": login}, "body": text}
            for hours, login, text in closing.comments
        ],
        events=events,
    )


def all_records() -> list[Record]:
    records = []
    for number, closing in enumerate(CLOSINGS, start=1):
        records.append(record(number, closing))
        if closing.pull_request:
            made = after(40 + 10 * number)
            merged = issue(900 + number, made - timedelta(days=1), made, body=f"Fixes #{number}")
            records.append({**merged, "pull_request": True})
    return records


@pytest.fixture(scope="module")
def closed(transform: Transform) -> duckdb.DuckDBPyConnection:
    return transform(all_records())


def test_the_table_holds_sixty_closings() -> None:
    assert len(CLOSINGS) == 60


def test_every_closing_by_hand_is_what_it_was(closed: duckdb.DuckDBPyConnection) -> None:
    found = dict(
        closed.sql(
            "select split_part(item_id, '#', 2)::int, resolution_kind from intermediate.int_issue__closing"
        ).fetchall()
    )
    wrong = [
        (closing.why, closing.kind, found[number])
        for number, closing in enumerate(CLOSINGS, start=1)
        if found[number] != closing.kind
    ]
    assert wrong == []


def test_kinds_that_do_not_count_censor_the_label_at_the_closing(closed: duckdb.DuckDBPyConnection) -> None:
    rows = closed.sql(
        """
        select split_part(item_id, '#', 2)::int, is_censored, y, observed_until, relevance
        from training.label_tickets
        """
    ).fetchall()
    end = after(900)
    for number, is_censored, y, observed_until, relevance in rows:
        kind = CLOSINGS[number - 1].kind
        counts = kind not in ("stale", "moved", "bulk_import")
        closed_at = after(40 + 10 * number)
        assert (is_censored, y) == ((False, 720.0) if counts else (True, None)), CLOSINGS[number - 1]
        assert observed_until == (end if counts else closed_at), CLOSINGS[number - 1]
        assert relevance == (1 if counts and kind not in ("duplicate", "not_planned") else 0)


def test_which_kinds_count_is_a_variable(varied_models: Models) -> None:
    kinds = ["completed", "stale"]
    # Assigned, all of them, as the scope has it that these models are of.
    records = [{**record, "assignees": [{"login": "ada"}]} for record in all_records()]
    with run_models(varied_models, records) as database:
        counted = database.sql(
            "select distinct resolution_kind from intermediate.int_issue__closing where is_resolution"
        ).fetchall()
        labelled = database.sql("select count(*) from training.label_tickets where y is not null").fetchall()
    assert {kind for (kind,) in counted} == set(kinds)
    assert labelled == [(sum(closing.kind in kinds for closing in CLOSINGS),)]


def event(day: float, kind: str, login: str | None = "eve") -> Record:
    return {"event": kind, "created_at": iso(after(day)), "actor": login and {"login": login}}


def test_who_reopens_says_that_it_was_not_resolved(transform: Transform) -> None:
    back = [event(20, "reopened"), event(10, "closed"), event(30, "closed", None)]  # in any order
    database = transform(
        [
            issue(1, START, after(30), events=back),
            issue(2, START, None, events=back[:2]),
            issue(3, START, after(30), events=[event(10, "closed"), event(30, "closed")]),
        ]
    )
    closings = database.sql(
        """
        select item_id, closing_number, closed_at, reopened_at, is_first, is_last, is_resolution
        from intermediate.int_issue__closing order by all
        """
    ).fetchall()
    first, second, third = (f"{REPOSITORY}#{number}" for number in (1, 2, 3))
    assert closings == [
        (first, 1, after(10), after(20), True, False, False),
        (first, 2, after(30), None, False, True, True),
        (second, 1, after(10), after(20), True, True, False),
        (third, 1, after(10), None, True, False, False),
        (third, 2, after(30), None, False, True, True),
    ]
    labels = database.sql(
        "select item_id, y, is_censored from training.label_tickets order by all"
    ).fetchall()
    assert labels == [(first, 720.0, False), (second, None, True), (third, 720.0, False)]


def test_what_came_later_is_told_of_the_closing_but_not_to_features(transform: Transform) -> None:
    def referenced(seconds: int) -> Record:
        end = datetime(2020, 3, 1) + timedelta(seconds=seconds)
        return {"event": "referenced", "created_at": iso(end), "actor": None, "commit_id": "0a1b2c"}

    before_midnight = datetime(2020, 3, 1) - timedelta(seconds=20)
    named_later = {"created_at": iso(after(80)), "user": {"login": "eve"}, "body": "see #9"}
    database = transform(
        [
            issue(1, START, after(30.1), events=[event(90, "transferred", None)]),
            issue(2, START, after(30.2), events=[event(30.3, "transferred", None)]),
            issue(3, START, before_midnight, events=[referenced(5)]),
            issue(4, START, before_midnight, events=[referenced(-5)]),
            issue(5, START, after(50), comments_data=[named_later]),
            {**issue(9, START, after(50)), "pull_request": True},
        ]
    )
    kinds = database.sql(
        "select resolution_kind, dated_kind from intermediate.int_issue__closing order by item_id"
    ).fetchall()
    assert kinds == [
        ("moved", "unknown"),
        ("moved", "moved"),
        ("completed", "unknown"),
        ("completed", "completed"),
        ("unknown", "unknown"),
    ]


def test_a_bulk_and_an_artefact_are_no_resolutions(transform: Transform) -> None:
    records = [issue(n, after(n / 10), after(40), state_reason="completed") for n in range(1, 31)]
    records += [issue(40, after(50), after(50)), issue(41, after(60), after(55))]
    database = transform(records)
    kinds = database.sql(
        "select distinct resolution_kind, is_resolution from intermediate.int_issue__closing"
    )
    assert kinds.fetchall() == [("bulk_import", False)]
    labels = database.sql(
        "select distinct y, observed_until = event_at from training.label_tickets"
        " inner join training.train_tickets using (item_id)"
    )
    assert labels.fetchall() == [(None, True)]


def test_what_cannot_be_told_is_no_closing_or_an_unknown_one(transform: Transform) -> None:
    nobody = {"created_at": iso(after(3)), "user": None, "body": "Duplicate of #1"}
    never = {"created_at": None, "user": {"login": "eve"}, "body": "Duplicate of #1"}
    many = [
        {"created_at": iso(after(k / 1000)), "user": {"login": "stale[bot]"}, "body": "still open"}
        for k in range(10_000)
    ]
    database = transform(
        [
            issue(1, START, None, state="closed"),
            issue(2, START, after(5), comments_data=[nobody, never]),
            issue(3, START, after(20), comments_data=many, closed_by={"login": "ghost"}),
            issue(4, START, after(25), closed_by={"login": None}, user=None),
        ]
    )
    rows = database.sql(
        "select item_id, resolution_kind, actor_kind from intermediate.int_issue__closing order by all"
    ).fetchall()
    assert rows == [(f"{REPOSITORY}#{n}", "unknown", "unknown") for n in (2, 3, 4)]
    assert database.sql("select count(*) from training.label_tickets").fetchall() == [(4,)]


def test_a_later_fact_changes_no_verdict_that_features_read(
    closed: duckdb.DuckDBPyConnection, transform: Transform
) -> None:
    """Every verdict of a day that is over stays, though labels, reasons and closers are scrambled."""
    cut = after(615)
    past = transform(undo_after([{**one, "state_reason": None} for one in all_records()], cut))
    query = f"""
        select item_id, was_resolution from intermediate.int_issue__closing
        where known_at < '{cut}' and actor_kind <> 'bot' order by all
    """
    then = dict(past.sql(query).fetchall())
    now = dict(closed.sql(query).fetchall())
    assert then.keys() >= now.keys()
    assert {item: then[item] for item in now} == now
    assert False in now.values()
