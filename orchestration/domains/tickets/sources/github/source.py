"""The source: every configured repository, one after the other; what has landed stays whatever happens."""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml.store.lock import LockedError, only_one
from orchestration.domains.tickets.sources.github.errors import GitHubError, OutOfTimeError
from orchestration.domains.tickets.sources.github.pages import REPOSITORY_FILE
from orchestration.domains.tickets.sources.github.probe import Identity
from orchestration.domains.tickets.sources.github.report import RepositoryReport, reports_table
from orchestration.domains.tickets.sources.github.state import BACKFILL, INCREMENT, SWEEP, Folder, Known, Run
from orchestration.domains.tickets.sources.github.walk.backfill import backfill
from orchestration.domains.tickets.sources.github.walk.increment import increment, since
from orchestration.domains.tickets.sources.github.walk.resolve import refuse_reused_name, resolve
from orchestration.domains.tickets.sources.github.walk.sweep import sweep
from orchestration.domains.tickets.sources.github.wire.clock import Clock, SystemClock
from orchestration.domains.tickets.sources.github.wire.transport import Answer, Transport
from orchestration.domains.tickets.sources.source import Source, Tombstone
from orchestration.store.landing import LandedFile, describe_file

if TYPE_CHECKING:
    from orchestration.settings import Settings

logger = logging.getLogger(__name__)

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
DEFAULT_URL = "https://api.github.com"
_RECORD_KINDS = ("-issues.", "-lists.", "-issue.")


