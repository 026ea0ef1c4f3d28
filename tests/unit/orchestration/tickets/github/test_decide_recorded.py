"""Answers as users of GitHub recorded them: other words, headers and places for the same things."""

import json
from typing import Any

import pytest

from orchestration.domains.tickets.sources.github.wire.decide import (
    Decision,
    Fatal,
    NodeProblem,
    Ok,
    Rotate,
    Shrink,
    Skip,
    Wait,
    decide,
)
from tests.unit.orchestration.tickets.github.test_decide import EPOCH, NOW

DOCS = "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api"
WAIT_A_BIT = "Please wait a few minutes before you try again."
ABUSE = f"You have triggered an abuse detection mechanism. {WAIT_A_BIT}"
BLOCKED = (
    "You have exceeded a secondary rate limit and have been temporarily blocked from content creation."
    " Please retry your request again later."
)
GOOD_NEWS = (
    "API rate limit exceeded for 203.0.113.7. (But here's the good news: Authenticated requests get a higher"
    " rate limit. Check out the documentation for more details.)"
)
ALREADY = "API rate limit already exceeded for user ID 1."
SAML = (
    "Resource protected by organization SAML enforcement. You must grant your Personal Access token access to"
    " this organization."
)
IP_LIST = (
    "Although you appear to have the correct authorization credentials, the `owner` organization has an IP"
    " allow list enabled, and 203.0.113.7 is not permitted to access this resource."
)
WHOA = (
    b"<!DOCTYPE html>\n<html><head><title>Rate limit</title><style>"
    + b"body { color: #333; } " * 400
    + b"</style></head><body><h1>Whoa there!</h1><p>You have triggered an abuse detection mechanism.</p>"
)
UNICORN = (
    b"<html><head><title>Unicorn! &middot; GitHub</title></head><body>No server is currently available</body>"
)
USED_UP = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(EPOCH + 1800)}
SOME_LEFT = {**USED_UP, "X-RateLimit-Remaining": "4"}
WRONG = "Something went wrong while executing your query on 2026-03-02T09:00:00Z. Please include `FA4E:1:2`."


def decided(status: int, body: Any, headers: dict[str, str], attempt: int = 0) -> Decision:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decide(status, headers, content, NOW, attempt)


def rest(message: str, url: str = DOCS) -> dict[str, str]:
    return {"message": message, "documentation_url": url, "status": "403"}


def graphql(data: Any = None, **error: Any) -> dict[str, Any]:
    return {"data": data, "errors": [error]}


WAITS = {
    "primary, without a user": (403, rest(GOOD_NEWS), USED_UP, 1801, True),
    "primary, of an installation": (
        *(403, rest("API rate limit exceeded for installation ID 9306189."), USED_UP),
        *(1801, True),
    ),
    "primary, with a Retry-After beside the reset": (
        *(403, rest(GOOD_NEWS), {**USED_UP, "Retry-After": "60"}),
        *(1801, True),
    ),
    "primary, with a Retry-After beyond the reset": (
        *(403, rest(GOOD_NEWS), {**USED_UP, "Retry-After": "2400"}),
        *(2400, False),
    ),
    "primary, in the headers only": (429, b"", USED_UP, 1801, True),
    "primary of GraphQL under its other name": (
        *(
            200,
            {"errors": [{"type": "RATE_LIMIT", "code": "graphql_rate_limit", "message": ALREADY}]},
            SOME_LEFT,
        ),
        *(1801, True),
    ),
    "primary of GraphQL without a type": (200, graphql(message=ALREADY), SOME_LEFT, 1801, True),
    "abuse detection": (403, rest(ABUSE), {"Retry-After": "30"}, 30, False),
    "abuse detection, as a page": (403, WHOA, {"Content-Type": "text/html"}, 60, False),
    "secondary, blocked": (403, rest(BLOCKED), {"X-RateLimit-Remaining": "4000"}, 60, False),
    "secondary, in the address only": (
        *(403, rest("Forbidden", DOCS + "#about-secondary-rate-limits"), {}),
        *(60, False),
    ),
    "secondary, with nothing left of the hour": (403, rest(BLOCKED), USED_UP, 1801, False),
    "secondary of GraphQL that calls itself the other one": (
        *(
            200,
            graphql(type="RATE_LIMITED", message=f"You have exceeded a secondary rate limit. {WAIT_A_BIT}"),
        ),
        *(USED_UP | {"Retry-After": "60"}, 60, False),
    ),
    "too many requests, without a word": (429, b"", {"Retry-After": "17"}, 17, False),
    "forbidden for a while, without a word": (403, b"", {"Retry-After": "17"}, 17, False),
    "partial results of other organisations": (
        *(403, rest(BLOCKED), {"X-GitHub-SSO": "partial-results; organizations=21955855"}),
        *(60, False),
    ),
    "a request that came too slowly": (408, b"<html>408 Request Time-out</html>", {}, 1, False),
}


