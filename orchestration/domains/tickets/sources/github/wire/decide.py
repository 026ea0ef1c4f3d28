"""What an answer of GitHub means: one pure function, no clock, no network, no state.

`urllib3.Retry` is no policy for GitHub: it ignores a 403 with Retry-After, skips POST, and may sleep for
hours.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orchestration.domains.tickets.sources.github.wire.headers import (
    is_used_up,
    retry_after,
    seconds_to_reset,
    server_time,
)

MAX_ATTEMPTS = 5
_MINUTE = 60.0

# Some answers say it in the address of the documentation only.
_SECONDARY = re.compile(
    r"secondary rate|secondary-rate-limit|abuse detection|abuse-rate-limit", re.IGNORECASE
)
_PRIMARY = re.compile(r"rate limit exceeded|API rate limit", re.IGNORECASE)
_OVERLOADED = re.compile(
    r"something went wrong|timed? ?out|couldn.t respond to your request in time|no server is currently",
    re.IGNORECASE,
)
_OVERLOAD_TYPES = {"RESOURCE_LIMITS_EXCEEDED", "MAX_NODE_LIMIT_EXCEEDED", "INTERNAL", "SERVICE_UNAVAILABLE"}
_ALIAS = re.compile(r"n\d+")
# An error page in HTML says what is wrong after all of its style.
_LONGEST_PAGE = 100_000
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
    now = server_time(headers) or now
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
        return _decide_refusal(status, message, _everything_said(document, body), headers, now, attempt)
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
    if status == 408:
        return _again(f"408 {message}", attempt)
    if status >= 500:
        return _shrink(f"{status} {message}", attempt, retry_after(headers, now))
    return Fatal(f"{status} {message}")


def _decide_refusal(
    status: int, message: str, said: str, headers: Mapping[str, str], now: datetime, attempt: int
) -> Decision:
    # Of other organisations, whose part is missing, the header says `partial-results`.
    if headers.get("x-github-sso", "").startswith("required"):
        return Fatal(f"{status} the organisation asks for single sign-on: authorise the token for it")
    if "resource not accessible" in message.lower():
        return Fatal(f"{status} {message}: the token lacks a permission (read access to issues)")
    if "account was suspended" in message.lower():
        return Rotate(f"{status} {message}")
    if _SECONDARY.search(said):
        return _secondary(message, headers, now, attempt)
    if is_used_up(headers) or _PRIMARY.search(said):
        return _primary(message, headers, now, attempt)
    if status == 429 or "retry-after" in headers:
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
            return _by_message(message, headers, now, attempt) or Fatal(message)
        # GitHub has been seen to write "null".
        if "data" in document and not isinstance(document["data"], dict):
            return _shrink("data is null", attempt)
        return Ok(document)
    if decision := _by_message(message, headers, now, attempt):
        return decision
    if not isinstance(errors, list) or not all(isinstance(error, dict) for error in errors):
        return Fatal(f"GraphQL: errors is no list of objects: {str(errors)[:200]}")
    types = {str(error.get("type") or "") for error in errors}
    if types & {"RATE_LIMITED", "RATE_LIMIT"}:
        return _primary(message, headers, now, attempt)
    if types & _OVERLOAD_TYPES:
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


def _by_message(message: str, headers: Mapping[str, str], now: datetime, attempt: int) -> Decision | None:
    if _SECONDARY.search(message):
        return _secondary(message, headers, now, attempt)
    if _PRIMARY.search(message):
        return _primary(message, headers, now, attempt)
    if _OVERLOADED.search(message):
        return _shrink(message, attempt)
    return None


def _primary(message: str, headers: Mapping[str, str], now: datetime, attempt: int) -> Decision:
    """The quota of the hour is used up: wait until it is renewed."""
    reason = f"quota used up: {message}"
    seconds, asked = seconds_to_reset(headers, now), retry_after(headers, now)
    if seconds is not None and seconds >= (asked or 0.0):
        return Wait(seconds, reason, is_free=True)
    # Without a usable reset the wait is a guess, and guessing for ever would be no end.
    return Wait(asked or _MINUTE, reason) if attempt < MAX_ATTEMPTS else Fatal(reason)


def _secondary(message: str, headers: Mapping[str, str], now: datetime, attempt: int) -> Decision:
    """Too much at once: wait for as long as GitHub says, and longer each time."""
    reason = f"asked to slow down: {message}"
    if attempt >= MAX_ATTEMPTS:
        return Fatal(reason)
    seconds = retry_after(headers, now)
    if seconds is None and is_used_up(headers):
        seconds = seconds_to_reset(headers, now)
    return Wait((seconds or _MINUTE) * 2.0**attempt, reason)


def _again(reason: str, attempt: int) -> Decision:
    return Wait(2.0**attempt, reason) if attempt < MAX_ATTEMPTS else Fatal(reason)


def _shrink(reason: str, attempt: int, least: float | None = None) -> Decision:
    return Shrink(max(min(2.0**attempt, _MINUTE), least or 0.0), reason)


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return _UNREADABLE


def _message(document: Any, body: bytes) -> str:
    """What an answer says went wrong, in a few words: GraphQL's errors, REST's message, or a page's text."""
    if document is _UNREADABLE:
        return re.sub(r"<(style|script).*?</\1>|<[^>]*>|\s+", " ", _text(body), flags=re.DOTALL).strip()[:300]
    if not isinstance(document, dict):
        return ""
    said = [str(document["message"])] if "message" in document else []
    errors = document.get("errors")
    for error in errors if isinstance(errors, list) else []:
        known = error if isinstance(error, dict) else {"message": error}
        said.append(str(known.get("message") or known.get("type") or known.get("code")))
    return "; ".join(said)[:500]


def _everything_said(document: Any, body: bytes) -> str:
    """The same with what only a program reads, such as the address of the documentation."""
    if isinstance(document, dict):
        return f"{_message(document, body)} {document.get('documentation_url', '')}"
    return _text(body)


def _text(body: bytes) -> str:
    return body[:_LONGEST_PAGE].decode(errors="replace")
