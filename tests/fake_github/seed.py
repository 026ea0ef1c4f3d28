"""Fills the fake: with records of a dump, or with any number of made-up issues."""

import gzip
import json
import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.fake_github.clock import iso
from tests.fake_github.state import Comment, Event, Issue, Label, Repository
from tests.fake_github.world import World

_TEXT = (
    "build fails when the cache is cold and the second worker starts before the first one has written its "
    "index so that lookup returns nothing although the file exists on disk expected a clear message"
)
_WORDS = _TEXT.split()


def read_dump(path: Path, limit: int | None = None) -> list[dict[str, Any]]:
    """The records of a `*.jsonl` or `*.jsonl.gz` dump."""
    records: list[dict[str, Any]] = []
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as lines:
        for line in lines:
            if limit is not None and len(records) >= limit:
                break
            records.append(json.loads(line))
    return records


def seed_records(world: World, records: Iterable[dict[str, Any]]) -> None:
    """Turn records of a dump into issues of the fake, repository by repository.

    What the dump does not know is left empty, with two exceptions that GitHub's schema demands: an issue has
    an id and an author association. Comments and events come from the record.
    """
    for record in records:
        repository = world.find(record["repository"]) or world.add_repository(record["repository"])
        repository.put(_issue_from(world, repository, record))


def generate_issues(world: World, full_name: str, count: int, seed: int = 0) -> Repository:
    """A repository with `count` issues: half an hour apart, four of five closed, a third assigned."""
    repository = world.find(full_name) or world.add_repository(full_name)
    draw = random.Random(seed)
    people = [world.actor(f"person-{index}") for index in range(40)]
    labels = [Label(7000 + index, f"area-{index}") for index in range(25)]
    bodies = [" ".join(draw.choices(_WORDS, k=draw.randint(20, 300))) for _ in range(997)]
    # Above 2^31, and apart from those of other repositories and of what is made later.
    ids = repository.id * 10**7
    first = world.clock.now().replace(microsecond=0) - timedelta(minutes=30 * (count + 48))
    for number in range(1, count + 1):
        opened = first + timedelta(minutes=30 * number)
        at = iso(opened)
        issue = Issue(
            ids + number,
            number,
            f"{draw.choice(_WORDS)} {draw.choice(_WORDS)} #{number}",
            bodies[number % 997],
            people[number % 40],
            at,
            at,
            author_association="CONTRIBUTOR",
            repository=repository,
        )
        repository.issues[number] = issue
        label = labels[number % 25]
        issue.labels.append(label)
        issue.events.append(Event(10 * ids + 4 * number, "labeled", at, people[3], label=label))
        if number % 3 == 0:
            who, later = people[number % 7], iso(opened + timedelta(minutes=7))
            issue.assignees.append(who)
            assigned = Event(10 * ids + 4 * number + 1, "assigned", later, people[3], assignee=who)
            issue.events.append(assigned)
            issue.updated_at = later
        if number % 5:
            # Scattered: in the order of the numbers, which stand in the titles, it would be told by the text.
            later = iso(opened + timedelta(minutes=11 + 7919 * number % 1200))
            issue.state, issue.state_reason, issue.closed_at = "closed", "completed", later
            issue.closed_by = people[number % 7]
            issue.events.append(
                Event(
                    10 * ids + 4 * number + 2, "closed", later, people[number % 7], state_reason="completed"
                )
            )
            issue.updated_at = later
    return repository


def _issue_from(world: World, repository: Repository, record: dict[str, Any]) -> Issue:
    people = {name: _person(world, record.get(name)) for name in ("user", "closed_by")}
    created = _time(record["created_at"])
    return Issue(
        record.get("id") or repository.id * 10**6 + record["number"],
        record["number"],
        record["title"] or "",
        record.get("body"),
        people["user"],
        created,
        _time(record.get("updated_at") or record.get("closed_at")) or created,
        record["state"],
        record.get("state_reason"),
        _time(record.get("closed_at")) or None,
        people["closed_by"],
        record.get("author_association") or "NONE",
        [who for one in record.get("assignees") or [] if (who := _person(world, one))],
        [Label(index, one["name"]) for index, one in enumerate(record.get("labels") or [])],
        (record.get("milestone") or {}).get("title"),
        bool(record.get("locked")),
        [
            Comment(
                world.new_id(),
                _person(world, one.get("user")),
                one.get("author_association") or "NONE",
                one.get("body") or "",
                _time(one["created_at"]),
                _time(one["created_at"]),
            )
            for one in record.get("comments_data") or []
        ],
        [_event_from(world, one) for one in record.get("events") or [] if one["event"] in _KINDS],
        bool(record.get("pull_request")),
    )


_KINDS = ("assigned", "unassigned", "labeled", "unlabeled", "closed", "reopened")


def _event_from(world: World, one: dict[str, Any]) -> Event:
    label = one.get("label")
    name = label.get("name") if isinstance(label, dict) else label
    return Event(
        world.new_id(),
        one["event"],
        _time(one["created_at"]),
        _person(world, one.get("actor")),
        _person(world, one.get("assignee")),
        Label(0, name or "") if one["event"] in ("labeled", "unlabeled") else None,
    )


def _person(world: World, record: Any) -> Any:
    login = record.get("login") if isinstance(record, dict) else record
    if not login:
        return None
    if login.endswith("[bot]"):
        return world.actor(login.removesuffix("[bot]"), "Bot")
    kind = record.get("type") if isinstance(record, dict) else None
    return world.actor(login, kind if kind in ("User", "Bot", "Organization", "Mannequin") else "User")


def _time(text: str | None) -> str:
    return "" if not text else iso(datetime.fromisoformat(text).astimezone(UTC))