@dataclass
class GitHubSource(Source):
    """Issues live from GitHub.

    Parameters
    ----------
    tokens : sequence of str
        Personal access tokens.
    repositories : sequence of str
        `owner/name` each.
    api_url : str
        Of the REST API; another one for GitHub Enterprise.
    full_refresh : bool
        Fetch everything again instead of what changed.
    is_sweep : bool
        Look for issues that are gone, after the increment.
    budget_seconds : float
        The longest that a run may take.
    clock, deadline_seconds
        As `Transport` has them.

    Attributes
    ----------
    reports : list of RepositoryReport
        After `land`: what was done for each repository.
    """

    tokens: Sequence[str] = field(repr=False)
    repositories: Sequence[str]
    api_url: str = DEFAULT_URL
    full_refresh: bool = False
    is_sweep: bool = False
    budget_seconds: float = 4 * 3600.0
    clock: Clock = field(default_factory=SystemClock)
    deadline_seconds: float = 120.0
    name: str = "github"
    reports: list[RepositoryReport] = field(default_factory=list)

    @classmethod
    def from_settings(cls, settings: "Settings", **wishes: Any) -> "GitHubSource":
        """Tokens and repositories of the settings; `repositories`, `full_refresh` and `sweep` of one run."""
        return cls(
            tokens=settings.github_tokens,
            repositories=tuple(wishes.get("repositories") or ()) or settings.github_repositories,
            api_url=settings.github_api_url,
            full_refresh=bool(wishes.get("full_refresh")),
            is_sweep=bool(wishes.get("sweep")),
            budget_seconds=settings.github_budget_seconds,
        )

    @property
    def failures(self) -> list[str]:  # type: ignore[override]
        """What is missing after `land`, a sentence per repository; the caller raises it after loading."""
        return [failure for report in self.reports if (failure := report.failure)]

    def land(self, landing_dir: Path) -> list[LandedFile]:
        """Fetch what is new, and list every page file that holds records.

        A repository that fails does not keep the others from landing: see `failures`.

        Raises
        ------
        GitHubError
            If there is no token or no repository, or another run is at it.
        """
        if not self.repositories:
            raise GitHubError("ISSUES_SOURCE=github needs GITHUB_REPOS=owner/name,owner/name.")
        for name in self.repositories:
            if not _REPOSITORY.fullmatch(name):
                raise GitHubError(f"{name!r} is no repository: GITHUB_REPOS takes owner/name,owner/name.")
        folder = landing_dir / self.name
        transport = Transport(
            self.tokens,
            base_url=self.api_url,
            clock=self.clock,
            budget_seconds=self.budget_seconds,
            deadline_seconds=self.deadline_seconds,
        )
        try:
            # Two at once would spend the quota twice and number their pages alike.
            with only_one(folder / ".lock", f"is fetching from GitHub into {folder}"):
                self.reports = [
                    self._fetch(transport, name, folder) for name in dict.fromkeys(self.repositories)
                ]
        except LockedError as error:
            raise GitHubError(str(error)) from None
        finally:
            transport.close()
        return [
            describe_file(path, landing_dir, renames)
            for repository in _folders(folder)
            for renames in [tuple((old, repository.name) for old in repository.former_names)]
            for path in repository.page_files()
            if any(kind in path.name for kind in _RECORD_KINDS)
        ]

    def reports_table(self) -> str:
        """The reports as a Markdown table."""
        return reports_table(self.reports)

    def facts(self) -> Mapping[str, int | str]:
        """What fetching cost, and how far each repository is."""
        return {
            "requests": sum(report.requests for report in self.reports),
            "points": sum(report.points for report in self.reports),
            "state_per_repository": self.reports_table(),
        }

    def tombstones(self, landing_dir: Path) -> list[Tombstone]:
        """The issues of all repositories that are known to be gone."""
        return [
            Tombstone(folder.name, number, stone["reason"], _utc(stone["seen_at"]))
            for folder in _folders(landing_dir / self.name)
            for number, stone in sorted(folder.known().tombstones.items())
        ]

    def _fetch(self, transport: Transport, name: str, folder: Path) -> RepositoryReport:
        report = RepositoryReport(name)
        before = (transport.requests, transport.points, transport.server_seconds)
        transport.warnings.clear()
        try:
            self._fetch_repository(transport, name, folder, report)
        except OutOfTimeError as error:
            report.error, report.resume_at = str(error), error.resume_at
        except GitHubError as error:
            report.error = transport.redact(str(error))
        except OSError as error:
            # A full disk, most likely. Nothing is half-written: the next run goes on at the same page.
            report.error = f"cannot write to {folder}: {error.strerror or error}"
        report.requests, report.points = transport.requests - before[0], transport.points - before[1]
        report.server_seconds = transport.server_seconds - before[2]
        report.quota_left = transport.left()
        report.warnings += sorted(transport.warnings)
        if report.error:
            logger.error("%s: %s", name, report.error)
        return report

    def _fetch_repository(
        self, transport: Transport, name: str, folder: Path, report: RepositoryReport
    ) -> None:
        identity, answer = resolve(transport, name, folder)
        refuse_reused_name(folder, identity)
        repository = Folder(folder / str(identity.id))
        repository.clean()
        report.repository, report.id = identity.name, identity.id
        report.former_names = repository.describe(identity.id, identity.name)
        known = repository.known()
        report.watermark, report.known, report.gone = (
            known.watermark,
            len(known.numbers),
            len(known.tombstones),
        )
        run = self._next_run(repository, known, answer)
        known = self._pass(transport, run, identity, known, report)
        # The total says how many there are; that more are known to us means that some are gone.
        surplus = 0 if run.everything is None else len(known.alive) - run.everything
        if self.is_sweep or surplus > 0:
            run = repository.open_run(SWEEP) or repository.new_run(SWEEP, _facts(answer))
            self._pass(transport, run, identity, known, report)
        elif surplus < 0:
            report.warnings.append(f"{-surplus} issues never landed: a run with sweep fetches them")

    def _next_run(self, repository: Folder, known: Known, answer: Answer) -> Run:
        """Go on with what was interrupted, or fetch what changed, or everything."""
        run = repository.open_run(BACKFILL, INCREMENT)
        if run and (run.mode == BACKFILL or not self.full_refresh):
            return run
        if self.full_refresh or known.watermark is None:
            return repository.new_run(BACKFILL, _facts(answer))
        return repository.new_run(INCREMENT, {**_facts(answer), "since": since(known.watermark)})

    def _pass(
        self, transport: Transport, run: Run, identity: Identity, known: Known, report: RepositoryReport
    ) -> Known:
        started, landed_before = self.clock.now(), len(run.landed | run.seen)
        report.mode = run.mode

        def progress(run: Run) -> None:
            landed = len(run.landed | run.seen) - landed_before
            total = run.totals[0] - landed_before if run.totals else None
            report.note_progress(landed, total, self.clock.now(), started)
            report.dead_letters, report.drift = run.dead_letters, dict(run.drift)
            if run.pages % 10 == 0 or (run.is_last_page_here and not run.pending):
                logger.info(
                    "%s, %s: %d of %s issues, %.1f/s, %s points left, end expected %s",
                    *(identity.name, run.mode, landed, total, report.issues_per_second, transport.left()),
                    f"{report.expected_end:%H:%M:%S} UTC" if report.expected_end else "now",
                )

        action = {BACKFILL: backfill, INCREMENT: increment, SWEEP: sweep}[run.mode]
        known = action(transport, run, identity, known, progress)
        # Of a run that was killed after its last page nothing is left to fetch, and still all to tell.
        report.dead_letters, report.drift = run.dead_letters, dict(run.drift)
        report.watermark, report.known, report.gone = (
            known.watermark,
            len(known.numbers),
            len(known.tombstones),
        )
        return known


def _facts(answer: Answer) -> dict[str, str]:
    """When the run started, by the server's clock: it is the server's times that are compared with it."""
    return {"started_at": f"{answer.server_now.astimezone(UTC):%Y-%m-%dT%H:%M:%S}+00:00"}


def _folders(folder: Path) -> list[Folder]:
    found = folder.iterdir() if folder.is_dir() else iter(())
    return [Folder(path) for path in sorted(found) if (path / REPOSITORY_FILE).exists()]


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)
