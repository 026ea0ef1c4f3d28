"""Pages of a list behind opaque cursors, as GitHub's connections and Link headers have them."""

import base64
import json
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_PREFIX = "cursor:v2:"


class BadCursorError(ValueError):
    """A text that no page of this server ever gave out."""


def encode_cursor(key: Sequence[Any]) -> str:
    """An opaque text for a place in an order: the key, so that it stays right when others come or go."""
    return base64.b64encode((_PREFIX + json.dumps(list(key))).encode()).decode()


def decode_cursor(cursor: str) -> tuple[Any, ...]:
    """The key that `encode_cursor` hid."""
    try:
        text = base64.b64decode(cursor, validate=True).decode()
        if text.startswith(_PREFIX):
            return tuple(json.loads(text.removeprefix(_PREFIX)))
    except ValueError:
        pass
    raise BadCursorError(f"`{cursor}` does not appear to be a valid cursor.")


@dataclass(slots=True)
class Page:
    """A slice of an ordered list, in the words of a GraphQL connection."""

    nodes: list[Any]
    cursors: list[str]
    total_count: int
    has_next_page: bool
    has_previous_page: bool

    @property
    def edges(self) -> list[dict[str, Any]]:
        """The nodes with their cursors."""
        return [
            {"cursor": cursor, "node": node} for cursor, node in zip(self.cursors, self.nodes, strict=True)
        ]

    @property
    def page_info(self) -> "Page":
        """The page itself answers for `pageInfo`."""
        return self

    @property
    def start_cursor(self) -> str | None:
        """Cursor of the first node."""
        return self.cursors[0] if self.cursors else None

    @property
    def end_cursor(self) -> str | None:
        """Cursor of the last node."""
        return self.cursors[-1] if self.cursors else None


def cut_page(
    entries: Sequence[tuple[Any, ...]],
    first: int | None,
    after: str | None = None,
    *,
    last: int | None = None,
    before: str | None = None,
    descending: bool = False,
) -> Page:
    """A page of `entries`: ascending tuples of a key and, last, the node.

    The cursor is the key of an entry, not its position: a page that starts after it misses and repeats
    nothing when entries before it disappear.
    """
    low, high = 0, len(entries)
    if descending:
        after, before = before, after
    if after is not None:
        low = bisect_right(entries, decode_cursor(after), key=lambda entry: entry[:-1])
    if before is not None:
        high = max(low, bisect_left(entries, decode_cursor(before), key=lambda entry: entry[:-1]))
    start, stop = low, high
    if first is not None:
        if descending:
            start = max(low, high - first)
        else:
            stop = min(high, low + first)
    elif last is not None:
        if descending:
            stop = min(high, low + last)
        else:
            start = max(low, high - last)
    cut = list(entries[start:stop])
    more_after, more_before = stop < len(entries), start > 0
    if descending:
        cut.reverse()
        more_after, more_before = more_before, more_after
    return Page(
        [entry[-1] for entry in cut],
        [encode_cursor(entry[:-1]) for entry in cut],
        len(entries),
        more_after,
        more_before,
    )
