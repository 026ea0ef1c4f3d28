"""Feature views against their definitions, written naively in Python."""

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from statistics import median
from typing import Any

import duckdb
import pytest

from tests.dbt.conftest import Transform
from tests.dbt.records import Record, random_records

Facts = list[dict[str, Any]]
TOPICS = {"net/http: hangs": "net/http", "cmd/go, net: fails": "cmd/go", "[lexer] wrong token": "lexer"}


def moment(text: str | None) -> datetime | None:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ") if text else None


def end_of_day(time: datetime) -> datetime:
    return datetime(time.year, time.month, time.day) + timedelta(days=1)


@pytest.fixture(scope="module")
def records() -> list[Record]:
    """The tidied-up and the plain repository: imports have a test of their own."""
    return [record for record in random_records(11, items=200) if record["repository"] != "owner/repo0"]


@pytest.fixture(scope="module")
def database(transform: Transform, records: list[Record]) -> duckdb.DuckDBPyConnection:
    return transform(records)


@pytest.fixture(scope="module")
def issues(records: list[Record], database: duckdb.DuckDBPyConnection) -> Facts:
    """Issues with their times; what is a resolution is taken from int_issue__resolution, tested elsewhere."""
    resolved = dict(
        database.sql("select item_id, not is_censored from intermediate.int_issue__resolution").fetchall()
    )
    facts = []
    for record in records:
        if not record["pull_request"]:
            item = f"{record['repository']}#{record['number']}"
            opened, closed = moment(record["created_at"]), moment(record["closed_at"])
            assert opened is not None
            hours = (closed - opened).total_seconds() / 3600 if closed and resolved[item] else None
            facts.append(
                {
                    "item": item,
                    "repository": record["repository"],
                    "author": (record["user"] or {}).get("login"),
                    "topic": TOPICS.get(record["title"]),
                    "opened": opened,
                    "closed": closed,
                    "hours": hours,
                }
            )
    assert sum(fact["hours"] is not None for fact in facts) > 30
    return facts


def assert_feature(
    database: duckdb.DuckDBPyConnection, feature: str, expected: Callable[[str], object]
) -> None:
    """Compare one column of the training relation with its definition, item by item."""
    rows = database.sql(f"select item_id, {feature} from training.train_tickets order by item_id").fetchall()
    wrong = [(item, value, expected(item)) for item, value in rows if value != pytest.approx(expected(item))]
    assert wrong == []
    assert len({value for _, value in rows}) > 2, "a constant column proves nothing"


def test_history_of_the_author(database: duckdb.DuckDBPyConnection, issues: Facts) -> None:
    by_item = {fact["item"]: fact for fact in issues}

    def own(item: str, *, here: bool = False) -> Facts:
        it = by_item[item]
        if it["author"] in (None, "ghost", "gopherbot"):
            return []
        return [
            fact
            for fact in issues
            if fact["author"] == it["author"]
            and fact["opened"] < it["opened"]
            and (not here or fact["repository"] == it["repository"])
        ]

    def before(item: str, time: datetime | None) -> bool:
        return time is not None and time < by_item[item]["opened"]

    def log_hours(item: str) -> float | None:
        known = [f for f in own(item) if f["hours"] is not None and before(item, end_of_day(f["closed"]))]
        return median(math.log1p(fact["hours"]) for fact in known) if known else None

    assert_feature(database, "author_issues_opened", lambda item: len(own(item)))
    assert_feature(database, "contributor_issues_opened", lambda item: len(own(item, here=True)))
    assert_feature(
        database, "author_issues_closed", lambda item: sum(before(item, f["closed"]) for f in own(item))
    )
    assert_feature(database, "author_median_log_hours", log_hours)


def test_people_are_seen_in_comments_and_pull_requests(
    database: duckdb.DuckDBPyConnection, records: list[Record], issues: Facts
) -> None:
    acts: dict[str, list[tuple[str, datetime, str]]] = {}
    for record in records:
        everything = [
            (record["user"], record["created_at"], "pull request" if record["pull_request"] else "issue")
        ]
        everything += [(entry["user"], entry["created_at"], "comment") for entry in record["comments_data"]]
        for user, time, kind in everything:
            if user and user["login"] not in (None, "ghost", "gopherbot"):
                acts.setdefault(user["login"], []).append(
                    (record["repository"], moment(time) or datetime.min, kind)
                )
    by_item = {fact["item"]: fact for fact in issues}

    def earlier(item: str, kind: str | None = None) -> list[datetime]:
        it = by_item[item]
        return [t for _, t, k in acts.get(it["author"], []) if t < it["opened"] and kind in (None, k)]

    def days_since_first(item: str) -> float | None:
        seen = earlier(item)
        return (by_item[item]["opened"] - min(seen)).total_seconds() / 86400 if seen else None

    assert_feature(database, "author_comments", lambda item: len(earlier(item, "comment")))
    assert_feature(database, "author_pull_requests_opened", lambda item: len(earlier(item, "pull request")))
    assert_feature(database, "author_days_since_first_seen", days_since_first)


