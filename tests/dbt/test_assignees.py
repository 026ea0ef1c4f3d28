"""Who should take an issue: the candidates and their features against their definitions, and time travel."""

import re
from datetime import date, datetime, timedelta
from typing import Any

import duckdb
import pytest

from tests.dbt.conftest import Models, Transform, run_models
from tests.dbt.records import START, Record, random_records, undo_after
from tests.dbt.test_features import TOPICS, moment
from tests.dbt.test_time_travel import read
from tests.paths import ISSUES

READS = (
    "training.train_assignees",
    "training.assignees_open",
    "training.label_assignees",
    "intermediate.int_assignment__question",
    "intermediate.int_issue__handler",
)

FEATURES = "columns(lambda name: not starts_with(name, 'slice_'))"
NOBODY = (None, "ghost", "gopherbot", "build[bot]")


def rows_of(database: duckdb.DuckDBPyConnection, where: str = "true") -> dict[str, dict[str, Any]]:
    frame = database.sql(f"select {FEATURES} from training.train_assignees where {where}").df()
    return {row["item_id"]: row for row in frame.astype(object).where(frame.notna(), None).to_dict("records")}


def changed(full: duckdb.DuckDBPyConnection, past: duckdb.DuckDBPyConnection, cut: datetime) -> list[str]:
    """What differs between the questions that could be read at the cut-off, and the same ones later."""
    now, then = (rows_of(world, f"event_at < '{cut}'") for world in (full, past))
    asked = {row["group_id"] for row in then.values()}
    now = {name: row for name, row in now.items() if row["group_id"] in asked}
    assert len(then) > 2
    differing = sorted(set(now) ^ set(then))
    for name in set(now) & set(then):
        differing += [
            f"{column} of {name}" for column, value in then[name].items() if now[name][column] != value
        ]
    return differing


@pytest.mark.parametrize("seed", [1, 2])
def test_later_facts_change_no_candidate_and_no_feature(transform: Transform, seed: int) -> None:
    records = random_records(seed, items=250)
    full = transform(records)
    for day in (40, 75.5, 76, 110):
        cut = START + timedelta(days=day)
        assert changed(full, transform(undo_after(records, cut, knows_who_had_closed_ones=True)), cut) == []


@pytest.mark.parametrize(
    ("honest", "leaking"),
    [
        (
            "observed.event_at > matched.available_at",
            "observed.event_at > matched.available_at - interval 9 days",
        ),
        ("closed_at::date as day", "closed_at::date - 9 as day"),
        ("shared.day > histories.day", "shared.day + 60 > histories.day"),
    ],
)
def test_a_leak_is_caught(models: Models, honest: str, leaking: str) -> None:
    leaky = [(name, sql.replace(honest, leaking)) for name, sql in models]
    assert leaky != models
    records, cut = random_records(1, items=250), START + timedelta(days=110)
    past = undo_after(records, cut, knows_who_had_closed_ones=True)
    with run_models(leaky, records) as full, run_models(leaky, past) as then:
        assert changed(full, then, cut) != []


