"""Landed files as records, one by one, in bounded memory. What a record means is the loader's business."""

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

from orchestration.domains.tickets.reading.file_kinds import (
    PAGE_ENDING,
    FileKind,
    kind_by_name,
    why_not_what_it_says,
)
from orchestration.domains.tickets.reading.json_stream import UnreadableError, split_values
from orchestration.domains.tickets.reading.table_files import read_rows

# Bytes of one record: GitHub's longest body has 65,536 characters, the longest discussions a few megabytes.
RECORD_BYTES = 32 << 20
_CHUNK_BYTES = 1 << 20
_UNREADABLE = (EOFError, zlib.error, gzip.BadGzipFile)
# An escaped pair of surrogates or any other escape is taken whole (group 1), so that what remains of the
# alternatives is a surrogate without its other half.
_LONE_SURROGATE = re.compile(
    r"(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\[^u])|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)


class Line(NamedTuple):
    """One record: its number in the file (from 1), its text, and why it cannot be used, if so.

    `ends_file` marks a problem of the file itself: nothing after it could be read.
    """

    number: int
    text: str | None
    problem: str | None
    ends_file: bool = False


def read_lines(path: Path) -> Iterator[Line]:
    """Yield the records of a landed file.

    Of JSON Lines these are the lines that are not blank; of arrays, indented JSON, CSV and Parquet the
    objects and rows. A page file of GitHub yields the issues that are complete in it. What cannot be read
    as a whole, or from some record on, yields what is before, then one line with the problem.
    """
    if path.name.endswith(PAGE_ENDING):
        # Imported here: it brings an HTTP library that no other source needs.
        from orchestration.domains.tickets.sources.github.pages import read_record_lines

        for number, line in read_record_lines(path):
            yield _decode(number, line)
        return
    number = 0
    try:
        if problem := why_not_what_it_says(path):
            raise UnreadableError(problem.removeprefix("the file "))
        for number, line in _records(path):
            yield _decode(number, line)
    except _UNREADABLE as error:
        yield Line(number + 1, None, f"the gzip file cannot be read from here on: {error}", ends_file=True)
    except UnreadableError as error:
        yield Line(number + 1, None, f"the file {error}", ends_file=True)


def _records(path: Path) -> Iterator[tuple[int, bytes]]:
    kind = kind_by_name(path.name)
    assert kind, "only files that can be read land"
    if kind.format != "lines":
        yield from enumerate(read_rows(path, kind), start=1)
        return
    with _opened(path, kind) as content:
        first, number = content.readline(RECORD_BYTES + 1).removeprefix(codecs.BOM_UTF8), 1
        while first and not first.strip():
            first, number = content.readline(RECORD_BYTES + 1), number + 1
        if first.lstrip().startswith(b"[") or first.strip() == b"{":
            chunks = iter(partial(content.read, _CHUNK_BYTES), b"")
            yield from enumerate(split_values(_chain(first, chunks), RECORD_BYTES), start=1)
        else:
            yield from _lines(first, number, content)


def _opened(path: Path, kind: FileKind) -> BinaryIO:
    return io.BufferedReader(gzip.open(path)) if kind.is_packed else path.open("rb")


def _lines(line: bytes, number: int, content: BinaryIO) -> Iterator[tuple[int, bytes]]:
    while line:
        if len(line) > RECORD_BYTES:
            raise UnreadableError(
                f"has a line of more than {RECORD_BYTES:,} bytes ({number}); it is not read from there on"
            )
        if line := line.strip():
            yield number, line
        line, number = content.readline(RECORD_BYTES + 1), number + 1


def _chain(first: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from chunks


def _decode(number: int, line: bytes) -> Line:
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        return Line(number, line.decode(errors="replace"), f"not UTF-8: {error.reason} at byte {error.start}")
    # DuckDB's JSON holds everything that JSON can say, \u0000 included, except half of a surrogate pair,
    # which is no character: it becomes the replacement character, and nothing else is changed.
    if "\\ud" in text or "\\uD" in text:
        text = _LONE_SURROGATE.sub(lambda found: found[1] or "\\ufffd", text)
    return Line(number, text, None)