def test_state_of_the_repository(
    database: duckdb.DuckDBPyConnection, issues: Facts, records: list[Record]
) -> None:
    by_item = {fact["item"]: fact for fact in issues}
    first = {
        name: min(fact["opened"] for fact in issues if fact["repository"] == name).date()
        for name in {fact["repository"] for fact in issues}
    }

    def state(item: str) -> tuple[datetime, Facts] | None:
        """The midnight before T (strictly) and the repository's issues; none on a repository's first day."""
        it = by_item[item]
        midnight = datetime(it["opened"].year, it["opened"].month, it["opened"].day)
        if midnight.date() <= first[it["repository"]]:
            return None
        return midnight, [fact for fact in issues if fact["repository"] == it["repository"]]

    def on(item: str, measure: Callable[[datetime, Facts], object]) -> object:
        known = state(item)
        return measure(*known) if known else None

    def within(time: datetime | None, midnight: datetime, days: int) -> bool:
        return time is not None and midnight - timedelta(days=days) <= time < midnight

    def backlog(midnight: datetime, facts: Facts) -> int:
        return sum(f["opened"] < midnight and not (f["closed"] and f["closed"] < midnight) for f in facts)

    def speed(midnight: datetime, facts: Facts) -> float | None:
        known = [
            math.log1p(f["hours"])
            for f in facts
            if f["hours"] is not None and within(f["closed"], midnight, 90)
        ]
        return median(known) if known else None

    def share(midnight: datetime, facts: Facts) -> float | None:
        horizon, decided = timedelta(days=7), []
        for fact in facts:
            in_time = fact["closed"] is not None and fact["closed"] <= fact["opened"] + horizon
            if within(fact["opened"] + horizon, midnight, 180) and not (in_time and fact["hours"] is None):
                decided.append(in_time)
        return sum(decided) / len(decided) if decided else None

    people = [
        (record["repository"], user["login"], moment(time))
        for record in records
        for user, time in [(record["user"], record["created_at"])]
        + [(entry["user"], entry["created_at"]) for entry in record["comments_data"]]
        if user and user["login"] not in (None, "ghost", "gopherbot")
    ]

    def active(midnight: datetime, facts: Facts) -> int:
        name = facts[0]["repository"]
        return len({who for where, who, time in people if where == name and within(time, midnight, 30)})

    assert_feature(database, "repository_open_backlog", lambda item: on(item, backlog))
    assert_feature(
        database,
        "repository_closed_30d",
        lambda item: on(item, lambda at, facts: sum(within(f["closed"], at, 30) for f in facts)),
    )
    assert_feature(database, "repository_median_log_hours_90d", lambda item: on(item, speed))
    assert_feature(database, "repository_share_resolved_7d", lambda item: on(item, share))
    assert_feature(database, "repository_active_people_30d", lambda item: on(item, active))


def test_history_of_the_topic(database: duckdb.DuckDBPyConnection, issues: Facts) -> None:
    by_item = {fact["item"]: fact for fact in issues}

    def opened(item: str) -> int:
        it = by_item[item]
        return sum(
            it["topic"] is not None
            and fact["topic"] == it["topic"]
            and fact["repository"] == it["repository"]
            and fact["opened"] < it["opened"]
            for fact in issues
        )

    assert_feature(database, "topic_issues_opened", opened)


def test_an_assignee_counts_only_where_an_event_proves_it(database: duckdb.DuckDBPyConnection) -> None:
    rows = database.sql("select is_assigned, assignee_open_load from training.train_tickets").fetchall()
    assert set(rows) == {(False, 0)}, "nobody is assigned before an issue exists, whatever the record says"
    (proven,) = database.sql(
        "select count(*) from intermediate.int_assignee__history where open_load > 0"
    ).fetchall()[0]
    assert proven > 0
