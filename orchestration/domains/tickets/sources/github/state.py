"""What is known of a repository, read from the files of its folder: there is no other checkpoint.

    0001-backfill-000001-issues.page.json.gz     pages, in the order in which they were fetched
    0001-backfill-000002-lists.page.json.gz
    0002-backfill-done-0001.json.gz              run 1 is complete, and what is known since
    0003-increment-000001-issues.page.json.gz    …
    repository.json                              the present name

A run is named by its number and mode. Names sort as the files were written.
"""

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ml.store.files import move_into_place
from orchestration.domains.tickets.sources.github.errors import GitHubError
from orchestration.domains.tickets.sources.github.pages import (
    REPOSITORY_FILE,
    SUFFIX,
    Page,
    open_lists,
    read_json,
    read_page,
    write_json,
    write_page,
)

BACKFILL, INCREMENT, SWEEP = "backfill", "increment", "sweep"
_NAME = re.compile(
    rf"(\d{{4,}})-(backfill|increment|sweep)-(?:(\d{{6}})-\w+{re.escape(SUFFIX)}|done-(\d{{4,}})\.json\.gz)"
)


@dataclass
class Known:
    """What the finished runs of a repository add up to.

    Attributes
    ----------
    watermark : str or None
        Every change before this time (ISO 8601, UTC) has landed.
    numbers : set of int
        Issues that landed.
    tombstones : dict
        number -> {"reason", "seen_at"} of issues that are gone.
    """

    watermark: str | None = None
    numbers: set[int] = field(default_factory=set)
    tombstones: dict[int, dict[str, str]] = field(default_factory=dict)

    @property
    def alive(self) -> set[int]:
        """Issues that landed and are not known to be gone."""
        return self.numbers - self.tombstones.keys()


@dataclass
class Run:
    """One pass over a repository, as its page files tell.

    Attributes
    ----------
    folder : Path
        Of the repository.
    number, mode : int and str
        Which run it is.
    facts : dict
        What each of its pages repeats: mode, started_at, since.
    cursor, is_last_page_here : str and bool
        Where the next page begins, unless the last one is here.
    pending : dict
        Issues (by node id) some of whose lists go on.
    landed, seen : set of int
        Issues that landed whole; issues that a sweep found.
    dead_letters : list of dict
        What could not be had, with its reason.
    """

    folder: Path
    number: int
    mode: str
    facts: dict[str, Any]
    pages: int = 0
    cursor: str | None = None
    is_last_page_here: bool = False
    pending: dict[str, dict[str, Any]] = field(default_factory=dict)
    landed: set[int] = field(default_factory=set)
    seen: set[int] = field(default_factory=set)
    cursors: set[str] = field(default_factory=set)
    tombstones: dict[int, dict[str, str]] = field(default_factory=dict)
    dead_letters: list[dict[str, Any]] = field(default_factory=list)
    totals: list[int] = field(default_factory=list)
    everything: int | None = None
    drift: Counter[str] = field(default_factory=Counter)

    def add(self, page: Page) -> None:
        """Write the page; only when it is durable does it count.

        Raises
        ------
        GitHubError
            If no records can be made of it: it must not land, since every later load would fail on it.
        """
        try:
            for _ in page.records(""):
                pass
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise GitHubError(f"GitHub: schema error: an answer of another shape ({error!r})") from None
        name = f"{self.number:04d}-{self.mode}-{self.pages + 1:06d}-{page.kind}{SUFFIX}"
        write_page(self.folder / name, page)
        self.apply(page)

    def apply(self, page: Page) -> None:
        """Take up what a page says."""
        self.pages += 1
        self.dead_letters += page.note.get("dead_letters", [])
        self.drift.update(page.note.get("drift", {}))
        for number, tombstone in page.note.get("tombstones", {}).items():
            self.tombstones[int(number)] = tombstone
        if page.kind in ("issues", "numbers"):
            self._turn_page(page.document["data"]["repository"])
        if page.kind == "issue":
            self.landed.add(page.note["number"])
        if "cursor" in page.note:
            self.cursor, self.is_last_page_here = page.note["cursor"], page.note["is_last_page"]
            self.cursors.add(page.note["cursor"])
        for node in page.base:
            self.pending.pop(node["id"], None)
        for node in page.nodes():
            if open_lists(node):
                self.pending[node["id"]] = node
            else:
                self.landed.add(node["number"])

    def _turn_page(self, repository: dict[str, Any]) -> None:
        issues = repository["issues"]
        info = issues["pageInfo"]
        self.cursor, self.is_last_page_here = info["endCursor"] or self.cursor, not info["hasNextPage"]
        self.cursors.add(self.cursor or "")
        self.totals.append(issues["totalCount"])
        if "everything" in repository:
            self.everything = repository["everything"]["totalCount"]
        else:
            self.seen.update(node["number"] for node in issues["nodes"] if node)

    def finish(self, known: Known, watermark: str | None) -> Known:
        """Write that the run is complete; what is known since then."""
        # An issue that landed after its tombstone has come back.
        tombstones = {
            number: stone for number, stone in known.tombstones.items() if number not in self.landed
        }
        result = Known(
            watermark or known.watermark, known.numbers | self.landed, {**tombstones, **self.tombstones}
        )
        write_json(
            self.folder / f"{_next_number(self.folder):04d}-{self.mode}-done-{self.number:04d}.json.gz",
            {
                "watermark": result.watermark,
                "numbers": sorted(result.numbers),
                "tombstones": result.tombstones,
                "dead_letters": self.dead_letters,
            },
        )
        return result


