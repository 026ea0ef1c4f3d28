"""The tokens: which one to use, how much is left of each, and how to keep them out of every text."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchestration.domains.tickets.sources.github.errors import GitHubError, TokensRefusedError
from orchestration.domains.tickets.sources.github.wire.headers import seconds_to_reset

_TOKEN = re.compile(r"[A-Za-z0-9_.\-]+")
HOW_TO_GET_ONE = (
    "create one at https://github.com/settings/personal-access-tokens (read access to public"
    " repositories is enough, no scope is needed) and put GITHUB_TOKEN=… into .env"
)


@dataclass
class _Token:
    # The value never shows in a representation, and so in no traceback that prints its locals.
    value: str = field(repr=False)
    position: int
    remaining: dict[str, int] = field(default_factory=dict)
    free_at: dict[str, datetime] = field(default_factory=dict)
    refusal: str | None = None


class Tokens:
    """A list of tokens; the one with most quota left is used.

    Parameters
    ----------
    values : sequence of str
        The tokens.

    Raises
    ------
    GitHubError
        If there is none, or one cannot be a token; the message does not repeat it.
    """

    def __init__(self, values: Sequence[str]) -> None:
        if not values:
            raise GitHubError(f"ISSUES_SOURCE=github needs a token: {HOW_TO_GET_ONE}.")
        for position, value in enumerate(values, start=1):
            # A line break would end up in an exception of the HTTP library, token and all.
            if not _TOKEN.fullmatch(value):
                raise GitHubError(
                    f"Token {position} of GITHUB_TOKEN holds a character that no token has (a space, a quote,"
                    " …): copy it again."
                )
        self._tokens = [_Token(value, position) for position, value in enumerate(values, start=1)]
        self._current = self._tokens[0]

    def __repr__(self) -> str:
        return f"Tokens({len(self._tokens)})"

    def take(self, resource: str, now: datetime) -> tuple[str, float]:
        """The token to use for `resource` (`graphql` or `core`), and how many seconds to wait before.

        Raises
        ------
        TokensRefusedError
            If GitHub refused all of them.
        """
        usable = [token for token in self._tokens if token.refusal is None]
        if not usable:
            reasons = "; ".join(f"token {token.position}: {token.refusal}" for token in self._tokens)
            raise TokensRefusedError(f"GitHub refused every token ({reasons}): {HOW_TO_GET_ONE}.")

        def rank(token: _Token) -> tuple[float, float]:
            return self._wait(token, resource, now), -token.remaining.get(resource, 1 << 30)

        self._current = min(usable, key=rank)
        return self._current.value, self._wait(self._current, resource, now)

    @staticmethod
    def _wait(token: _Token, resource: str, now: datetime) -> float:
        free_at = token.free_at.get(resource)
        return max(0.0, (free_at - now).total_seconds()) if free_at else 0.0

    def note(self, resource: str, headers: Mapping[str, str], server_now: datetime, now: datetime) -> None:
        """Remember what the headers of an answer say about the token used last."""
        try:
            remaining = int(headers.get("x-ratelimit-remaining", ""))
        except ValueError:
            return
        self._current.remaining[resource] = remaining
        seconds = seconds_to_reset(headers, server_now)
        if remaining > 0 or seconds is None:
            self._current.free_at.pop(resource, None)
        else:
            self._current.free_at[resource] = now + timedelta(seconds=seconds)

    def exhaust(self, resource: str, until: datetime) -> None:
        """The token used last has nothing left until then."""
        self._current.free_at[resource] = until

    def refuse(self, reason: str) -> None:
        """The token used last is not accepted."""
        self._current.refusal = reason

    def left(self, resource: str) -> int | None:
        """Quota left of the token used last."""
        return self._current.remaining.get(resource)

    def redact(self, text: str) -> str:
        """The text without any token in it."""
        for token in self._tokens:
            text = text.replace(token.value, "[token]")
        return text

    def redact_bytes(self, content: bytes) -> bytes:
        """The bytes without any token in them."""
        for token in self._tokens:
            content = content.replace(token.value.encode(), b"[token]")
        return content
