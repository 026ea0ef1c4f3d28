"""Answers of a GitHub in trouble, as its users recorded them: what a `Fault` responds with.

Each function returns a `respond`; `genuine` in there makes the right answer, with its side effects.
"""

import json
from collections.abc import Callable
from typing import Any

from tests.fake_github.messages import Answer, Request, Wire, refusal

Respond = Callable[[Request, Callable[[], Answer]], Answer]

PRIMARY = "API rate limit exceeded for user ID 1."
SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
    " If you reach out to GitHub Support for help, please include the request ID FA4E:1:2."
)
SOMETHING_WRONG = (
    "Something went wrong while executing your query. This may be the result of a timeout, or it could be a"
    " GitHub bug. Please include `FA4E:1:2` when reporting this issue."
)
NGINX = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1>"
    b"</center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)


def always(answer: Callable[[], Answer]) -> Respond:
    """The same answer whatever was asked; nothing happens on the server."""
    return lambda request, genuine: answer()


def primary_limit(status: int, remaining: str = "0", reset: str | None = None, **headers: str) -> Respond:
    """The hour's quota is used up; `reset` as the header has it."""
    given = {"x-ratelimit-remaining": remaining, "x-ratelimit-limit": "5000", **headers}
    if reset is not None:
        given["x-ratelimit-reset"] = reset
    return always(lambda: _with_headers(refusal(status, PRIMARY), given))


def primary_limit_in_graphql(reset: str, kind: str = "RATE_LIMITED") -> Respond:
    """The same in a 200 with an error and no data."""
    body = {"errors": [{"type": kind, "message": PRIMARY}]}
    given = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset}
    return always(lambda: Answer(200, body, dict(given)))


def secondary_limit(retry_after: str | None = None, status: int = 403) -> Respond:
    """Too much at once, whatever is left of the hour."""
    given = {"x-ratelimit-remaining": "4000"} | ({} if retry_after is None else {"retry-after": retry_after})
    return always(lambda: _with_headers(refusal(status, SECONDARY), given))


def secondary_limit_in_graphql(status: int = 200) -> Respond:
    """The same in a GraphQL body."""
    if status != 200:
        return secondary_limit(status=status)
    body = {"errors": [{"message": SECONDARY}]}
    return always(lambda: Answer(200, body, {"x-ratelimit-remaining": "4000"}))


def timeout_json(status: int = 502) -> Respond:
    """The query took more than ten seconds: the backend's own words."""
    body = {"data": None, "errors": [{"message": SOMETHING_WRONG}]}
    return always(lambda: Answer(status, body))


def timed_out_message(status: int = 200) -> Respond:
    """A short form of the same."""
    return always(lambda: Answer(status, {"message": "timedout"}))


def gateway_html(status: int = 502, content_type: str = "text/html") -> Respond:
    """The proxy's words; with another type, HTML that calls itself JSON."""
    return always(lambda: Answer(status, NGINX, {"Content-Type": content_type}))


def resource_limits(lost: int) -> Respond:
    """The right page, but its last `lost` nodes are null, and an error says so."""

    def respond(request: Request, genuine: Callable[[], Answer]) -> Answer:
        answer = genuine()
        nodes = answer.body["data"]["repository"]["issues"]["nodes"]
        path = ["repository", "issues", "nodes"]
        answer.body["errors"] = [
            {
                "type": "RESOURCE_LIMITS_EXCEEDED",
                "path": [*path, index],
                "message": "Resource limits for this query exceeded.",
            }
            for index in range(max(0, len(nodes) - lost), len(nodes))
        ]
        nodes[max(0, len(nodes) - lost) :] = [None] * min(lost, len(nodes))
        return answer

    return respond


def node_error(index: int, kind: str) -> Respond:
    """The right page without one node: `FORBIDDEN` or `NOT_FOUND`, with its path."""

    def respond(request: Request, genuine: Callable[[], Answer]) -> Answer:
        answer = genuine()
        answer.body["data"]["repository"]["issues"]["nodes"][index] = None
        path: list[str | int] = ["repository", "issues", "nodes", index]
        answer.body["errors"] = [
            {"type": kind, "path": path, "message": "Resource not accessible by personal access token"}
        ]
        return answer

    return respond


def edited(change: Callable[[Any], Any]) -> Respond:
    """The right answer with a changed body; `change` edits in place or returns another."""

    def respond(request: Request, genuine: Callable[[], Answer]) -> Answer:
        answer = genuine()
        body = json.loads(answer.content())
        changed = change(body)
        answer.body = body if changed is None else changed
        return answer

    return respond


def with_headers(**headers: str) -> Respond:
    """The right answer with further headers."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request, genuine: _with_headers(genuine(), given)


def over_the_wire(wire: Wire) -> Respond:
    """The right answer, badly sent."""

    def respond(request: Request, genuine: Callable[[], Answer]) -> Answer:
        answer = genuine()
        answer.wire = wire
        return answer

    return respond


def cut_json(keep: float = 0.5) -> Respond:
    """The right answer's first half, as if it were all."""

    def respond(request: Request, genuine: Callable[[], Answer]) -> Answer:
        answer = genuine()
        content = answer.content()
        answer.body = content[: int(len(content) * keep)]
        return answer

    return respond


def then(before: Callable[[], object], after: Respond | None = None) -> Respond:
    """Do something to the world first, then answer."""

    def respond(request: Request, genuine: Callable[[], Answer]) -> Answer:
        before()
        return after(request, genuine) if after else genuine()

    return respond


def redirect(status: int, location: str) -> Respond:
    """A redirect."""
    return always(lambda: refusal(status, "Moved", Location=location))


def refused(status: int, message: str, **headers: str) -> Respond:
    """Any refusal with GitHub's body."""
    return always(lambda: refusal(status, message, **headers))


def _with_headers(answer: Answer, headers: dict[str, str]) -> Answer:
    answer.headers = {**answer.headers, **headers}
    return answer
