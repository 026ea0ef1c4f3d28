"""What an answer of GitHub means: one pure function, no clock, no network, no state.

`urllib3.Retry` is no policy for GitHub: it ignores a 403 with Retry-After, skips POST, and may sleep for
hours.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

MAX_ATTEMPTS = 5
# The quota is renewed every hour; a reset further away than that is a mistake of one of the two clocks.
MAX_RESET_SECONDS = 3700.0
_MINUTE = 60.0

_SECONDARY = re.compile(r"secondary rate limit|abuse detection", re.IGNORECASE)
_PRIMARY = re.compile(r"rate limit exceeded|API rate limit", re.IGNORECASE)
_OVERLOADED = re.compile(
    r"something went wrong while executing your query|timed? ?out|couldn't respond to your request in time",
    re.IGNORECASE,
)
_OVERLOAD_TYPES = {"RESOURCE_LIMITS_EXCEEDED", "MAX_NODE_LIMIT_EXCEEDED", "INTERNAL", "SERVICE_UNAVAILABLE"}
_ALIAS = re.compile(r"n\d+")
_UNREADABLE = object()


@dataclass(frozen=True)
class NodeProblem:
    """One node of a GraphQL answer that could not be had, though the others were."""

    path: tuple[str | int, ...]
    reason: str


@dataclass(frozen=True)
class Ok:
    """A whole answer; `document` is its JSON (None for an empty body), `problems` the nodes it lacks."""

    document: Any = None
    problems: tuple[NodeProblem, ...] = ()


@dataclass(frozen=True)
class Wait:
    """Ask again after `seconds`; `is_free` says that it counts as no attempt."""

    seconds: float
    reason: str
    is_free: bool = False


@dataclass(frozen=True)
class Shrink:
    """Ask for less, after `seconds`."""

    seconds: float
    reason: str


@dataclass(frozen=True)
class Skip:
    """There is nothing to be had here, now or later."""

    reason: str


@dataclass(frozen=True)
class Rotate:
    """This token is refused; another may do."""

    reason: str


@dataclass(frozen=True)
class Fatal:
    """Asking again cannot help."""

    reason: str


Decision = Ok | Wait | Shrink | Skip | Rotate | Fatal


def decide(status: int, headers: Mapping[str, str], body: bytes, now: datetime, attempt: int) -> Decision:
    """Say what to do about an answer.

    Parameters
    ----------
    status : int
        HTTP status; 0 when no whole answer came (reset, time-out, cut body).
    headers : mapping
        Of the answer, in any case.
    body : bytes
        Of the answer, as it came.
    now : datetime
        This machine's time (with zone); the server's `Date`, where there is one, counts instead, since waits
        are given by the server's clock.
    attempt : int
        Attempts of this request that have failed before, from 0.
    """
    headers = {name.lower(): value for name, value in headers.items()}
    now = _http_date(headers.get("date")) or now
    if status == 0:
        return _again(f"no whole answer ({body.decode(errors='replace')})", attempt)
    if status in (204, 301, 302, 304, 307, 308):
        return Ok()
    document = _parse(body)
    message = _message(document, body)
    if 200 <= status < 300:
        if document is _UNREADABLE:
            return _again(f"status {status}, but the body is no JSON", attempt)
        return _decide_document(document, message, headers, now, attempt)
    if status in (403, 429):
        return _decide_refusal(status, message, headers, now, attempt)
    if status == 401:
        if "bad credentials" in message.lower() or attempt > 0:
            return Rotate(f"401 {message}")
        return Wait(1.0, f"401 {message}")
    if status == 404:
        # A repository or issue that was just made may not be everywhere yet.
        return Wait(2.0**attempt, "not found (404)") if attempt < 2 else Skip("not found (404)")
    if status == 410:
        return Skip("issues are disabled (410)" if "disabled" in message.lower() else "deleted (410)")
    if status == 451:
        return Skip("blocked for legal reasons (451)")
    if status >= 500:
        return _shrink(f"{status} {message}", attempt)
    return Fatal(f"{status} {message}")


def _decide_refusal(
    status: int, message: str, headers: Mapping[str, str], now: datetime, attempt: int
) -> Decision:
    if "x-github-sso" in headers:
        return Fatal(f"{status} the organisation asks for single sign-on: authorise the token for it")
    if "resource not accessible" in message.lower():
        return Fatal(f"{status} {message}: the token lacks a permission (read access to issues)")
    if "retry-after" in headers or _SECONDARY.search(message):
        return _secondary(message, headers, now, attempt)
    if headers.get("x-ratelimit-remaining", "").strip() == "0" or _PRIMARY.search(message):
        return _primary(message, headers, now, attempt)
    if status == 429:
        return _secondary(message, headers, now, attempt)
    return Fatal(f"{status} {message}")


def _decide_document(
    document: Any, message: str, headers: Mapping[str, str], now: datetime, attempt: int
) -> Decision:
    if not isinstance(document, dict):
        return Ok(document)
    errors = document.get("errors")
    if not errors:
        # An error without its status: {"message": "timedout"} comes with 200.
        if "message" in document and set(document) <= {"message", "documentation_url", "status"}:
            return _by_message(message, headers, now, attempt)
        if "data" in document and document["data"] is None:
            return _shrink("data is null", attempt)
        return Ok(document)
    if not isinstance(errors, list) or not all(isinstance(error, dict) for error in errors):
        return Fatal(f"GraphQL: errors is no list of objects: {str(errors)[:200]}")
    types = {str(error.get("type") or "") for error in errors}
    if types & {"RATE_LIMITED", "RATE_LIMIT"}:
        return _primary(message, headers, now, attempt)
    if _SECONDARY.search(message):
        return _secondary(message, headers, now, attempt)
    if types & _OVERLOAD_TYPES or _OVERLOADED.search(message):
        return _shrink(message, attempt)
    return _decide_node_errors(document, errors, attempt)


def _decide_node_errors(document: dict[str, Any], errors: list[dict[str, Any]], attempt: int) -> Decision:
    problems = []
    for error in errors:
        path = tuple(error["path"]) if isinstance(error.get("path"), list) else ()
        kind, reason = error.get("type"), str(error.get("message") or error.get("type"))[:500]
        if kind == "NOT_FOUND" and path == ("repository",):
            reason = f"not found: {reason}"
            return Wait(2.0**attempt, reason) if attempt < 2 else Skip(reason)
        if kind == "NOT_FOUND" and path == ("repository", "issue"):
            return Skip(reason)
        # Of a page: repository, issues, nodes, index; of a request for several issues: n0, n1, ….
        is_node = (
            len(path) >= 4 if path[:1] == ("repository",) else bool(path and _ALIAS.fullmatch(str(path[0])))
        )
        if kind not in ("NOT_FOUND", "FORBIDDEN") or not is_node or document.get("data") is None:
            return Fatal(f"GraphQL: {reason}")
        problems.append(NodeProblem(path, f"{kind}: {reason}"))
    return Ok(document, tuple(problems))


def _by_message(message: str, headers: Mapping[str, str], now: datetime, attempt: int) -> Decision:
    if _SECONDARY.search(message):
        return _secondary(message, headers, now, attempt)
    if _OVERLOADED.search(message):
        return _shrink(message, attempt)
    if _PRIMARY.search(message):
        return _primary(message, headers, now, attempt)
    return Fatal(message)


def _primary(message: str, headers: Mapping[str, str], now: datetime, attempt: int) -> Decision:
    """The quota of the hour is used up: wait until it is renewed."""
    reason = f"quota used up: {message}"
    seconds = seconds_to_reset(headers, now)
    if seconds is not None:
        return Wait(seconds, reason, is_free=True)
    # Without a usable time the wait is a guess, and guessing for ever would be no end.
    return Wait(_MINUTE, reason) if attempt < MAX_ATTEMPTS else Fatal(reason)


def _secondary(message: str, headers: Mapping[str, str], now: datetime, attempt: int) -> Decision:
    reason = f"asked to slow down: {message}"
    if attempt >= MAX_ATTEMPTS:
        return Fatal(reason)
    return Wait(_retry_after(headers.get("retry-after", ""), now) * 2.0**attempt, reason)


def seconds_to_reset(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds until the quota is renewed, a second to spare; None when the header says nothing usable."""
    try:
        reset = float(headers.get("x-ratelimit-reset", ""))
    except ValueError:
        return None
    if reset > 1e11:
        reset /= 1000.0
    seconds = reset - now.timestamp()
    return min(seconds + 1.0, MAX_RESET_SECONDS) if seconds > 0 else None


