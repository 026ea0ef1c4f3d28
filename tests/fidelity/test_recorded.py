"""The client on answers of the real GitHub, which the octokit project recorded."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from orchestration.domains.tickets.sources.github.records import record_from_rest
from orchestration.domains.tickets.sources.github.walk.resolve import resolve
from orchestration.domains.tickets.sources.github.walk.single import fetch_list
from orchestration.domains.tickets.sources.github.wire.decide import Fatal, decide
from orchestration.domains.tickets.sources.github.wire.transport import Transport
from tests.fake_github import TOKEN, Answer, FakeGitHub, Fault, Request, running

pytestmark = pytest.mark.fidelity
GITHUB = "https://api.github.com"
# About the connection that was recorded, not about the answer.
_OF_THE_WIRE = ("content-length", "connection", "content-encoding", "transfer-encoding")


@pytest.fixture
def recorded(packages: Path) -> Callable[[str], list[dict[str, Any]]]:
    """The exchanges of one scenario."""
    scenarios = packages / "node_modules/@octokit/fixtures/scenarios/api.github.com"
    return lambda name: json.loads((scenarios / name / "normalized-fixture.json").read_text())


@contextmanager
def replaying(exchanges: list[dict[str, Any]]) -> Iterator[tuple[FakeGitHub, Transport]]:
    """A server that gives the recorded answers to GET requests, with its own address in them."""
    fake = FakeGitHub()

    def answer(request: Request, genuine: object) -> Answer:
        page = f"&page={request.query['page']}" if "page" in request.query else ""
        found = next(
            one
            for one in exchanges
            if one["method"] == "get"
            and one["path"].split("?")[0] == request.path
            and one["path"].endswith(page)
        )
        own = json.loads(json.dumps(found).replace(GITHUB, fake.base))
        headers = {name: str(value) for name, value in own["headers"].items() if name not in _OF_THE_WIRE}
        return Answer(own["status"], own["response"], headers)

    with running(fake, [Fault(lambda request: True, answer, times=None)]):
        transport = Transport((TOKEN,), base_url=fake.base, clock=fake.clock)
        yield fake, transport
        transport.close()


def test_pages_of_issues(recorded: Callable[[str], list[dict[str, Any]]]) -> None:
    with replaying(recorded("paginate-issues")) as (fake, transport):
        bodies = fetch_list(transport, "/repos/octokit-fixture-org/paginate-issues/issues")
        assert len(fake.requests) == len(bodies) == 5
    issues = [issue for body in bodies for issue in json.loads(body)]
    records = [record_from_rest(issue, [], [], "octokit-fixture-org/paginate-issues") for issue in issues]
    assert sorted(record["number"] for record in records) == list(range(1, 14))
    assert all(record["user"]["login"] and record["created_at"] for record in records)


def test_a_renamed_repository(recorded: Callable[[str], list[dict[str, Any]]], tmp_path: Path) -> None:
    with replaying(recorded("rename-repository")) as (fake, transport):
        identity, _ = resolve(transport, "octokit-fixture-org/rename-repository", tmp_path)
        assert [request.status for request in fake.requests] == [301, 200]
    assert (identity.id, identity.name) == (1000, "octokit-fixture-org/rename-repository-newname")


def test_a_validation_error(recorded: Callable[[str], list[dict[str, Any]]]) -> None:
    (exchange,) = recorded("errors")
    fake = FakeGitHub()
    headers = {name: str(value) for name, value in exchange["headers"].items()}
    body = json.dumps(exchange["response"]).encode()
    decision = decide(exchange["status"], headers, body, fake.clock.now(), 0)
    assert decision == Fatal("422 Validation Failed; invalid")
