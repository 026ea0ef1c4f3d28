"""The process behind the synthetic issues: when one is opened, and how long it takes. No words, no JSON.

The time from opening to closing has this natural logarithm of hours:

    repository + kind + sum of keywords + severity + stack trace + author + weekend + noise

- repository: `Repository.log_hours`, from e^2.8 = 16 hours to e^5.2 = 181 hours;
- kind (bug, enhancement, ...), which shows in the words and, from triage on, as a label: `KINDS`;
- keywords and severity, which only the text shows: `KEYWORD_EFFECTS` and `SEVERITY` of `sample_text.py`;
- stack trace: -0.5, and -0.5 more together with the word "crash" (an interaction);
- author: -0.35 log(1 + issues opened before in this repository), but not below -1.4;
- opened at a weekend: +0.3;
- noise: normal, with standard deviation 0.8, but 1.3 for an author's first issue (a bias to be found).

Around it lie the traps of real trackers: issues that nobody ever closes, one day on which the mobile client
closes everything old, issues closed in the second in which they were opened, issues closed and reopened.
"""

import math
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from orchestration.domains.tickets.sources.sample_text import KEYWORD_EFFECTS, SEVERITY, IssueText

FIRST_DAY = datetime(2021, 1, 4)
SNAPSHOT = datetime(2024, 1, 15)
BULK_CLOSING = datetime(2022, 11, 9, 3, 0)

# kind: (weight in a hundred issues, effect on log hours)
KINDS = {
    "bug": (45, 0.0),
    "enhancement": (20, 1.2),
    "question": (18, -1.1),
    "documentation": (9, -0.4),
    "performance": (8, 0.8),
}

_DAYS = (SNAPSHOT - FIRST_DAY).days - 7
_BULK_AGE = timedelta(days=120)
# Share of each hour of the day among all openings, in thousandths: nights are quiet.
_HOURS = (8, 6, 5, 4, 6, 10, 18, 32, 55, 75, 82, 80, 62, 74, 82, 80, 72, 58, 45, 38, 36, 32, 24, 16)


class Closing(Enum):
    """Why an issue is closed."""

    RESOLVED = "resolved"
    REOPENED = "closed, reopened, resolved"
    AT_ONCE = "closed in the second of its creation"
    IN_BULK = "closed with everything old"


@dataclass(frozen=True)
class Repository:
    """One synthetic repository: its size, its pace, and what its source leaves out."""

    name: str
    issues: int
    pull_requests: int
    log_hours: float
    vocabulary: tuple[str, ...]
    has_events: bool = True
    has_associations: bool = True
    knows_assignees: bool = True
    abandoned_share: float = 0.05
    closes_in_bulk: bool = False


REPOSITORIES = (
    Repository(
        "synthetic/web-framework", 900, 100, 3.4,
        ("python", "javascript", "docker", "sql", "api", "timeout", "regression", "unicode", "cache"),
    ),
    Repository(
        "synthetic/data-engine", 700, 80, 4.4,
        ("c++", "sql", "memory", "crash", "python", "windows", "deadlock", "regression"),
    ),
    Repository(
        "synthetic/compiler", 550, 60, 5.2,
        ("rust", "go", "c++", "crash", "memory", "unicode", "windows", "documentation"),
        has_associations=False,
    ),
    Repository(
        "synthetic/mobile-client", 500, 40, 4.6,
        ("kotlin", "c#", "api", "crash", "timeout", "memory", "javascript"),
        has_events=False, knows_assignees=False, abandoned_share=0.15, closes_in_bulk=True,
    ),
    Repository(
        "synthetic/cli-tools", 350, 40, 2.8,
        ("go", "python", "docker", "kubernetes", "windows", "documentation", "crash", "api"),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Issue:
    """What is known of an issue when it is opened."""

    number: int
    kind: str
    text: IssueText
    created_at: datetime
    opened_before: int
    is_pull_request: bool


def draw_creation(rng: random.Random) -> datetime:
    """Draw a time of opening: three years, more on working days and in working hours."""
    day = rng.randrange(_DAYS)
    if (FIRST_DAY + timedelta(days=day)).weekday() >= 5 and rng.random() < 0.6:
        day = rng.randrange(_DAYS)
    hour = rng.choices(range(24), _HOURS)[0]
    return FIRST_DAY + timedelta(days=day, hours=hour, seconds=rng.randrange(3600))


def expected_log_hours(repository: Repository, issue: Issue) -> float:
    """Return the expected natural logarithm of the hours until closing: the process without its noise."""
    text = issue.text
    return (
        repository.log_hours
        + KINDS[issue.kind][1]
        + sum(KEYWORD_EFFECTS[word] for word in text.keywords)
        + SEVERITY[text.severity].effect
        - 0.5 * text.has_stack_trace
        - 0.5 * (text.has_stack_trace and "crash" in text.keywords)
        + max(-1.4, -0.35 * math.log1p(issue.opened_before))
        + 0.3 * (issue.created_at.weekday() >= 5)
    )


def draw_closing(rng: random.Random, repository: Repository, issue: Issue) -> tuple[datetime, Closing] | None:
    """Draw when and why the issue is closed; None while it is open at the time of the snapshot."""
    noise = rng.gauss(0, 0.8 if issue.opened_before else 1.3)
    hours = math.exp(min(expected_log_hours(repository, issue) + noise, 11.0))
    closed_at = issue.created_at + timedelta(seconds=round(hours * 3600))
    chance = rng.random()
    if chance < 0.004:
        return issue.created_at, Closing.AT_ONCE
    if rng.random() < repository.abandoned_share:
        closed_at = datetime.max
    was_old = issue.created_at + _BULK_AGE < BULK_CLOSING
    if repository.closes_in_bulk and was_old and closed_at > BULK_CLOSING and not issue.is_pull_request:
        return BULK_CLOSING + timedelta(seconds=issue.number), Closing.IN_BULK
    if closed_at > SNAPSHOT:
        return None
    return closed_at, Closing.REOPENED if chance < 0.04 and hours > 2 else Closing.RESOLVED