def _retry_after(value: str, now: datetime) -> float:
    value = value.strip()
    if value.isascii() and value.isdigit():
        return max(float(value), 1.0)
    date = _http_date(value)
    return max((date - now).total_seconds(), 1.0) if date else _MINUTE


def server_time(headers: Mapping[str, str]) -> datetime | None:
    """The server's clock, as its `Date` header tells it."""
    return _http_date(next((value for name, value in headers.items() if name.lower() == "date"), None))


def _http_date(value: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(value or "")
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _again(reason: str, attempt: int) -> Decision:
    return Wait(2.0**attempt, reason) if attempt < MAX_ATTEMPTS else Fatal(reason)


def _shrink(reason: str, attempt: int) -> Decision:
    return Shrink(min(2.0**attempt, _MINUTE), reason)


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return _UNREADABLE


def _message(document: Any, body: bytes) -> str:
    if isinstance(document, dict):
        errors = document.get("errors")
        if isinstance(errors, list):
            texts = [
                str(error.get("message") or error.get("type")) for error in errors if isinstance(error, dict)
            ]
            if texts:
                return "; ".join(texts)[:500]
        if "message" in document:
            return str(document["message"])[:500]
    return (
        re.sub(r"<[^>]*>|\s+", " ", body[:300].decode(errors="replace")).strip()
        if document is _UNREADABLE
        else ""
    )
