"""Lines of landed files, read one after another. What a line means is the loader's business."""

import codecs
import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_PAGE_SUFFIX = ".page.json.gz"
_UNREADABLE = (EOFError, zlib.error, gzip.BadGzipFile)
# An escaped pair of surrogates or any other escape is taken whole (group 1), so that what remains of the
# alternatives is a surrogate without its other half.
_LONE_SURROGATE = re.compile(
    r"(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\[^u])|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)


class Line(NamedTuple):
    """One line: its number (from 1), its text, and why it cannot be used, if so."""

    number: int
    text: str | None
    problem: str | None


def read_lines(path: Path) -> Iterator[Line]:
    """Yield the lines of a `.jsonl` or `.jsonl.gz` file that are not blank.

    A damaged gzip file yields the lines before the damage, then one line with the problem. A page file of
    GitHub yields a line per issue that is complete in it.
    """
    number = 0
    if path.name.endswith(_PAGE_SUFFIX):
        # Imported here: it brings an HTTP library that no other source needs.
        from orchestration.domains.tickets.sources.github.pages import read_record_lines

        for number, line in read_record_lines(path):
            yield _decode(number, line)
        return
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as content:
            for number, line in enumerate(content, start=1):
                if number == 1:
                    line = line.removeprefix(codecs.BOM_UTF8)
                line = line.strip()
                if line:
                    yield _decode(number, line)
    except _UNREADABLE as error:
        yield Line(number + 1, None, f"the gzip file cannot be read from here on: {error}")


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