class World:
    """The facts of the records as plain Python, looked at naively."""

    def __init__(self, records: list[Record]) -> None:
        self.issues: dict[str, dict[str, Any]] = {}
        self.acts: list[tuple[str, str, date]] = []
        self.comments: list[tuple[str, str, datetime]] = []
        for record in records:
            item = f"{record['repository']}#{record['number']}"
            author = (record["user"] or {}).get("login")
            opened, closed = moment(record["created_at"]), moment(record["closed_at"])
            assert opened is not None
            said = [(item, c["user"]["login"], moment(c["created_at"])) for c in record["comments_data"]]
            self.acts += [
                (record["repository"], who, when.date())
                for who, when in [(author, opened), *((who, when) for _, who, when in said if when)]
                if who not in NOBODY
            ]
            if record["pull_request"]:
                continue
            self.comments += [(item, who, when) for _, who, when in said if when and who not in NOBODY]
            self.issues[item] = {
                "repository": record["repository"],
                "author": author,
                "opened": opened,
                "closed": closed,
                "topic": TOPICS.get(record["title"]),
                "words": set(re.findall(r"[a-z][a-z0-9_+#./-]{2,30}", record["title"].lower())),
                "labelled": self._labelled(record, closed),
                "handlers": self._handlers(record, opened, closed),
            }

    @staticmethod
    def _labelled(record: Record, closed: datetime | None) -> dict[str, datetime]:
        """The labels by the word that they are, each with the first time that it was set before the end."""
        first: dict[str, datetime] = {}
        for event in record["events"] or []:
            at = moment(event["created_at"])
            if event["event"] == "labeled" and at and not (closed and at >= closed):
                word = f"label:{event['label']['name'].lower()}"
                first[word] = min(at, first.get(word, at))
        return first

    @staticmethod
    def _handlers(record: Record, opened: datetime, closed: datetime | None) -> set[str]:
        if closed is None or closed < opened:
            return set()
        events = [
            e
            for e in record["events"] or []
            if e["event"] in ("assigned", "unassigned") and e.get("assignee")
        ]
        if any(e["event"] == "assigned" for e in events):
            had: set[str] = set()
            for event in sorted(events, key=lambda e: e["created_at"]):
                who, when = event["assignee"]["login"], moment(event["created_at"])
                assert when is not None
                if when < closed:
                    (had.add if event["event"] == "assigned" else had.discard)(who)
            return had - set(NOBODY)
        return {a["login"] for a in record["assignees"] or []} - set(NOBODY)

    def handled(self, who: str, repository: str, before: date, **where: Any) -> list[dict[str, Any]]:
        return [
            issue
            for issue in self.issues.values()
            if who in issue["handlers"]
            and issue["repository"] == repository
            and issue["closed"].date() < before
            and all(issue[key] == value for key, value in where.items())
        ]

    def acted(self, who: str, repository: str, before: date, days: int) -> int:
        start = before - timedelta(days=days)
        return sum(w == who and r == repository and start <= on < before for r, w, on in self.acts)

    def seen(self, repository: str, before: date) -> set[str]:
        people = {who for r, who, _ in self.acts if r == repository}
        people |= {who for issue in self.issues.values() for who in issue["handlers"]}
        start = before - timedelta(days=180)
        return {
            who
            for who in people
            if self.acted(who, repository, before, 180)
            or any(issue["closed"].date() >= start for issue in self.handled(who, repository, before))
        }

    def involved(self, who: str, repository: str, before: date) -> int:
        count = 0
        for item, issue in self.issues.items():
            closed = issue["closed"]
            if issue["repository"] != repository or (closed and closed.date() < before):
                continue
            count += any(
                i == item and w == who and when.date() < before and not (closed and when >= closed)
                for i, w, when in self.comments
            )
        return count

    def word_shares(self, who: str, item: str, before: date) -> list[float]:
        issue, shares = self.issues[item], []
        labels = {word for word, at in issue["labelled"].items() if at.date() < before}
        for word in issue["words"] | labels:
            everybodys = [
                (name, other)
                for other in self.issues.values()
                for name in other["handlers"]
                if other["repository"] == issue["repository"]
                and (word in other["words"] or word in other["labelled"])
                and other["closed"].date() < before
            ]
            own = sum(name == who for name, _ in everybodys)
            if own:
                shares.append(own / (len(everybodys) + 2))
        return shares


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return random_records(21, items=150)


@pytest.fixture(scope="module")
def database(transform: Transform, records: list[Record]) -> duckdb.DuckDBPyConnection:
    return transform(records)


def test_candidates_are_the_people_seen_before(
    database: duckdb.DuckDBPyConnection, records: list[Record]
) -> None:
    world = World(records)
    rows = rows_of(database)
    lists: dict[str, set[str]] = {}
    for row in rows.values():
        lists.setdefault(row["group_id"], set()).add(row["entity_id"])
    asked = {item: issue for item, issue in world.issues.items() if issue["handlers"]}
    days = dict(
        database.sql("select item_id, asked_at::date from intermediate.int_assignment__question").fetchall()
    )
    assert set(lists) <= set(asked) and len(lists) > 40
    for item, issue in asked.items():
        assert lists.get(item, set()) == world.seen(issue["repository"], days[item])


def test_features_are_what_they_are_said_to_be(
    database: duckdb.DuckDBPyConnection, records: list[Record]
) -> None:
    world = World(records)
    rows = rows_of(database)
    moved: dict[str, set[Any]] = {}
    for row in list(rows.values())[::3]:
        who, item = row["entity_id"], row["group_id"]
        issue = world.issues[item]
        repository, day = issue["repository"], row["event_at"].date()
        shares = world.word_shares(who, item, day)
        expected = {
            "acts_30d": world.acted(who, repository, day, 30),
            "acts_180d": world.acted(who, repository, day, 180),
            "handled_30d": sum(
                i["closed"].date() >= day - timedelta(days=30) for i in world.handled(who, repository, day)
            ),
            "handled_ever": len(world.handled(who, repository, day)),
            "author_handled": 0
            if issue["author"] in (None, "ghost", "gopherbot")
            else len(world.handled(who, repository, day, author=issue["author"])),
            "topic_handled": len(world.handled(who, repository, day, topic=issue["topic"]))
            if issue["topic"]
            else 0,
            "open_involved": world.involved(who, repository, day),
            "is_author": issue["author"] == who,
            "words_shared": len(shares),
            "word_affinity": pytest.approx(sum(shares), abs=1e-8),
            "word_affinity_max": pytest.approx(max(shares, default=0), abs=1e-8),
        }
        for name, value in expected.items():
            assert row[name] == value, f"{name} of {row['item_id']}"
            moved.setdefault(name, set()).add(row[name])
    assert all(len(values) > 1 for values in moved.values()), "a constant column proves nothing"


def test_the_label_is_who_had_it_when_it_was_closed(
    database: duckdb.DuckDBPyConnection, records: list[Record]
) -> None:
    world = World(records)
    for item_id, y, labelled_at in database.sql(
        "select item_id, y, labelled_at from training.label_assignees"
    ).fetchall():
        item, _, who = item_id.partition("|")
        issue = world.issues[item]
        assert y == float(who in issue["handlers"])
        assert labelled_at.date() == issue["closed"].date() + timedelta(days=1)


