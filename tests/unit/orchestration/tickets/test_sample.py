"""The sample: always the same, plainly synthetic, and something that a model can learn from."""

import gzip
import json
import math
import random
import statistics
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from orchestration.domains.tickets.sources.sample import SampleSource
from orchestration.domains.tickets.sources.sample_process import (
    REPOSITORIES,
    SNAPSHOT,
    Closing,
    Issue,
    draw_closing,
    draw_creation,
    expected_log_hours,
)
from orchestration.domains.tickets.sources.sample_text import KEYWORD_EFFECTS, compose


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    landed = SampleSource().land(tmp_path_factory.mktemp("landing"))
    return [json.loads(line) for file in landed for line in gzip.open(file.path)]


def at(time: str) -> datetime:
    return datetime.strptime(time, "%Y-%m-%dT%H:%M:%SZ")


def hours(record: dict[str, Any]) -> float:
    return (at(record["closed_at"]) - at(record["created_at"])).total_seconds() / 3600


def test_is_the_same_every_time(tmp_path: Path) -> None:
    first = SampleSource().land(tmp_path / "one")
    second = SampleSource().land(tmp_path / "two")
    assert [file.path.read_bytes() for file in first] == [file.path.read_bytes() for file in second]
    assert SampleSource().land(tmp_path / "one") == first


def test_counts(records: list[dict[str, Any]]) -> None:
    issues = Counter(record["repository"] for record in records if not record["pull_request"])
    assert issues == {repository.name: repository.issues for repository in REPOSITORIES}
    assert issues.total() == 3000
    assert len(records) == 3320
    assert len({(record["repository"], record["number"]) for record in records}) == len(records)
    assert len({record["id"] for record in records}) == len(records)


def test_is_plainly_synthetic(records: list[dict[str, Any]]) -> None:
    assert {record["source"] for record in records} == {"synthetic"}
    assert all(record["repository"].startswith("synthetic/") for record in records)


def test_nothing_happens_before_its_time(records: list[dict[str, Any]]) -> None:
    for record in records:
        created_at, updated_at = at(record["created_at"]), at(record["updated_at"])
        happenings = [*(record["events"] or []), *record["comments_data"]]
        assert all(created_at <= at(happening["created_at"]) <= updated_at for happening in happenings)
        assert created_at <= updated_at <= SNAPSHOT
        assert (record["state"] == "closed") == (record["closed_at"] is not None)
        assert record["comments"] == len(record["comments_data"])
        if record["closed_at"] and record["events"]:
            closings = [event for event in record["events"] if event["event"] == "closed"]
            assert closings[-1]["created_at"] == record["closed_at"]


def test_holds_the_traps_of_real_trackers(records: list[dict[str, Any]]) -> None:
    issues = [record for record in records if not record["pull_request"]]
    closed = [record for record in issues if record["closed_at"]]
    events = Counter(event["event"] for record in issues for event in record["events"] or [])
    closings = Counter((record["repository"], record["closed_at"][:10]) for record in closed)

    assert set(events) == {"labeled", "assigned", "closed", "reopened"}
    assert {record["user"] and record["user"].get("type") for record in records} == {"User", "Bot", None}
    assert any(record["user"] and record["user"]["login"] == "ghost" for record in issues)
    assert any(record["user"] is None for record in issues)
    assert any(hours(record) == 0 for record in closed)
    assert [pair for pair, count in closings.items() if count >= 20] == [
        ("synthetic/mobile-client", "2022-11-09")
    ]
    assert any(record["assignees"] is None for record in issues)
    assert any(record["assignees"] == [] for record in issues)
    assert any(record["body"] is None for record in issues)
    assert 0.03 < 1 - len(closed) / len(issues) < 0.15


def test_assignees_have_an_event_most_of_the_time(records: list[dict[str, Any]]) -> None:
    assigned = [record for record in records if record["assignees"] and record["events"] is not None]
    proven = [
        record for record in assigned if any(event["event"] == "assigned" for event in record["events"])
    ]
    assert 0.7 < len(proven) / len(assigned) < 1


def test_every_keyword_occurs(records: list[dict[str, Any]]) -> None:
    bodies = " ".join(record["body"] or "" for record in records)
    assert [word for word in KEYWORD_EFFECTS if f" {word}" not in bodies] == []


def test_every_repository_can_be_split(records: list[dict[str, Any]]) -> None:
    for repository in REPOSITORIES:
        own = sorted(
            (record for record in records if record["repository"] == repository.name),
            key=lambda record: record["created_at"],
        )
        train_end, validation_end = int(len(own) * 0.7), int(len(own) * 0.8)
        for part in (own[:train_end], own[train_end:validation_end], own[validation_end:]):
            assert sum(record["closed_at"] is not None for record in part) >= 30
        assert at(own[-1]["created_at"]) - at(own[0]["created_at"]) > (SNAPSHOT - datetime(2021, 2, 1))


def test_the_process_can_be_learned() -> None:
    """Who knows the process errs far less than who knows the repository's median only."""
    rng = random.Random(7)
    of_process, of_median = [], []
    for repository in REPOSITORIES:
        known, true = [], []
        for number in range(1, 400):
            kind = rng.choice(("bug", "enhancement", "question"))
            text = compose(rng, kind, repository.vocabulary, number, "someone")
            issue = Issue(number, kind, text, draw_creation(rng), rng.randrange(20), False)
            closing = draw_closing(rng, repository, issue)
            if closing and closing[1] in (Closing.RESOLVED, Closing.REOPENED):
                known.append(expected_log_hours(repository, issue))
                true.append(math.log((closing[0] - issue.created_at).total_seconds() / 3600))
        median = statistics.median(true)
        of_process += [abs(one - other) for one, other in zip(known, true, strict=True)]
        of_median += [abs(one - median) for one in true]
    assert statistics.mean(of_process) < 0.7 * statistics.mean(of_median)
