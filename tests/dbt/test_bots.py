"""Who is a program: by type, list or suffix, from when it is known; others may be called "jtalbot"."""

from datetime import datetime, timedelta

import pytest

from tests.dbt.conftest import Transform
from tests.dbt.records import Record, iso

READS = ("training.train_tickets", "intermediate.int_issue__event")

START = datetime(2020, 1, 6)


def opened_by(number: int, login: str, kind: str | None, comments: list[Record] | None = None) -> Record:
    return {
        "repository": "owner/name",
        "number": number,
        "title": "It fails",
        "state": "open",
        "created_at": iso(START + timedelta(days=number)),
        "updated_at": iso(START + timedelta(days=90)),
        "user": {"login": login, "type": kind},
        "comments_data": comments or [],
    }


@pytest.mark.parametrize(
    ("login", "kind", "is_bot"),
    [
        ("jtalbot", "User", False),
        ("cabot", None, False),
        ("mybot", None, False),
        ("deploy[bot]", None, True),
        ("Deploy[BOT]", "User", True),
        ("copilot", "Bot", True),
        ("Renovate-Bot", "User", True),
        ("renovate-bots", "User", False),
        ("acme", "Organization", False),
    ],
)
def test_a_program_is_told_by_type_suffix_or_list(
    transform: Transform, login: str, kind: str | None, is_bot: bool
) -> None:
    database = transform([opened_by(1, login, kind)])
    (author,) = database.sql("select author_is_bot from training.train_tickets").fetchall()
    (event,) = database.sql("select actor_kind from intermediate.int_issue__event").fetchall()
    assert (*author, *event) == (is_bot, "bot" if is_bot else "author")


def test_a_type_that_is_told_later_changes_nothing_before(transform: Transform) -> None:
    told = {"user": {"login": "tool", "type": "Bot"}, "created_at": iso(START + timedelta(days=30))}
    untold = {"user": {"login": "tool"}, "created_at": iso(START + timedelta(days=20))}
    database = transform(
        [opened_by(1, "tool", None), opened_by(2, "ada", "User", [untold, told]), opened_by(40, "tool", None)]
    )
    kinds = database.sql(
        """
        select event, actor_kind from intermediate.int_issue__event where actor_id = 'tool' order by event_at
        """
    ).fetchall()
    features = database.sql("select author_is_bot from training.train_tickets order by event_at").fetchall()
    assert kinds == [("opened", "author"), ("commented", "other"), ("commented", "bot"), ("opened", "bot")]
    assert features == [(False,), (False,), (True,)]
