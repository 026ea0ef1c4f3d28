"""A collector at work on the fake: runs, the table that comes of them, and everything that was written."""

import contextlib
import gzip
import io
import json
import logging
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from orchestration.domains.tickets.landed.loading import load_landed
from orchestration.domains.tickets.landed.repository_changes import replace_tombstones
from orchestration.domains.tickets.sources.github import GitHubSource
from orchestration.store.warehouse import open_pipeline_database
from tests.fake_github import TOKEN, FakeGitHub, Fault, Request, VirtualClock, World, running
from tests.fake_github.seed import generate_issues

NAME = "owner/name"
ISSUES = 250


@dataclass
class Outcome:
    """One run: why it failed, if it did, what was asked and what was said."""

    error: str | None
    requests: list[Request]
    log: str
    source: GitHubSource

    @property
    def pages(self) -> list[Request]:
        """Requests for pages of issues."""
        return [request for request in self.requests if is_page(request)]

    def report(self) -> str:
        """What the source tells of the run."""
        return repr(self.source.reports)

    def gap_after(self, fault: str = "fault") -> float:
        """Virtual seconds between the last request that a fault answered and the next request."""
        last = max(index for index, request in enumerate(self.requests) if request.fault == fault)
        return self.requests[last + 1].at - self.requests[last].at


@dataclass
class Workshop:
    """A folder, and a fake to collect from."""

    fake: FakeGitHub
    folder: Path
    wait_seconds: float = 60.0
    said: list[str] = field(default_factory=list)

    @property
    def clock(self) -> VirtualClock:
        """The fake's clock."""
        assert isinstance(self.fake.clock, VirtualClock)
        return self.fake.clock

    @property
    def landing_dir(self) -> Path:
        """Where files land."""
        return self.folder / "landing"

    @property
    def database(self) -> Path:
        """The pipeline's database."""
        return self.folder / "pipeline.duckdb"

    def run(
        self,
        *,
        repositories: Sequence[str] = (NAME,),
        tokens: Sequence[str] = (TOKEN,),
        clock: Any = None,
        **options: Any,
    ) -> Outcome:
        """Collect once, load what landed, and only then fail, as the asset does."""
        first = len(self.fake.requests)
        source = self.source(repositories, tokens, clock or self.fake.clock, **options)
        error: str | None = None
        with self._listening() as log:
            try:
                self.load(source)
                error = "; ".join(source.failures) or None
            except Exception as raised:
                error = str(raised)
                self.said.append("".join(traceback.format_exception(raised)))
        self.said += [log.getvalue(), repr(source), str(error), "; ".join(source.failures)]
        return Outcome(error, self.fake.requests[first:], log.getvalue(), source)

    def source(
        self,
        repositories: Sequence[str] = (NAME,),
        tokens: Sequence[str] = (TOKEN,),
        clock: Any = None,
        **options: Any,
    ) -> GitHubSource:
        """A source that asks the fake; by this machine's clock when none is given."""
        timed = {} if clock is None else {"clock": clock}
        return GitHubSource(
            repositories=tuple(repositories),
            tokens=tuple(tokens),
            api_url=self.fake.base,
            **timed,
            **options,
        )

    def load(self, source: GitHubSource) -> None:
        """Land and load."""
        files = source.land(self.landing_dir)
        with open_pipeline_database(self.database, wait_seconds=self.wait_seconds) as connection:
            load_landed(connection, files, source=source.name)
            replace_tombstones(connection, source.tombstones(self.landing_dir))

    def tombstones(self) -> dict[int, str]:
        """Reasons of the issues that are known to be gone."""
        with open_pipeline_database(self.database) as connection:
            return dict(connection.execute("select number, reason from raw.tombstones").fetchall())

    def table(self) -> dict[tuple[str, int], dict[str, Any]]:
        """The raw table: the record of each issue."""
        with open_pipeline_database(self.database) as connection:
            rows = connection.execute("select repository, number, record from raw.issues").fetchall()
        table = {(repository, number): json.loads(record) for repository, number, record in rows}
        assert len(table) == len(rows), "a key occurs twice"
        return table

    def written(self) -> Iterator[bytes]:
        """Every byte that a run left: files (unpacked), log and exceptions."""
        for path in self.folder.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                yield content
                if path.suffix == ".gz":
                    yield gzip.decompress(content)
        yield from (text.encode() for text in self.said)

    def keeps_the_token(self, *tokens: str) -> bool:
        """Whether no token is in anything that was written."""
        secrets = [token.encode() for token in (tokens or (TOKEN,))]
        return not any(secret in content for content in self.written() for secret in secrets)

    @contextlib.contextmanager
    def _listening(self) -> Iterator[io.StringIO]:
        text = io.StringIO()
        handler = logging.StreamHandler(text)
        root = logging.getLogger()
        level = root.level
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        try:
            yield text
        finally:
            root.removeHandler(handler)
            root.setLevel(level)


