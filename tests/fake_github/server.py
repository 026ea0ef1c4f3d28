"""The fake GitHub: a real HTTP server on 127.0.0.1 before a world that tests edit."""

import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import ThreadingHTTPServer
from time import perf_counter
from typing import Any

from tests.fake_github.clock import SystemClock, VirtualClock, iso
from tests.fake_github.graphql_api import Context, price, run_query
from tests.fake_github.http import handler_for
from tests.fake_github.messages import Answer, Fault, Request, refusal
from tests.fake_github.quota import Quota
from tests.fake_github.rest_api import RestApi
from tests.fake_github.world import World

TOKEN = "ghp_" + "fake" * 9


@dataclass
class FakeGitHub:
    """GitHub, as far as a collector of issues sees it.

    Parameters
    ----------
    world : World
        The repositories; its clock is the server's.
    seconds_per_request : float
        Virtual time that an answer takes.
    tokens : dict of str to str
        Tokens and the users that they belong to; tokens of one user share one quota.

    Attributes
    ----------
    requests : list of Request
        Everything that was asked, in order, without the tokens.
    faults : list of Fault
        What goes wrong; the first that takes a request answers it.
    """

    world: World = field(default_factory=World)
    seconds_per_request: float = 1.0
    tokens: dict[str, str] = field(default_factory=lambda: {TOKEN: "user-1"})
    requests: list[Request] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    quota: Quota = field(init=False)
    base: str = ""
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _server: ThreadingHTTPServer | None = None

    def __post_init__(self) -> None:
        self.quota = Quota(self.clock)

    @property
    def clock(self) -> VirtualClock | SystemClock:
        """The server's time."""
        return self.world.clock

    @property
    def points(self) -> int:
        """GraphQL points used since the start."""
        return self.quota.total.get("graphql", 0)

    def start(self) -> "FakeGitHub":
        """Listen on a free port of 127.0.0.1."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler_for(self.handle))
        self._server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop listening."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def handle(
        self, method: str, path: str, query: dict[str, str], headers: dict[str, str], body: dict[str, Any]
    ) -> Answer:
        """Answer one request: by the first fault that takes it, or rightly."""
        with self._lock:
            started = perf_counter()
            scheme, _, token = headers.pop("authorization", "").partition(" ")
            known = token if scheme.lower() in ("bearer", "token") and token else None
            request = Request(
                len(self.requests) + 1, method, path, query, headers, body, self.clock.time(), known
            )
            self.requests.append(request)
            fault = next((fault for fault in self.faults if fault.takes(request)), None)
            if fault:
                request.fault = fault.name
                answer = fault.respond(request, lambda: self._answer(request))
            else:
                answer = self._answer(request)
            request.status = answer.status
            answer.headers = {**self._common_headers(request), **answer.headers}
            self.clock.advance(self.seconds_per_request)
            # Written here, since the world may change while the bytes travel.
            answer.body = answer.content()
            request.seconds = perf_counter() - started
            return answer

    def _answer(self, request: Request) -> Answer:
        resource = "graphql" if request.is_graphql else "core"
        user = self.tokens.get(request.token or "")
        if user is None and (request.token or request.is_graphql):
            return refusal(401, "Bad credentials" if request.token else "Requires authentication")
        user = user or "anonymous"
        if request.path == "/rate_limit":
            resources = {name: self.quota.state(user, name) for name in ("core", "graphql", "search")}
            return Answer(200, {"resources": resources, "rate": resources["core"]})
        if request.is_graphql and request.method != "POST":
            return refusal(404, "Not Found")
        points, nodes = price(request.query_text, request.variables) if request.is_graphql else (1, 0)
        if not self.quota.take(user, resource, points):
            answer = self.rate_limited(request)
        elif request.is_graphql:
            state = self.quota.state(user, resource)
            rate_limit = {**state, "cost": points, "nodeCount": nodes, "resetAt": _moment(state["reset"])}
            context = Context(self.world, self.base, rate_limit)
            answer = Answer(200, run_query(request.query_text, request.variables, context))
        else:
            answer = self._conditional(request, RestApi(self.world, self.base).answer(request))
            if answer.status == 304:
                self.quota.used[user, resource] -= 1
        answer.headers = {**self.quota.headers(user, resource), **answer.headers}
        return answer

    def rate_limited(self, request: Request) -> Answer:
        """The answer when nothing is left: 403 in REST, 200 with an error in GraphQL."""
        user = self.tokens.get(request.token or "", "anonymous")
        message = "API rate limit exceeded for user ID 1."
        self.quota.exhaust(user, "graphql" if request.is_graphql else "core")
        answer = (
            Answer(200, {"errors": [{"type": "RATE_LIMITED", "message": message}]})
            if request.is_graphql
            else refusal(403, message)
        )
        answer.headers = self.quota.headers(user, "graphql" if request.is_graphql else "core")
        return answer

    def _conditional(self, request: Request, answer: Answer) -> Answer:
        """304 without a body when the client has it already; the ETag differs between tokens."""
        if answer.status != 200:
            return answer
        digest = hashlib.sha256(answer.content() + (request.token or "").encode()).hexdigest()
        answer.headers["ETag"] = f'W/"{digest}"'
        if request.headers.get("if-none-match") == answer.headers["ETag"]:
            return Answer(304, None, {"ETag": answer.headers["ETag"]})
        return answer

    def _common_headers(self, request: Request) -> dict[str, str]:
        return {
            "Server": "github.com",
            "Date": format_datetime(self.clock.now(), usegmt=True),
            "Content-Type": "application/json; charset=utf-8",
            "Cache-Control": "private, max-age=60, s-maxage=60",
            "Vary": "Accept, Authorization, Cookie, X-GitHub-OTP, Accept-Encoding",
            "X-GitHub-Media-Type": "github.v3; format=json",
            "X-GitHub-Request-Id": f"FA4E:{request.number:04X}:{request.number * 7919:06X}",
        }


def _moment(seconds: int) -> str:
    return iso(datetime.fromtimestamp(seconds, UTC))


@contextmanager
def running(fake: FakeGitHub | None = None, faults: Sequence[Fault] = ()) -> Iterator[FakeGitHub]:
    """A started fake, stopped at the end."""
    fake = fake or FakeGitHub()
    fake.faults.extend(faults)
    try:
        yield fake.start()
    finally:
        fake.stop()
