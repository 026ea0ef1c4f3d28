"""Requests, answers and faults as the fake sees them."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

DOCUMENTATION = "https://docs.github.com/rest"


@dataclass(slots=True)
class Request:
    """One request; the log keeps it, without the token."""

    number: int
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: dict[str, Any]
    at: float
    token: str | None = field(default=None, repr=False)
    status: int | None = None
    fault: str | None = None
    seconds: float = 0.0

    @property
    def has_authorization(self) -> bool:
        """Whether an Authorization header was sent."""
        return self.token is not None

    @property
    def variables(self) -> dict[str, Any]:
        """Variables of a GraphQL request."""
        return self.body.get("variables") or {}

    @property
    def query_text(self) -> str:
        """Text of a GraphQL request."""
        return str(self.body.get("query") or "")

    @property
    def is_graphql(self) -> bool:
        """Whether it went to `/graphql`."""
        return self.path == "/graphql"


@dataclass(slots=True)
class Wire:
    """How the bytes of an answer leave the server, when not all at once.

    Parameters
    ----------
    send : int or None
        Only so many bytes of the body are sent, whatever Content-Length says.
    reset : bool
        End the connection with a reset.
    silence : float
        Seconds to wait before the first byte.
    pause : float
        Seconds to wait after each byte of the body.
    """

    send: int | None = None
    reset: bool = False
    silence: float = 0.0
    pause: float = 0.0


@dataclass(slots=True)
class Answer:
    """Status, headers and body."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    wire: Wire | None = None

    def content(self) -> bytes:
        """The body as bytes: what is no bytes is written as JSON."""
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else json.dumps(self.body, separators=(",", ":")).encode()


def refusal(status: int, message: str, **headers: str) -> Answer:
    """An error as the REST API writes it."""
    body = {"message": message, "documentation_url": DOCUMENTATION, "status": str(status)}
    return Answer(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


@dataclass
class Fault:
    """Something that goes wrong.

    Parameters
    ----------
    match : callable
        Says whether the fault concerns a request.
    respond : callable
        Gives the answer, from the request and a function that makes the right one.
    times : int or None
        How often; None for ever.
    skip : int
        So many matching requests pass first.
    name : str
        Shown in the log.
    """

    match: Callable[[Request], bool]
    respond: Callable[[Request, Callable[[], Answer]], Answer]
    times: int | None = 1
    skip: int = 0
    name: str = "fault"

    def takes(self, request: Request) -> bool:
        """Whether it strikes now; counts down."""
        if self.times == 0 or not self.match(request):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True
