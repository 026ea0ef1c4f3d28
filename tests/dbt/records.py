"""Raw records for the transform tests: random histories, and the world as it was before a cut-off.

No database and no dbt here.
"""

import copy
import json
import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

Record = dict[str, Any]

START = datetime(2020, 1, 6)
PEOPLE = ["ada", "bob", "cyd", "dan", "eve", "build[bot]", "ghost", "gopherbot", None]
TITLES = ["net/http: hangs", "cmd/go, net: fails", "[lexer] wrong token", "crash in C++?", "no prefix here"]


def iso(moment: datetime | None) -> str | None:
    """Write a time as GitHub does."""
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def random_records(seed: int, repositories: int = 3, items: int = 120, days: int = 150) -> list[Record]:
    """Return issues and pull requests with everything that occurs in real archives, oddities included.

    The first repository was imported: its first closings all fall on one day. The second was tidied up once.
    """
    rng = random.Random(seed)
    records: list[Record] = []
    for index in range(repositories):
        name = f"owner/repo{index}"
        records += _repository(rng, name, items, days, imported=index == 0, tidied=index == 1)
    return records


def _repository(
    rng: random.Random, name: str, items: int, days: int, *, imported: bool, tidied: bool
) -> Iterable[Record]:
    created = sorted(START + timedelta(seconds=rng.randrange(days * 86400)) for _ in range(items))
    special_day = START + timedelta(days=days // 2)
    for number, opened in enumerate(created, start=1):
        closed = None
        if rng.random() < 0.7:
            closed = opened + timedelta(
                hours=rng.choice([0, 1, 5, 30, 200, 1500]), seconds=rng.randrange(2) * 60
            )
        if opened < special_day and (imported or tidied):
            in_bulk = special_day + timedelta(seconds=rng.randrange(86400))
            # Nothing is closed before an import, and what is not imported as closed is closed later or never.
            keeps_its_closing = tidied and rng.random() < 0.4
            if not keeps_its_closing:
                later = closed and closed + timedelta(days=days)
                closed = in_bulk if rng.random() < 0.8 else later
        end = START + timedelta(days=days)
        if closed is not None and closed > end:
            closed = None
        yield _record(rng, name, number, opened, closed, end)


def _record(
    rng: random.Random, repository: str, number: int, opened: datetime, closed: datetime | None, end: datetime
) -> Record:
    def moment() -> datetime:
        return min(opened + timedelta(hours=rng.randrange(600)), end)

    author, assignee = rng.choice(PEOPLE), rng.choice(PEOPLE[:5])
    assigned_at = moment()
    record = {
        "repository": repository,
        "number": number,
        "title": rng.choice(TITLES),
        "body": rng.choice(
            [None, "Traceback (most recent call last):\nsee #1 and @ada", "It is slow.\n```\ncode\n```"]
        ),
        "state": "closed" if closed or rng.random() < 0.02 else "open",
        "created_at": iso(opened),
        "updated_at": iso(moment()),
        "closed_at": iso(closed),
        "user": author and {"login": author, "type": "User"},
        "author_association": rng.choice([None, "MEMBER", "NONE"]),
        "assignees": rng.choice([None, [], [{"login": assignee}]]),
        "labels": [{"name": name} for name in rng.sample(["bug", "closed:wontfix", "c++"], rng.randrange(3))],
        "comments": rng.randrange(9),
        "pull_request": rng.choice([None, None, True]),
        "comments_data": [
            {"user": {"login": rng.choice(PEOPLE[:6])}, "created_at": iso(moment()), "body": "hm"}
            for _ in range(rng.randrange(3))
        ],
        "events": rng.choice(
            [
                None,
                [
                    {"event": "assigned", "created_at": iso(assigned_at), "assignee": {"login": assignee}},
                    {"event": "unassigned", "created_at": iso(moment()), "assignee": {"login": assignee}},
                    {"event": "labeled", "created_at": iso(moment()), "label": {"name": "bug"}},
                ],
            ]
        ),
    }
    return _with_closings(random.Random(f"{repository}#{number}"), record, opened, closed)


def _with_closings(rng: random.Random, record: Record, opened: datetime, closed: datetime | None) -> Record:
    """Return the record with what tells of its closings: who, with which words, and which was not the last.

    A stream of random numbers of its own leaves all other facts as they were.
    """
    end = closed or START + timedelta(days=400)
    between = sorted(opened + (end - opened) * rng.random() for _ in range(2))
    words = rng.choice(
        [None, "Closing as stale.", "Moved to owner/other#7", "Fixed in 1.2", "Duplicate of #1"]
    )
    closer = rng.choice([None, *PEOPLE[:4], "stale[bot]"])
    told = rng.choice(
        [
            [],
            [{"event": "labeled", "created_at": iso(between[0]), "label": {"name": "stale"}}],
            [
                {"event": "closed", "created_at": iso(between[0]), "actor": {"login": "ada"}},
                {"event": "reopened", "created_at": iso(between[1]), "actor": {"login": "bob"}},
            ],
        ]
    )
    said = {"user": {"login": rng.choice(PEOPLE[:6])}, "created_at": iso(closed), "body": words}
    return record | {
        "closed_by": closer and closed and {"login": closer},
        "comments_data": [*record["comments_data"], *([said] if closed and words else [])],
        "events": record["events"] and [*record["events"], *told],
    }


def undo_after(
    records: Iterable[Record], cut: datetime, *, knows_who_had_closed_ones: bool = False
) -> list[Record]:
    """Return the records as they could have been read at ``cut``: later facts are gone.

    Values that are as of the crawl and carry no time (labels, assignees, counts, …) are scrambled: nothing
    that is known at an earlier time may depend on them. Who closed what was closed by then is known. With
    ``knows_who_had_closed_ones`` the assignees of what was closed by then are kept: they are taken as known
    at the closing.
    """
    limit = iso(cut) or ""
    earlier = []
    for record in records:
        if record["created_at"] >= limit:
            continue
        past = copy.copy(record)
        if past.get("closed_at") is None or past["closed_at"] >= limit:
            past |= {"closed_at": None, "state": "open", "closed_by": {"login": "scrambled"}}
        for key in ("comments_data", "events"):
            if past.get(key) is not None:
                past[key] = [entry for entry in past[key] if entry["created_at"] < limit]
        past |= {
            "updated_at": past["created_at"],
            "author_association": "SCRAMBLED",
            "labels": [{"name": "scrambled"}],
            "assignees": [{"login": "scrambled"}],
            "milestone": {"title": "scrambled"},
            "state_reason": "scrambled",
            "comments": 99,
            "locked": True,
        }
        if knows_who_had_closed_ones and past["closed_at"] is not None:
            is_assigned_later = any(
                entry["event"] == "assigned" and entry["created_at"] >= limit
                for entry in record["events"] or []
            )
            past["assignees"] = None if is_assigned_later else record["assignees"]
        earlier.append(past)
    return earlier


def raw_rows(records: Iterable[Record]) -> list[dict[str, Any]]:
    """Return the rows of ``raw.issues``."""
    return [
        {"repository": record["repository"], "number": record["number"], "record": json.dumps(record)}
        for record in records
    ]
