"""The table of answers: what the client does about each, by the number of the fault."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.domains.tickets.sources.github.wire.decide import (
    MAX_ATTEMPTS,
    Decision,
    Fatal,
    Ok,
    Rotate,
    Shrink,
    Skip,
    Wait,
    decide,
)
from orchestration.domains.tickets.sources.github.wire.headers import MAX_RESET_SECONDS

NOW = datetime(2026, 3, 2, 9, 0, 0, tzinfo=UTC)
DATE = "Mon, 02 Mar 2026 09:00:00 GMT"
EPOCH = int(NOW.timestamp())
PRIMARY = "API rate limit exceeded for user ID 1."
NODE, ISSUE = ["repository", "issues", "nodes", 3], ["repository", "issue"]
SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
WRONG = "Something went wrong while executing your query. This may be the result of a timeout."


def said(message: str) -> dict[str, Any]:
    return {"message": message, "documentation_url": "https://docs.github.com"}


def failed(kind: str | None, message: str, path: list[Any] | None = None, data: Any = None) -> dict[str, Any]:
    error: dict[str, Any] = {"message": message}
    error |= {"type": kind} if kind else {}
    error |= {"path": path} if path else {}
    return {"data": data, "errors": [error]}


def answer(
    status: int,
    body: Any = "",
    headers: dict[str, str] | None = None,
    *,
    attempt: int = 0,
    now: datetime = NOW,
) -> Decision:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decide(status, headers or {}, content, now, attempt)


def exhausted(reset: str | None = str(EPOCH + 1800), **more: str) -> dict[str, str]:
    headers = {"X-RateLimit-Remaining": "0", **more}
    return headers if reset is None else {**headers, "X-RateLimit-Reset": reset}


WAITS = [
    pytest.param(1, 403, said(PRIMARY), exhausted(), 1801, True, id="1 forbidden"),
    pytest.param(1, 429, said(PRIMARY), exhausted(), 1801, True, id="1 too many"),
    pytest.param(2, 403, said(SECONDARY), {"Retry-After": "60"}, 60, False, id="2 retry-after"),
    pytest.param(3, 403, said(SECONDARY), {}, 60, False, id="3 no header"),
    pytest.param(3, 429, said(SECONDARY), {}, 60, False, id="3 no header, 429"),
    pytest.param(3, 403, said(SECONDARY), {"Retry-After": "  "}, 60, False, id="3 blank"),
    pytest.param(
        3, 403, said(SECONDARY), {"Retry-After": "Mon, 02 Mar 2026 09:02:30 GMT"}, 150, False, id="3 date"
    ),
    pytest.param(3, 403, said(SECONDARY), {"Retry-After": "86400"}, 86400, False, id="3 a day"),
    pytest.param(4, 200, failed("RATE_LIMITED", PRIMARY), exhausted(), 1801, True, id="4 GraphQL"),
    pytest.param(5, 200, failed(None, SECONDARY), {}, 60, False, id="5 in a 200"),
    pytest.param(5, 200, said(SECONDARY), {}, 60, False, id="5 in a 200 of REST shape"),
    pytest.param(5, 403, failed(None, SECONDARY), {}, 60, False, id="5 in a 403"),
    pytest.param(15, 404, said("Not Found"), {}, 1, False, id="15 first 404"),
    pytest.param(
        15, 200, failed("NOT_FOUND", "Could not resolve", ["repository"], {"repository": None}), {}, 1, False,
        id="15 GraphQL",
    ),
    pytest.param(18, 401, said("Try again"), {}, 1, False, id="18 random 401"),
    pytest.param(21, 200, b"<html>Unicorn!</html>", {}, 1, False, id="21 HTML"),
    pytest.param(21, 200, b'{"data": {"repository', {}, 1, False, id="21 cut"),
    pytest.param(21, 0, b"connection reset", {}, 1, False, id="21 reset"),
    pytest.param(27, 403, said(PRIMARY), exhausted(str((EPOCH + 1800) * 1000)), 1801, True, id="27 millis"),
    pytest.param(27, 403, said(PRIMARY), exhausted(str(EPOCH - 5)), 60, False, id="27 past"),
    pytest.param(27, 403, said(PRIMARY), exhausted(None), 60, False, id="27 missing"),
    pytest.param(27, 403, said(PRIMARY), exhausted("soon"), 60, False, id="27 no number"),
    pytest.param(27, 403, said(PRIMARY), exhausted(str(EPOCH + 90_000)), 3700, True, id="27 far"),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "status", "body", "headers", "seconds", "is_free"), WAITS)
def test_it_waits(
    fault: int, status: int, body: Any, headers: dict[str, str], seconds: float, is_free: bool
) -> None:
    decision = answer(status, body, headers)
    assert isinstance(decision, Wait)
    assert (decision.seconds, decision.is_free) == (seconds, is_free)


OTHERS = [
    pytest.param(502, said(WRONG), {}, Shrink, id="6 JSON"),
    pytest.param(502, b"<html><center>nginx</center></html>", {}, Shrink, id="6 nginx"),
    pytest.param(504, b"", {}, Shrink, id="6 gateway"),
    pytest.param(200, failed(None, WRONG), {}, Shrink, id="7 in a 200"),
    pytest.param(200, {"data": None}, {}, Shrink, id="7 nothing at all"),
    pytest.param(200, said("timedout"), {}, Shrink, id="7 timedout"),
    pytest.param(
        200,
        failed("RESOURCE_LIMITS_EXCEEDED", "too much", NODE, {"repository": {}}),
        {},
        Shrink,
        id="8",
    ),
    pytest.param(410, said("This issue was deleted"), {}, Skip, id="16 deleted"),
    pytest.param(410, said("Issues are disabled for this repo"), {}, Skip, id="16 disabled"),
    pytest.param(
        200,
        failed("NOT_FOUND", "Could not resolve to an Issue with the number of 7.", ISSUE, {}),
        {},
        Skip,
        id="16 GraphQL",
    ),
    pytest.param(451, said("Repository access blocked"), {}, Skip, id="17"),
    pytest.param(401, said("Bad credentials"), {}, Rotate, id="18 bad credentials"),
    pytest.param(403, said("Resource not accessible by personal access token"), {}, Fatal, id="19"),
    pytest.param(403, said("x"), {"X-GitHub-SSO": "required; url=https://…"}, Fatal, id="19 SSO"),
    pytest.param(
        403, said("Resource not accessible by personal access token"), {"Retry-After": "60"}, Fatal,
        id="19 is not slept on",
    ),
    pytest.param(200, failed("FORBIDDEN", "no", ["repository"], {}), {}, Fatal, id="19 GraphQL"),
    pytest.param(304, b"", {}, Ok, id="20"),
    pytest.param(204, b"", {}, Ok, id="22 nothing"),
    pytest.param(200, [], {}, Ok, id="22 empty list"),
    pytest.param(422, said("Pagination with the page parameter"), {}, Fatal, id="11"),
    pytest.param(400, said("Problems parsing JSON"), {}, Fatal, id="our mistake"),
    pytest.param(200, failed(None, "Field 'x' doesn't exist"), {}, Fatal, id="a wrong query"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "headers", "kind"), OTHERS)
def test_it_does_something_else(
    status: int, body: Any, headers: dict[str, str], kind: type[Decision]
) -> None:
    assert type(answer(status, body, headers)) is kind


def test_one_node_that_is_missing_does_not_spoil_the_page() -> None:
    """Fault 9."""
    data = {"repository": {"issues": {"nodes": [{"number": 1}, None]}}}
    path = ["repository", "issues", "nodes", 1]
    for kind in ("FORBIDDEN", "NOT_FOUND"):
        decision = answer(200, failed(kind, "no", path, data))
        assert isinstance(decision, Ok)
        assert decision.document["data"] == data
        assert [(problem.path, problem.reason) for problem in decision.problems] == [
            (tuple(path), f"{kind}: no")
        ]


def test_being_asked_to_slow_down_doubles_and_ends() -> None:
    """Fault 2."""
    decisions = [answer(403, said(SECONDARY), {"retry-after": "60"}, attempt=attempt) for attempt in range(6)]
    assert [d.seconds for d in decisions if isinstance(d, Wait)] == [60, 120, 240, 480, 960]
    assert isinstance(decisions[-1], Fatal)


def test_a_404_ends_after_two_retries() -> None:
    assert [type(answer(404, said("Not Found"), attempt=attempt)) for attempt in range(3)] == [
        Wait,
        Wait,
        Skip,
    ]


def test_a_random_401_is_tried_once_more() -> None:
    assert isinstance(answer(401, said("Try again"), attempt=1), Rotate)


@pytest.mark.parametrize("hours", [-1, 1])
def test_the_servers_clock_counts(hours: int) -> None:
    """Fault 27: this machine's clock is an hour off."""
    decision = answer(403, said(PRIMARY), exhausted(Date=DATE), now=NOW + timedelta(hours=hours))
    assert decision == Wait(1801.0, f"quota used up: {PRIMARY}", is_free=True)


@given(
    st.integers(200, 599),
    st.dictionaries(
        st.sampled_from(
            ["retry-after", "x-ratelimit-reset", "x-ratelimit-remaining", "date", "x-github-sso"]
        ),
        st.one_of(st.text(max_size=20), st.integers(-(10**15), 10**15).map(str)),
    ),
    st.one_of(
        st.binary(max_size=50),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=10),
            lambda inner: st.lists(inner) | st.dictionaries(
                st.sampled_from(["errors", "data", "message", "type", "path"]), inner
            ),
            max_leaves=8,
        ).map(lambda value: json.dumps(value).encode()),
    ),
    st.integers(0, 10),
)  # fmt: skip
def test_any_answer_is_decided_and_no_wait_is_negative(
    status: int, headers: dict[str, str], body: bytes, attempt: int
) -> None:
    decision = decide(status, headers, body, NOW, attempt)
    if isinstance(decision, Wait):
        assert decision.seconds >= 1
        assert not decision.is_free or decision.seconds <= MAX_RESET_SECONDS
        assert decision.is_free or attempt < MAX_ATTEMPTS
