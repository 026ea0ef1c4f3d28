"""The transport: tokens, waits, deadlines and the one server that it talks to."""

import time
from datetime import timedelta

import pytest

from orchestration.domains.tickets.sources.github.errors import (
    GitHubError,
    OutOfTimeError,
    PageTooLargeError,
    TokensRefusedError,
)
from orchestration.domains.tickets.sources.github.wire.tokens import Tokens
from tests.fake_github import TOKEN, Answer, Fault, Request, Wire, breakage
from tests.unit.orchestration.tickets.github.served import NAME, serving, transport, world_of

PATH = f"/repos/{NAME}"
QUERY = "query { rateLimit { cost limit remaining resetAt } viewer { login } }"


def everything(request: Request) -> bool:
    return True


def answering(status: int, body: object = None, wire: Wire | None = None, **headers: str) -> Fault:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fault(everything, lambda request, right: Answer(status, body, named, wire))


def test_the_token_with_most_quota_left_is_used() -> None:
    users = {"first": "user-1", "second": "user-2"}
    with serving(world_of(1), tokens=users) as fake:
        fake.quota.used["user-1", "core"] = 4000
        fake.quota.resets["user-1", "core"] = int(fake.clock.time()) + 3600
        client = transport(fake, "first", "second")
        for _ in range(4):
            client.get(PATH)
        # Nothing is known of either at first.
        assert [request.token for request in fake.requests] == ["first", "second", "second", "second"]


def test_the_other_token_goes_on_when_one_is_used_up() -> None:
    users = {"first": "user-1", "second": "user-2"}
    with serving(world_of(1), tokens=users) as fake:
        for user in users.values():
            fake.quota.state(user, "core")
        fake.quota.exhaust("user-1", "core")
        client = transport(fake, "first", "second")
        assert client.get(PATH).status == 200
        assert sum(fake.clock.slept) == 0
        fake.quota.exhaust("user-2", "core")
        assert client.get(PATH).status == 200
        assert 3500 < sum(fake.clock.slept) <= 3601


def test_a_wait_that_ends_after_the_run_is_not_begun() -> None:
    with serving(world_of(1)) as fake:
        fake.quota.state("user-1", "core")
        fake.quota.exhaust("user-1", "core")
        client = transport(fake, budget_seconds=600)
        began = fake.clock.now()
        with pytest.raises(OutOfTimeError, match="run again after 2026-03-02 10:00:0") as stopped:
            client.get(PATH)
        assert fake.clock.slept == []
        assert stopped.value.resume_at - began > timedelta(minutes=59)


def test_no_request_is_sent_when_the_time_is_used_up() -> None:
    with serving(world_of(1)) as fake:
        client = transport(fake, budget_seconds=60)
        fake.clock.advance(61)
        with pytest.raises(OutOfTimeError):
            client.get(PATH)
        assert fake.requests == []


def test_there_is_a_sign_of_life_each_minute(caplog: pytest.LogCaptureFixture) -> None:
    with serving(world_of(1)) as fake:
        fake.faults.append(answering(403, {"message": "secondary rate limit"}, retry_after="180"))
        with caplog.at_level("INFO", "orchestration"):
            transport(fake).get(PATH)
        assert fake.clock.slept == [60, 60, 60]
        assert len([record for record in caplog.records if "Waiting" in record.getMessage()]) == 3


@pytest.mark.parametrize(
    "wire", [Wire(pause=0.05), Wire(silence=3), Wire(reset=True), Wire(send=10)], ids=repr
)
def test_no_request_lasts_longer_than_it_may(wire: Wire) -> None:
    """A byte now and then never times out by itself."""
    with serving(world_of(1)) as fake:
        fake.faults.append(answering(200, b'{"a": "' + b"x" * 200 + b'"}', wire))
        started = time.perf_counter()
        assert transport(fake, deadline_seconds=0.5).get(PATH).document["full_name"] == NAME
        assert time.perf_counter() - started < 2.5
        assert len(fake.requests) == 2


def test_an_answer_without_a_length_that_was_cut_by_us_is_not_taken_for_whole() -> None:
    with serving(world_of(1)) as fake:
        whole_so_far = b"[" + b" " * 200 + b"]"
        headers = {"Content-Length": None, "Connection": "close"}
        slow = Answer(200, whole_so_far, headers, Wire(pause=0.05))  # type: ignore[arg-type]
        fake.faults.append(Fault(everything, lambda request, right: slow))
        assert transport(fake, deadline_seconds=0.5).get(PATH).document["full_name"] == NAME


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:9/", "https://127.0.0.1/", "http://example.org/", "//example.org/"]
)
def test_the_token_goes_to_no_other_server(target: str) -> None:
    with serving(world_of(1)) as fake:
        fake.faults.append(answering(301, {}, Location=target))
        client = transport(fake)
        with pytest.raises(GitHubError, match="another server"):
            client.get(PATH)
        with pytest.raises(GitHubError, match="another server"):
            client.get("http://example.org/next")
        assert len(fake.requests) == 1


def test_the_token_is_in_no_text() -> None:
    with serving(world_of(1)) as fake:
        fake.faults.append(answering(400, {"message": f"who is {TOKEN}?"}))
        client = transport(fake)
        with pytest.raises(GitHubError, match=r"who is \[token\]\?") as failed:
            client.get(PATH)
        fake.faults.append(answering(200, {"id": TOKEN}))
        assert TOKEN.encode() not in client.get(PATH).body
        assert TOKEN not in repr(vars(client)) + repr(failed.value)


@pytest.mark.parametrize("token", ["two words", "quote'", "line\nbreak", "ümlaut"])
def test_a_text_that_can_be_no_token_is_refused_unseen(token: str) -> None:
    with pytest.raises(GitHubError, match="Token 2 of GITHUB_TOKEN") as refused:
        Tokens(["good", token])
    assert token not in str(refused.value)


def test_a_missing_or_refused_token_says_what_to_do() -> None:
    with pytest.raises(GitHubError, match=r"GITHUB_TOKEN=… into \.env"):
        Tokens([])
    with (
        serving(world_of(1)) as fake,
        pytest.raises(TokensRefusedError, match=r"Bad credentials.*GITHUB_TOKEN"),
    ):
        transport(fake, "wrong").get(PATH)


def test_a_page_that_is_too_large_is_the_callers_business() -> None:
    with serving(world_of(1)) as fake:
        fake.faults.append(Fault(everything, breakage.gateway_html(), times=None))
        client = transport(fake)
        with pytest.raises(PageTooLargeError):
            client.graphql(QUERY, {}, is_shrinkable=True)
        assert len(fake.requests) == 1 and sum(fake.clock.slept) == 1
        with pytest.raises(GitHubError, match="502"):
            client.graphql(QUERY, {}, is_shrinkable=False)
        assert len(fake.requests) == 7


def test_what_a_run_costs_is_counted() -> None:
    with serving(world_of(1)) as fake:
        client = transport(fake)
        client.graphql(QUERY, {}, is_shrinkable=False)
        client.get(PATH)
        assert (client.requests, client.points, client.left()) == (2, 1, 4999)


@pytest.mark.parametrize(
    ("base", "graphql"),
    [
        ("https://api.github.com", "https://api.github.com/graphql"),
        ("https://git.example.org/api/v3/", "https://git.example.org/api/graphql"),
    ],
)
def test_graphql_is_beside_the_rest_api(base: str, graphql: str) -> None:
    from orchestration.domains.tickets.sources.github.wire.transport import Transport

    assert Transport(["token"], base_url=base).graphql_url == graphql
