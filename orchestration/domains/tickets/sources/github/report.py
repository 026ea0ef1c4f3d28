"""What one run did for one repository, as the orchestrator shows it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

_COLUMNS: dict[str, Callable[["RepositoryReport"], str]] = {
    "repository": lambda report: report.repository,
    "pass": lambda report: report.mode or "",
    "watermark (UTC)": lambda report: (report.watermark or "none").removesuffix("+00:00"),
    "issues": lambda report: f"{report.issues:,} of {report.total:,}" if report.total is not None else "0",
    "known": lambda report: f"{report.known:,}",
    "gone": lambda report: f"{report.gone:,}",
    "requests": lambda report: f"{report.requests:,}",
    "points": lambda report: f"{report.points:,}",
    "quota left": lambda report: "?" if report.quota_left is None else f"{report.quota_left:,}",
    "seconds": lambda report: f"{report.seconds:,.0f}",
    "expected end (UTC)": lambda report: (
        f"{report.expected_end:%Y-%m-%d %H:%M:%S}" if report.error and report.expected_end else "reached"
    ),
    "remarks": lambda report: "; ".join(
        [
            *([report.failure] if report.failure else []),
            *(f"{count} times: {change}" for change, count in sorted(report.drift.items())),
            *report.warnings,
        ]
    ),
}


@dataclass
class RepositoryReport:
    """The account of one repository.

    Attributes
    ----------
    mode : str
        `backfill`, `increment` or `sweep` (the last thing begun).
    watermark : str or None
        Every change before it has landed.
    issues, total : int
        Issues landed in this pass, and how many there are to land.
    known, gone : int
        Issues known in all; of them gone (tombstones).
    requests, points : int
        What this run cost: HTTP requests and GraphQL points.
    quota_left : int or None
        GraphQL points left in this hour.
    issues_per_second : float
        Of this pass.
    expected_end : datetime or None
        When the pass will be over at this speed; None when it is.
    dead_letters : list of dict
        Issues that could not be had, with the reason.
    resume_at : datetime or None
        When to run again, after a planned stop.
    error : str or None
        Why it failed.
    """

    repository: str
    id: int | None = None
    mode: str | None = None
    watermark: str | None = None
    issues: int = 0
    total: int | None = None
    known: int = 0
    gone: int = 0
    requests: int = 0
    points: int = 0
    seconds: float = 0.0
    server_seconds: float = 0.0
    issues_per_second: float = 0.0
    quota_left: int | None = None
    expected_end: datetime | None = None
    former_names: list[str] = field(default_factory=list)
    dead_letters: list[dict[str, Any]] = field(default_factory=list)
    drift: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    resume_at: datetime | None = None
    error: str | None = None

    def note_progress(self, landed: int, total: int | None, now: datetime, started: datetime) -> None:
        """Take note of how far the pass is; `landed` since `started`."""
        self.issues, self.total = landed, total
        self.seconds = (now - started).total_seconds()
        self.issues_per_second = landed / self.seconds if self.seconds > 0 else 0.0
        left = (total or 0) - landed
        self.expected_end = (
            now + timedelta(seconds=left / self.issues_per_second)
            if left > 0 and self.issues_per_second > 0
            else None
        )

    @property
    def failure(self) -> str | None:
        """One sentence when something is missing."""
        if self.error:
            return f"{self.repository}: {self.error}"
        if self.dead_letters:
            first = self.dead_letters[0]
            number = first.get("number") or "one of unknown number"
            return (
                f"{self.repository}: {len(self.dead_letters)} dead letters (issues that could not be had),"
                f" first {number}: {first['reason']}; a run with sweep tries them again."
            )
        return None


def reports_table(reports: Sequence[RepositoryReport]) -> str:
    """The reports as a Markdown table, one row per repository."""
    rows = [[cell(report).replace("|", "\\|") for cell in _COLUMNS.values()] for report in reports]
    return "\n".join(f"| {' | '.join(row)} |" for row in [list(_COLUMNS), ["---"] * len(_COLUMNS), *rows])
