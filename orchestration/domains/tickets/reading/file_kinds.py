"""Which files are read, by the end of their name and their first bytes; every other one gets the reason."""

import stat
from dataclasses import dataclass
from pathlib import Path

PAGE_ENDING = ".page.json.gz"
# What `export` writes beside the dumps: what they hold, seen in another way.
EXPORTED_TICKETS, EXPORTED_TRAINING = "tickets_raw.csv", "tickets_final.json.gz"

_LINES = "lines"
_READ_AS = {
    ".jsonl": _LINES,
    ".ndjson": _LINES,
    ".json": _LINES,
    ".csv": "csv",
    ".parquet": "parquet",
}
READ_ENDINGS = ", ".join([*_READ_AS, "each but .parquet also with .gz"])

# What a file begins with, and what it then is.
_SIGNATURES = (
    (b"\x1f\x8b", "gzip"),
    (b"PAR1", "Parquet"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"BZh", "bzip2"),
    (b"PK\x03\x04", "zip"),
    (b"SQLite format 3", "SQLite"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_SIGNATURE_BYTES = 16
_UNPACK = {".zst": "Zstandard", ".xz": "xz", ".bz2": "bzip2", ".zip": "zip", ".7z": "7-Zip", ".tar": "tar"}


@dataclass(frozen=True)
class FileKind:
    """How a file is read: as `lines` (JSON), `csv` or `parquet`; and whether it is packed with gzip."""

    format: str
    is_packed: bool


def kind_by_name(name: str) -> FileKind | None:
    """How a file of this name is read; None if it is not."""
    suffixes = [suffix.lower() for suffix in Path(name).suffixes]
    is_packed = suffixes[-1:] == [".gz"]
    if is_packed:
        suffixes.pop()
    format = _READ_AS.get(suffixes[-1]) if suffixes else None
    return FileKind(format, is_packed) if format and not (format == "parquet" and is_packed) else None


def why_not_read(path: Path) -> str | None:
    """Why the entry of a folder is no file that is read, in words that follow its name; None if it is one."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return f"cannot be opened ({error.strerror})"
    if stat.S_ISDIR(mode):
        return "is a folder"
    if not stat.S_ISREG(mode):
        return "is no regular file but a pipe, socket or device"
    if printable(path.name) != path.name:
        return "has a name that is not UTF-8: rename it"
    if path.name in (EXPORTED_TICKETS, EXPORTED_TRAINING):
        return "is a table that the export made of the dumps"
    if kind_by_name(path.name):
        return None
    packed = _UNPACK.get(path.suffix.lower())
    if packed:
        return f"is packed with {packed}, which is not read: unpack it, or pack it with gzip"
    return f"has an ending that is not read ({READ_ENDINGS})"


def printable(name: str) -> str:
    """The name with escapes where it is not UTF-8: it can be written anywhere."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def why_not_what_it_says(path: Path) -> str | None:
    """Why the content cannot be what the file's name says, by its first bytes; None if it can."""
    kind = kind_by_name(path.name)
    assert kind
    with path.open("rb") as content:
        head = content.read(_SIGNATURE_BYTES)
    found = next((what for signature, what in _SIGNATURES if head.startswith(signature)), None)
    said = "gzip" if kind.is_packed else "Parquet" if kind.format == "parquet" else None
    if found == said or (not head and said is None):
        return None
    if found == "UTF-16":
        return "the file is UTF-16: convert it to UTF-8 (iconv -f UTF-16 -t UTF-8)"
    if said:
        return f"the file is no {said} file, although its name says so"
    return f"the file is a {found} file, although its name does not say so"
