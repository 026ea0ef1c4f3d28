"""A source at work on the fake, for the unit tests of the client."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from orchestration.domains.tickets.sources.github import GitHubSource
from orchestration.domains.tickets.sources.github.wire.transport import Transport
from tests.fake_github import TOKEN, FakeGitHub, World, running
from tests.fake_github.seed import generate_issues

NAME = "owner/name"


def world_of(count: int) -> World:
    world = World()
    generate_issues(world, NAME, count)
    return world


@contextmanager
def serving(world: World, **options: Any) -> Iterator[FakeGitHub]:
    with running(FakeGitHub(world, **options)) as fake:
        yield fake


def transport(fake: FakeGitHub, *tokens: str, **options: Any) -> Transport:
    return Transport(tokens or (TOKEN,), base_url=fake.base, **{"clock": fake.clock, **options})


def source(fake: FakeGitHub, *repositories: str, **options: Any) -> GitHubSource:
    parameters: dict[str, Any] = {"tokens": (TOKEN,), "clock": fake.clock, "api_url": fake.base, **options}
    return GitHubSource(repositories=repositories or (NAME,), **parameters)


def page_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*.page.json.gz"))
