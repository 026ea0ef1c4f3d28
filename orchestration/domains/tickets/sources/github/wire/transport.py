"""Requests to GitHub, one at a time, until each has an answer or a reason. It knows no issues."""

import json
import logging
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from orchestration.domains.tickets.sources.github.errors import GitHubError, OutOfTimeError, PageTooLargeError
from orchestration.domains.tickets.sources.github.wire.clock import Clock, SystemClock
from orchestration.domains.tickets.sources.github.wire.connection import Connection, ExchangeError
from orchestration.domains.tickets.sources.github.wire.decide import (
    MAX_ATTEMPTS,
    Fatal,
    NodeProblem,
    Ok,
    Rotate,
    Shrink,
    Skip,
    Wait,
    decide,
)
from orchestration.domains.tickets.sources.github.wire.headers import server_time
from orchestration.domains.tickets.sources.github.wire.origin import joined, origin_of
from orchestration.domains.tickets.sources.github.wire.tokens import Tokens

logger = logging.getLogger(__name__)

_HEARTBEAT_SECONDS = 60.0
_MAX_REDIRECTS = 5
_REDIRECTS = (301, 302, 307, 308)
_HEADERS = {
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": "2022-11-28",
    "User-Agent": "fairtriage",
}


@dataclass(frozen=True)
class Answer:
    """A whole answer.

    Attributes
    ----------
    document : Any
        The body's JSON; None without a body.
    problems : tuple of NodeProblem
        Nodes that a GraphQL answer lacks.
    skipped : str or None
        Why there is nothing to be had, if so.
    server_now : datetime
        The server's time, or this machine's where the server tells none.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    fetched_at: datetime
    server_now: datetime
    document: Any = None
    problems: tuple[NodeProblem, ...] = ()
    skipped: str | None = None


class Transport:
    """Sends requests to one GitHub; counts them, waits when told to, and never lets a token out.

    Parameters
    ----------
    tokens : sequence of str
        Personal access tokens; the one with most quota left is used.
    base_url : str
        Of the REST API: `https://api.github.com`, or `https://HOST/api/v3` of an enterprise server.
    clock : Clock, optional
        This machine's, when left out.
    budget_seconds : float
        The longest that a run may take: a wait that ends later is not begun.
    deadline_seconds : float
        The longest that one request may take.
    """

    def __init__(
        self,
        tokens: Sequence[str],
        *,
        base_url: str = "https://api.github.com",
        clock: Clock | None = None,
        budget_seconds: float = 4 * 3600.0,
        deadline_seconds: float = 120.0,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._origin = origin_of(self.base_url)
        self.clock = clock or SystemClock()
        self._tokens = Tokens(tokens)
        self._connection = Connection(deadline_seconds)
        self._end = self.clock.now() + timedelta(seconds=budget_seconds)
        self.requests = 0
        self.points = 0
        self.server_seconds = 0.0
        self.warnings: set[str] = set()

    @property
    def graphql_url(self) -> str:
        """Where GraphQL is: beside the REST API, not below it, on an enterprise server."""
        return self.base_url.removesuffix("/v3") + "/graphql"

    def graphql(
        self, query: str, variables: Mapping[str, Any], *, is_shrinkable: bool, attempt: int = 0
    ) -> Answer:
        """Ask GraphQL.

        Raises
        ------
        PageTooLargeError
            If the server could not cope and `is_shrinkable`; it has been waited for already.
        GitHubError
            If there is no answer to be had.
        """
        body = json.dumps({"query": query, "variables": variables}).encode()
        return self._send("POST", self.graphql_url, "graphql", body, {}, is_shrinkable, attempt=attempt)

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        is_followed: bool = True,
        final: Collection[int] = (),
    ) -> Answer:
        """Ask the REST API.

        Parameters
        ----------
        url : str
            A path below the base, or a whole address as a Link header gave it.
        is_followed : bool
            Whether redirects are followed (at the same origin).
        final : collection of int
            Statuses that are an answer to the caller and are not tried again.
        """
        address = url if "://" in url else self.base_url + url
        return self._send(
            "GET", address, "core", None, headers or {}, False, is_followed=is_followed, final=final
        )

    def left(self, resource: str = "graphql") -> int | None:
        """Quota left of the token used last."""
        return self._tokens.left(resource)

    def redact(self, text: str) -> str:
        """The text without any token."""
        return self._tokens.redact(text)

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def _send(
        self,
        method: str,
        url: str,
        resource: str,
        body: bytes | None,
        extra: Mapping[str, str],
        is_shrinkable: bool,
        *,
        attempt: int = 0,
        is_followed: bool = True,
        final: Collection[int] = (),
    ) -> Answer:
        redirects = 0
        while True:
            status, headers, content = self._exchange(method, url, resource, body, extra)
            now = self.clock.now()
            server_now = server_time(headers) or now
            self._note(url, resource, headers, server_now, now)
            if status in _REDIRECTS and is_followed and status not in final:
                url, redirects = self._redirected(url, headers, redirects)
                continue
            answer = Answer(url, status, headers, self._tokens.redact_bytes(content), now, server_now)
            if status in final:
                return _with(answer, skipped=f"status {status}")
            try:
                decision = decide(status, headers, content, now, attempt)
            except RecursionError:
                raise GitHubError("GitHub: the answer is nested too deeply to be read.") from None
            match decision:
                case Ok(document, problems):
                    self._count_points(resource, document)
                    return _with(answer, document=document, problems=problems)
                case Skip(reason):
                    return _with(answer, skipped=self.redact(reason))
                case Fatal(reason):
                    raise GitHubError(f"GitHub: {self.redact(reason)}")
                case Rotate(reason):
                    self._tokens.refuse(self.redact(reason))
                case Wait(seconds, _, True):
                    self._tokens.exhaust(resource, now + timedelta(seconds=seconds))
                case Wait(seconds, reason):
                    attempt += 1
                    self._wait(seconds, reason)
                case Shrink(seconds, reason):
                    attempt += 1
                    if attempt > MAX_ATTEMPTS and not is_shrinkable:
                        raise GitHubError(f"GitHub: {self.redact(reason)}")
                    self._wait(seconds, reason)
                    if is_shrinkable:
                        raise PageTooLargeError(self.redact(reason))

    def _exchange(
        self, method: str, url: str, resource: str, body: bytes | None, extra: Mapping[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        """One exchange with the token that has most left; status 0 when no whole answer came."""
        self.check_origin(url)
        token, seconds = self._tokens.take(resource, self.clock.now())
        if seconds > 0:
            self._wait(seconds, "quota used up")
        if self.clock.now() >= self._end:
            raise OutOfTimeError("the time of this run is used up", self.clock.now())
        self.requests += 1
        started = time.perf_counter()
        try:
            return self._connection.exchange(method, url, {**_HEADERS, **extra}, body, token)
        except ExchangeError as error:
            return 0, {}, str(error).encode()
        finally:
            self.server_seconds += time.perf_counter() - started

    def _note(
        self, url: str, resource: str, headers: Mapping[str, str], server_now: datetime, now: datetime
    ) -> None:
        self._tokens.note(resource, headers, server_now, now)
        for name in ("deprecation", "sunset"):
            if name in headers:
                # A server may repeat what it was sent; what it says reaches the metadata.
                self.warnings.add(self.redact(f"{urlsplit(url).path}: {name.title()} {headers[name]}"))

    def _count_points(self, resource: str, document: Any) -> None:
        data = document.get("data") if resource == "graphql" and isinstance(document, dict) else None
        limit = data.get("rateLimit") if isinstance(data, dict) else None
        if isinstance(limit, dict) and isinstance(limit.get("cost"), int):
            self.points += limit["cost"]

    def _redirected(self, url: str, headers: Mapping[str, str], redirects: int) -> tuple[str, int]:
        if redirects >= _MAX_REDIRECTS:
            raise GitHubError(f"GitHub: more than {_MAX_REDIRECTS} redirects from {urlsplit(url).path}")
        if not headers.get("location"):
            raise GitHubError(f"GitHub: a redirect without a target from {urlsplit(url).path}")
        return joined(url, headers["location"]), redirects + 1

    def check_origin(self, url: str) -> None:
        """The token goes nowhere but to the server that it is for: same scheme, host and port."""
        origin = origin_of(joined(self.base_url, url))
        if origin != self._origin:
            raise GitHubError(
                f"GitHub points to another server ({origin}): refused, since the token must not go there."
            )

    def _wait(self, seconds: float, reason: str) -> None:
        """Wait, with a sign of life each minute; not at all when the run would be over before."""
        reason = self.redact(reason)
        until = self.clock.now() + timedelta(seconds=seconds)
        if until > self._end:
            raise OutOfTimeError(reason, until)
        while (remaining := (until - self.clock.now()).total_seconds()) > 0:
            logger.info("Waiting %.0f s, until %s UTC: %s", remaining, f"{until:%H:%M:%S}", reason)
            self.clock.sleep(min(remaining, _HEARTBEAT_SECONDS))


def _with(answer: Answer, **changes: Any) -> Answer:
    return Answer(**{**vars(answer), **changes})
