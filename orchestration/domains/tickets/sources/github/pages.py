"""Page files: an answer as it came, with what was asked. They are what lands, and they are the checkpoint.

One file is one answer (of the single-issue fallback: the few answers for that issue). Its kind says what its
body holds:

- `issues`: a page of the issues query;
- `lists`: the rest of long lists; `base` holds the issues that they belong to, as far as they were known;
- `issue`: one issue by REST, its events and comments in `more`;
- `numbers`: a page of a sweep; `probe`: what became of one issue. These two bring no record.
"""

import gzip
import json
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from ml.store.files import move_into_place
from orchestration.domains.tickets.sources.github.errors import GitHubError
from orchestration.domains.tickets.sources.github.queries import LISTS
from orchestration.domains.tickets.sources.github.records import record_from_node, record_from_rest
from orchestration.domains.tickets.sources.github.wire.transport import Answer

SUFFIX = ".page.json.gz"
REPOSITORY_FILE = "repository.json"
_HEADERS = ("date", "etag", "x-github-request-id")
# Twice as fast as the default, a twentieth larger.
_COMPRESSION = 4


@dataclass(frozen=True)
class Page:
    """The content of a page file.

    Attributes
    ----------
    kind : str
        `issues`, `lists`, `issue`, `numbers` or `probe`.
    request : dict
        Hash of the query and its variables, or the address.
    run : dict
        What all pages of a run say: mode, started_at, since.
    body : str
        The answer's body, untouched.
    base : list of dict
        Issues that the body continues (kind `lists`).
    more : dict
        Further bodies by name (kind `issue`).
    note : dict
        What else is to be known: `dead_letters` (with the `node` they are about: an index among the issues,
        or an id), `drift`, `tombstones`.
    """

    kind: str
    request: dict[str, Any]
    run: dict[str, Any]
    body: str
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    fetched_at: str = ""
    base: list[dict[str, Any]] = field(default_factory=list)
    more: dict[str, list[str]] = field(default_factory=dict)
    note: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def document(self) -> Any:
        """The body's JSON; None for an empty body."""
        return json.loads(self.body) if self.body else None

    def nodes(self) -> list[dict[str, Any]]:
        """The issues in it, each list as long as it is known so far."""
        lost = {letter.get("node") for letter in self.note.get("dead_letters", ())}
        if self.kind == "issues":
            nodes = self.document["data"]["repository"]["issues"]["nodes"]
            return [node for index, node in enumerate(nodes) if index not in lost]
        if self.kind == "lists":
            merged = merge_lists(self.base, self.request["lists"], self.document)
            return [node for node in merged if node["id"] not in lost]
        return []

    def records(self, repository: str) -> Iterator[dict[str, Any]]:
        """The records of the issues that are complete; the others come with a later page."""
        if self.kind == "issue":
            more = {
                name: [item for body in bodies for item in json.loads(body)]
                for name, bodies in self.more.items()
            }
            yield record_from_rest(self.document, more["events"], more["comments"], repository)
        else:
            yield from (record_from_node(node, repository) for node in self.nodes() if not open_lists(node))


def page_of(kind: str, request: dict[str, Any], run: dict[str, Any], answer: Answer, **parts: Any) -> Page:
    """A page from an answer."""
    headers = {
        name: value
        for name, value in answer.headers.items()
        if name in _HEADERS or name.startswith("x-ratelimit-")
    }
    # JSON is UTF-8; what is not (an HTML error) is kept as well as can be.
    body = answer.body.decode(errors="replace")
    page = Page(kind, request, run, body, answer.status, headers, answer.fetched_at.isoformat(), **parts)
    if answer.document is not None:
        # Parsed once already: a page of a hundred issues is a megabyte.
        page.__dict__["document"] = answer.document
    return page


def open_lists(node: dict[str, Any]) -> list[tuple[str, str]]:
    """Lists of an issue that go on: (name, cursor)."""
    return [
        (name, info["endCursor"])
        for name in LISTS
        if (info := (node.get(name) or {}).get("pageInfo") or {}).get("hasNextPage")
    ]


def merge_lists(
    base: list[dict[str, Any]], lists: list[list[str]], document: dict[str, Any]
) -> list[dict[str, Any]]:
    """The issues of `base` with what the answer adds to their lists; alias `n0` goes on with `lists[0]`, ….

    An issue that the answer does not know any more is left out.
    """
    issues = {node["id"]: dict(node) for node in base}
    for index, (identifier, name) in enumerate(lists):
        answer = document["data"].get(f"n{index}")
        if not answer:
            issues.pop(identifier, None)
        elif identifier in issues:
            issue, added = issues[identifier], answer[name]
            issue[name] = {
                "pageInfo": added["pageInfo"],
                "nodes": [*issue[name]["nodes"], *added["nodes"]],
            }
    return list(issues.values())


def write_page(path: Path, page: Page) -> None:
    """Write a page file, whole or not at all."""
    moment = round(datetime.fromisoformat(page.fetched_at).timestamp() * 1e6) * 1000
    write_json(path, {field.name: getattr(page, field.name) for field in fields(page)}, moment)


def read_page(path: Path) -> Page:
    """Read a page file."""
    return Page(**read_json(path))


def write_json(path: Path, content: dict[str, Any], modified_ns: int | None = None) -> None:
    """Write compressed JSON to a temporary name, make it durable, and give it its own name.

    `modified_ns` becomes the file's time: of a landed file that is when it was fetched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.partial")
    # No time in the header: equal content has equal bytes.
    data = gzip.compress(json.dumps(content, separators=(",", ":")).encode(), _COMPRESSION, mtime=0)
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if modified_ns is not None:
            os.utime(temporary, ns=(modified_ns, modified_ns))
        move_into_place(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def read_json(path: Path) -> Any:
    """Read compressed JSON.

    Raises
    ------
    GitHubError
        If the file is damaged.
    """
    try:
        return json.loads(gzip.decompress(path.read_bytes()))
    except (gzip.BadGzipFile, EOFError, zlib.error, ValueError) as error:
        raise GitHubError(
            f"The landed file {path} is damaged ({error}): remove it and run again with full_refresh."
        ) from None


def read_record_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the records of a page file as lines of JSON with their numbers, from 1.

    The repository's name is the present one, whatever it was when the page was fetched.
    """
    repository = json.loads((path.parent / REPOSITORY_FILE).read_text())["name"]
    for number, record in enumerate(read_page(path).records(repository), start=1):
        yield number, json.dumps(record).encode()
