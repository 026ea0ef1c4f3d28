"""The `sample` source: deterministic synthetic issues in the REST record shape, for trials without any data.

Nothing here is real. Every repository is called `synthetic/...`, every record says `"source": "synthetic"`.
How long an issue takes is drawn from the process that `sample_process.py` documents, so that there is
something to learn; its words come from `sample_text.py`, its REST shape from `sample_record.py`.
"""

import gzip
import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.domains.tickets.sources.sample_process import (
    KINDS,
    REPOSITORIES,
    Issue,
    Repository,
    draw_closing,
    draw_creation,
)
from orchestration.domains.tickets.sources.sample_record import People, to_record
from orchestration.domains.tickets.sources.sample_text import compose
from orchestration.domains.tickets.sources.source import Source
from orchestration.store.landing import LandedFile, land_content

if TYPE_CHECKING:
    from orchestration.settings import Settings

_SEED = 20240115


@dataclass(frozen=True)
class SampleSource(Source):
    """3,000 synthetic issues and 320 pull requests of five repositories; the same bytes every time."""

    name: str = "sample"

    @classmethod
    def from_settings(cls, settings: "Settings", **wishes: Any) -> "SampleSource":
        """There is nothing to set."""
        return cls()

    def land(self, landing_dir: Path) -> list[LandedFile]:
        """Write one compressed dump per repository to `landing_dir`/sample."""
        landed = []
        for repository in REPOSITORIES:
            lines = "".join(json.dumps(record) + "\n" for record in generate_records(repository))
            # mtime=0: the header of a gzip file holds a time, and equal content must have equal bytes.
            content = gzip.compress(lines.encode(), mtime=0)
            name = repository.name.replace("/", "__") + ".jsonl.gz"
            landed.append(land_content([content], name, landing_dir, Path(self.name)))
        return landed


def generate_records(repository: Repository) -> Iterator[dict[str, Any]]:
    """Yield the issues and pull requests of `repository`, ordered by number and by creation."""
    rng = random.Random(f"{_SEED} {repository.name}")
    people = People(rng, repository.name.partition("/")[2])
    opened: Counter[str] = Counter()
    is_pull_request = [True] * repository.pull_requests + [False] * repository.issues
    rng.shuffle(is_pull_request)
    creations = sorted(draw_creation(rng) for _ in is_pull_request)
    for number, (created_at, is_pull) in enumerate(zip(creations, is_pull_request, strict=True), start=1):
        author = people.author()
        login = author["login"] if author else ""
        kind = rng.choices(list(KINDS), [weight for weight, _ in KINDS.values()])[0]
        issue = Issue(
            number=number,
            kind=kind,
            text=compose(rng, kind, repository.vocabulary, number, people.maintainers[0]),
            created_at=created_at,
            opened_before=opened[login],
            is_pull_request=is_pull,
        )
        if not is_pull:
            opened[login] += 1
        yield to_record(rng, repository, people, issue, author, draw_closing(rng, repository, issue))