@dataclass
class Folder:
    """The folder of one repository.

    Parameters
    ----------
    path : Path
        It is made when the first file is.
    """

    path: Path

    @property
    def name(self) -> str:
        """The repository's present name."""
        return str(self._description()["name"])

    @property
    def former_names(self) -> list[str]:
        """Names that it had before."""
        return list(self._description()["former_names"])

    def _description(self) -> dict[str, Any]:
        return dict(json.loads((self.path / REPOSITORY_FILE).read_text()))

    def page_files(self) -> list[Path]:
        """The page files, oldest first."""
        return [path for path in _files(self.path) if path.name.endswith(SUFFIX)]

    def known(self) -> Known:
        """What the finished runs add up to: the one that finished last says it all."""
        done = [path for path in _files(self.path) if not path.name.endswith(SUFFIX)]
        if not done:
            return Known()
        facts = read_json(done[-1])
        tombstones = {int(number): stone for number, stone in facts["tombstones"].items()}
        return Known(facts["watermark"], set(facts["numbers"]), tombstones)

    def open_run(self, *modes: str) -> Run | None:
        """The newest run of one of the modes, if it is not complete."""
        runs: dict[tuple[int, str], list[Path]] = {}
        done = set()
        for path in _files(self.path):
            number, mode, _, finished = _parts(path)
            if finished:
                done.add(int(finished))
            elif mode in modes:
                runs.setdefault((int(number), mode), []).append(path)
        if not runs or max(runs)[0] in done:
            return None
        newest = max(runs)
        run = Run(self.path, *newest, facts={})
        for path in runs[newest]:
            page = read_page(path)
            run.facts = page.run
            run.apply(page)
        return run

    def new_run(self, mode: str, facts: dict[str, Any]) -> Run:
        """A run after all others."""
        return Run(self.path, _next_number(self.path), mode, {"mode": mode, **facts})

    def describe(self, identifier: int, name: str) -> list[str]:
        """Keep the repository's present name; its former names are returned."""
        path = self.path / REPOSITORY_FILE
        before = json.loads(path.read_text()) if path.exists() else {"name": name, "former_names": []}
        former = [*before["former_names"], before["name"]]
        # A repository may take an old name again.
        former = [old for old in dict.fromkeys(former) if old != name]
        now = {"id": identifier, "name": name, "former_names": former}
        if now != before:
            self.path.mkdir(parents=True, exist_ok=True)
            temporary = self.path / f".{REPOSITORY_FILE}.partial"
            temporary.write_text(json.dumps(now))
            move_into_place(temporary, path)
        return former

    def clean(self) -> None:
        """Remove what a killed run left half-written."""
        for path in self.path.glob(".*.partial"):
            path.unlink()


def _files(folder: Path) -> list[Path]:
    found = folder.iterdir() if folder.is_dir() else iter(())
    return sorted((path for path in found if _NAME.fullmatch(path.name)), key=_order)


def _order(path: Path) -> tuple[int, str]:
    number, _, rest = path.name.partition("-")
    return int(number), rest


def _parts(path: Path) -> tuple[str, ...]:
    match = _NAME.fullmatch(path.name)
    assert match is not None  # only such files are listed
    return match.groups("")


def _next_number(folder: Path) -> int:
    return max((int(_parts(path)[0]) for path in _files(folder)), default=0) + 1
