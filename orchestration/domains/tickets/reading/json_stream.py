"""JSON values out of arrays and of indented text, one after the other, in bounded memory.

The standard library and DuckDB read a whole document at once; a page of `gh api --paginate` may be hundreds
of megabytes on one line. Nothing is decoded here: the texts go on as they came.
"""

import re
from collections.abc import Iterable, Iterator

# A whole string, so that brackets in it are none; a quote alone is a string that goes on in the next chunk.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[{}\[\],"]', re.DOTALL)
_SPACE = b" \t\r\n"


class UnreadableError(ValueError):
    """What is in a file cannot be read from here on; the message says why, and follows "the file"."""


def split_values(chunks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """Yield the objects, and whatever else stands where an object should, without the arrays around them.

    Parameters
    ----------
    chunks : iterable of bytes
        The text: arrays of values, arrays of arrays, or values one after the other.
    limit : int
        Bytes that one value may have.

    Raises
    ------
    UnreadableError
        If a value is longer than `limit`, or the text ends within one.
    """
    buffer, start, position, depth, arrays = b"", 0, 0, 0, 0
    for chunk in chunks:
        buffer = buffer[start:] + chunk
        position, start = position - start, 0
        while token := _TOKEN.search(buffer, position):
            mark = token.group()
            if mark == b'"':
                # The string goes on: look at it again with what follows.
                position = token.start()
                break
            position = token.end()
            if mark in b"{[":
                if depth == 0 and (mark == b"[" or buffer[start : token.start()].strip(_SPACE)):
                    yield from _scalar(buffer[start : token.start()])
                    start = token.start()
                if mark == b"[" and depth == 0:
                    arrays, start = arrays + 1, position
                else:
                    depth += 1
            elif mark in b"}]" and depth:
                depth -= 1
                if depth == 0:
                    yield buffer[start:position].strip(_SPACE)
                    start = position
            elif mark in b",}]" and depth == 0:
                yield from _scalar(buffer[start : token.start()])
                arrays -= mark == b"]"
                start = position
        else:
            position = len(buffer)
        if len(buffer) - start > limit:
            raise UnreadableError(f"has a record of more than {limit:,} bytes; it is not read from there on")
    if depth or arrays > 0:
        raise UnreadableError("ends within a JSON array or object: it is cut")
    yield from _scalar(buffer[start:])


def _scalar(text: bytes) -> Iterator[bytes]:
    if text := text.strip(_SPACE):
        yield text