def issue(number: int, **values: Any) -> Record:
    """A closed issue of one repository, opened on day `number`."""
    opened = START + timedelta(days=number)
    return {
        "repository": "o/r",
        "number": number,
        "title": f"title {number}",
        "body": None,
        "state": "closed",
        "created_at": f"{opened:%Y-%m-%dT12:00:00Z}",
        "updated_at": f"{opened:%Y-%m-%dT12:00:00Z}",
        "closed_at": f"{opened + timedelta(days=5):%Y-%m-%dT12:00:00Z}",
        "user": {"login": "ada"},
        "assignees": [],
        "labels": [],
        "comments_data": [],
        "events": None,
        **values,
    }


def event(kind: str, day: int, who: str) -> dict[str, Any]:
    return {
        "event": kind,
        "created_at": f"{START + timedelta(days=day):%Y-%m-%dT00:00:00Z}",
        "assignee": {"login": who},
    }


@pytest.mark.parametrize(
    ("values", "handlers"),
    [
        ({"assignees": [{"login": "bob"}, {"login": "cyd"}]}, {"bob", "cyd"}),
        ({"assignees": [{"login": "bob"}, {"login": "build[bot]"}, {"login": "ghost"}]}, {"bob"}),
        ({"assignees": None}, set()),
        ({"assignees": [{"login": "bob"}], "state": "open", "closed_at": None}, set()),
        ({"assignees": [{"login": "bob"}], "events": [event("assigned", 11, "dan")]}, {"dan"}),
        ({"events": [event("assigned", 11, "dan"), event("unassigned", 12, "dan")]}, set()),
        ({"events": [event("assigned", 11, "dan"), event("unassigned", 20, "dan")]}, {"dan"}),
        ({"assignees": [{"login": "dan"}], "events": [event("assigned", 20, "dan")]}, set()),
    ],
)
def test_who_had_an_issue(transform: Transform, values: dict[str, Any], handlers: set[str]) -> None:
    database = transform([issue(1, assignees=[{"login": "eve"}]), issue(10, **values)])
    found = database.sql(
        "select login from intermediate.int_issue__handler where item_id = 'o/r#10'"
    ).fetchall()
    assert {login for (login,) in found} == handlers


def test_an_issue_is_asked_about_when_it_was_assigned_or_else_opened(transform: Transform) -> None:
    database = transform(
        [
            issue(1, assignees=[{"login": "bob"}]),
            issue(
                10,
                events=[
                    event("assigned", 11, "dan"),
                    event("unassigned", 12, "dan"),
                    event("assigned", 13, "bob"),
                ],
            ),
            issue(20, state="open", closed_at=None, body="cc @Bob-2 and bob"),
        ]
    )
    asked = {
        item: (str(at), answered)
        for item, at, answered in database.sql(
            "select item_id, asked_at, is_answered from intermediate.int_assignment__question"
        ).fetchall()
    }
    last = START + timedelta(days=20, hours=12)
    assert asked == {
        "o/r#1": (str(START + timedelta(days=1, hours=12)), True),
        "o/r#10": (str(START + timedelta(days=13)), True),
        "o/r#20": (str(last), False),
    }
    lists = database.sql(
        "select group_id, list(entity_id order by entity_id) from training.assignees_open group by 1"
    ).fetchall()
    assert lists == [("o/r#20", ["ada", "bob"])]
    assert database.sql(
        "select count(*) from training.train_assignees where group_id = 'o/r#20'"
    ).fetchall() == [(0,)]


def test_labels_count_as_words_where_an_event_dates_them(transform: Transform) -> None:
    def labelled(number: int, day: int, **values: Any) -> Record:
        when = f"{START + timedelta(days=day):%Y-%m-%dT00:00:00Z}"
        named = {"event": "labeled", "created_at": when, "label": {"name": "Parser"}}
        return issue(number, events=[named], labels=[{"name": "Parser"}, {"name": "undated"}], **values)

    database = transform(
        [
            labelled(1, 2, assignees=[{"login": "bob"}]),
            labelled(10, 11, state="open", closed_at=None, title="first"),
            issue(30, state="open", closed_at=None, title="second"),
        ]
    )
    words = dict(
        database.sql(
            "select group_id, word_affinity from training.assignees_open where entity_id = 'bob'"
        ).fetchall()
    )
    assert words == {"o/r#10": pytest.approx(1 / 3), "o/r#30": 0}


@pytest.mark.skipif(not ISSUES.exists(), reason="the corpus is not on this machine")
def test_later_facts_change_no_candidate_of_real_issues(transform: Transform) -> None:
    names = ["bitcoin-core__gui", "ietf-rats-wg__draft-ietf-rats-corim", "quicwg__ops-drafts"]
    records = read([ISSUES / f"{name}.jsonl.gz" for name in names])
    full = transform(records)
    for cut in (datetime(2019, 6, 1, 12), datetime(2023, 11, 8)):
        past = transform(undo_after(records, cut, knows_who_had_closed_ones=True))
        assert changed(full, past, cut) == []