def is_page(request: Request) -> bool:
    """A request for a page of whole issues."""
    return request.is_graphql and "orderBy" in request.query_text and "title" in request.query_text


def standard_world(count: int = ISSUES) -> World:
    """The world of most fault tests: three pages of issues, and a pull request."""
    world = World()
    generate_issues(world, NAME, count)
    world.create(NAME, "A change", pull_request=True)
    return world


@contextlib.contextmanager
def workshop(folder: Path, world: World | None = None, faults: Sequence[Fault] = ()) -> Iterator[Workshop]:
    """A workshop with a running fake."""
    with running(FakeGitHub(world or standard_world()), faults) as fake:
        yield Workshop(fake, folder)


@dataclass(frozen=True)
class Reference:
    """What the run without faults brings, and what it costs."""

    table: dict[tuple[str, int], dict[str, Any]]
    requests: int
    pages: int


@lru_cache(maxsize=1)
def reference() -> Reference:
    """The run of the standard world without faults."""
    with tempfile.TemporaryDirectory() as folder, workshop(Path(folder)) as shop:
        outcome = shop.run()
        assert outcome.error is None, outcome.error
        assert len(shop.table()) == ISSUES
        return Reference(shop.table(), len(outcome.requests), len(outcome.pages))


def assert_unharmed(shop: Workshop, outcome: Outcome, extra: int = 0) -> None:
    """The oracle of all faults that can be survived in one run."""
    assert outcome.error is None, outcome.error
    assert shop.table() == reference().table
    assert len(outcome.requests) <= reference().requests + extra
    assert shop.keeps_the_token()


def facts(world: World, name: str = NAME) -> dict[tuple[str, int], dict[str, Any]]:
    """What the fake itself says of each issue: an oracle that owes nothing to the collector."""
    repository = world.find(name)
    assert repository is not None
    return {
        (repository.full_name, issue.number): {
            "id": issue.id,
            "title": issue.title,
            "body": issue.body or None,
            "state": issue.state,
            "state_reason": issue.state_reason,
            "updated_at": issue.updated_at,
            "closed_at": issue.closed_at,
            "assignees": sorted(_login(who) for who in issue.assignees),
            "labels": sorted(label.name for label in issue.labels),
            "events": [(event.kind, event.created_at) for event in _sorted(issue.events)],
            "comments_data": [comment.created_at for comment in _sorted(issue.comments)],
        }
        for issue in repository.issues.values()
        if not issue.is_pull_request
    }


def facts_in(table: dict[tuple[str, int], dict[str, Any]]) -> dict[tuple[str, int], dict[str, Any]]:
    """The same of the collector's table."""
    as_they_are = ("id", "title", "body", "state", "state_reason", "updated_at", "closed_at")
    return {
        key: {
            **{name: record[name] for name in as_they_are},
            "assignees": sorted(who["login"] for who in record["assignees"]),
            "labels": sorted(label["name"] for label in record["labels"]),
            "events": [(event["event"], event["created_at"]) for event in record["events"]],
            "comments_data": [comment["created_at"] for comment in record["comments_data"]],
        }
        for key, record in table.items()
    }


def _login(who: Any) -> str:
    return f"{who.login}[bot]" if who.kind == "Bot" else str(who.login)


def _sorted(items: Any) -> Any:
    return sorted(items, key=lambda item: (item.created_at, item.id))