@pytest.mark.parametrize("name", WAITS)
def test_it_waits(name: str) -> None:
    status, body, headers, seconds, is_free = WAITS[name]
    decision = decided(status, body, headers)
    assert isinstance(decision, Wait)
    assert (decision.seconds, decision.is_free) == (seconds, is_free)


SHRINKS = {
    "server error": (500, rest("Server Error"), {}, 1),
    "unicorn": (503, UNICORN, {}, 1),
    "unavailable for a while": (503, rest("Service unavailable"), {"Retry-After": "120"}, 120),
    "null in quotes": (502, {"data": "null", "errors": [{"message": WRONG}]}, {}, 1),
    "null in quotes, without an error": (200, {"data": "null"}, {}, 1),
    "the query took too long to check": (200, graphql(message="Timeout on validation of query"), {}, 1),
    "a field took too long": (
        *(200, graphql({"repository": None}, message="Timeout on Repository.issues", path=["repository"])),
        *({}, 1),
    ),
    "not in time": (200, rest("We couldn't respond to your request in time. Sorry about that."), {}, 1),
    "errors that are texts": (200, {"errors": [WRONG]}, {}, 1),
    "resource limits of everything": (
        *(200, graphql({"repository": None}, type="RESOURCE_LIMITS_EXCEEDED", message="Resource limits …")),
        *({}, 1),
    ),
}


@pytest.mark.parametrize("name", SHRINKS)
def test_it_asks_for_less(name: str) -> None:
    status, body, headers, seconds = SHRINKS[name]
    decision = decided(status, body, headers)
    assert isinstance(decision, Shrink)
    assert decision.seconds == seconds


ENDS: dict[str, tuple[int, Any, type[Decision], str]] = {
    "a suspended account": (403, rest("Sorry. Your account was suspended."), Rotate, "suspended"),
    "no credentials, twice": (401, rest("Requires authentication"), Rotate, "Requires authentication"),
    "single sign-on, by its message": (403, rest(SAML), Fatal, "SAML"),
    "single sign-on of GraphQL": (
        *(200, graphql({"repository": None}, type="FORBIDDEN", path=["repository"], message=SAML)),
        *(Fatal, "SAML"),
    ),
    "an allow list of addresses": (403, rest(IP_LIST), Fatal, "IP allow list"),
    "blocked by the terms of service": (403, rest("Repository access blocked"), Fatal, "blocked"),
    "not accessible by an integration": (
        *(403, rest("Resource not accessible by integration")),
        *(Fatal, "lacks a permission"),
    ),
    "scopes that the token lacks": (
        *(200, graphql(type="INSUFFICIENT_SCOPES", message="Your token has not been granted the scopes")),
        *(Fatal, "scopes"),
    ),
    "a list of mistakes": (
        *(422, {"message": "Validation Failed", "errors": [{"resource": "Issue", "code": "invalid"}]}),
        *(Fatal, "Validation Failed; invalid"),
    ),
    "gone from GraphQL": (
        200,
        graphql(
            {"repository": {"issue": None}},
            type="NOT_FOUND",
            path=["repository", "issue"],
            locations=[{"line": 7, "column": 3}],
            message="Could not resolve to an issue or pull request with the number of 7.",
        ),
        *(Skip, "number of 7"),
    ),
}


@pytest.mark.parametrize("name", ENDS)
def test_it_ends_with_a_reason(name: str) -> None:
    status, body, kind, reason = ENDS[name]
    decision = decided(status, body, {}, attempt=1)
    assert type(decision) is kind
    assert reason in decision.reason  # type: ignore[union-attr]


def test_what_is_hidden_deep_in_one_issue_is_that_issues_problem() -> None:
    """A pull request of a protected organisation, in the history of an issue."""
    path = ["repository", "issues", "nodes", 3, "timelineItems", "nodes", 21]
    data = {"repository": {"issues": {"nodes": [{}] * 4}}}
    decision = decided(
        200, graphql(data, type="FORBIDDEN", path=path, extensions={"saml_failure": True}, message=SAML), {}
    )
    assert decision == Ok(
        {"data": data, "errors": [{"type": "FORBIDDEN", "path": path, "extensions": {"saml_failure": True},
                                   "message": SAML}]},
        (NodeProblem(tuple(path), f"FORBIDDEN: {SAML}"),),
    )  # fmt: skip
