"""The REST shape of the synthetic issues: accounts, labels, assignees, events, comments. No durations."""

import random
from datetime import datetime, timedelta
from typing import Any

from orchestration.domains.tickets.sources.sample_process import SNAPSHOT, Closing, Issue, Repository
from orchestration.domains.tickets.sources.sample_text import compose_comment

Record = dict[str, Any]


class People:
    """The accounts of one repository: few maintainers, some regulars, many who come once, bots and ghosts."""

    def __init__(self, rng: random.Random, project: str) -> None:
        self._rng = rng
        self._project = project
        self._newcomers = 0
        self.maintainers = [f"{project}-maintainer-{index}" for index in range(1, 5)]
        self.bot = f"{project}-ci[bot]"

    def author(self) -> Record | None:
        """Draw an author; None is an account of which nothing is known."""
        groups = {"maintainer": 200, "regular": 420, "newcomer": 310, "bot": 50, "ghost": 15, "unknown": 5}
        group = self._rng.choices(list(groups), list(groups.values()))[0]
        if group == "maintainer":
            return {"login": self._rng.choice(self.maintainers), "type": "User"}
        if group == "regular":
            # The square makes some of them come far more often than others.
            index = int(25 * self._rng.random() ** 2) + 1
            return {"login": f"{self._project}-regular-{index}", "type": "User"}
        if group == "newcomer":
            self._newcomers += self._newcomers == 0 or self._rng.random() < 0.7
            return {"login": f"{self._project}-user-{self._newcomers}", "type": "User"}
        if group == "bot":
            return {"login": self.bot, "type": "Bot"}
        return {"login": "ghost", "type": "User"} if group == "ghost" else None

    def association(self, author: Record | None, opened_before: int) -> str:
        """Return the author's association with the repository, in GitHub's words."""
        if author and author["login"] in self.maintainers:
            return "OWNER" if author["login"] == self.maintainers[0] else "MEMBER"
        return "CONTRIBUTOR" if opened_before >= 3 else "NONE"


def to_record(
    rng: random.Random,
    repository: Repository,
    people: People,
    issue: Issue,
    author: Record | None,
    closing: tuple[datetime, Closing] | None,
) -> Record:
    """Tell the story of one issue until the snapshot, as the REST API would."""
    closed_at, reason = closing or (None, None)
    closer = people.bot if reason is Closing.IN_BULK else rng.choice(people.maintainers)
    end = closed_at or SNAPSHOT
    assignee = rng.choice(people.maintainers) if rng.random() < 0.4 else None
    events, labels = _events(rng, issue, end, closing, closer, assignee if rng.random() < 0.85 else None)
    comments = _comments(rng, people, issue, author, end)
    times = [issue.created_at, *(when for when, _ in events), *(when for when, _ in comments)]
    is_resolved = reason in (Closing.RESOLVED, Closing.REOPENED)
    association = people.association(author, issue.opened_before)
    return {
        "repository": repository.name,
        "id": int(repository.log_hours * 10) * 100_000 + issue.number,
        "number": issue.number,
        "title": issue.text.title,
        "body": issue.text.body,
        "state": "closed" if closed_at else "open",
        "state_reason": ("completed" if is_resolved else "not_planned") if closed_at else None,
        "created_at": _iso(issue.created_at),
        "updated_at": _iso(max(times)),
        "closed_at": _iso(closed_at) if closed_at else None,
        "user": author,
        "author_association": association if repository.has_associations else None,
        "assignees": ([{"login": assignee}] if assignee else []) if repository.knows_assignees else None,
        "labels": [{"name": label} for label in labels],
        "milestone": {"title": f"2.{issue.created_at.month}"} if rng.random() < 0.1 else None,
        "comments": len(comments),
        "pull_request": True if issue.is_pull_request else None,
        "locked": False,
        "closed_by": {"login": closer} if closed_at else None,
        "comments_data": [comment for _, comment in comments],
        "events": [event for _, event in events] if repository.has_events else None,
        "source": "synthetic",
    }


def _events(
    rng: random.Random,
    issue: Issue,
    end: datetime,
    closing: tuple[datetime, Closing] | None,
    closer: str,
    assignee: str | None,
) -> tuple[list[tuple[datetime, Record]], list[str]]:
    events: list[tuple[datetime, Record]] = []
    labels: list[str] = []

    def happen(when: datetime, event: str, *, label: str | None = None, to: str | None = None) -> None:
        record = {"event": event, "created_at": _iso(when), "actor": {"login": closer}}
        events.append((when, record | {"assignee": {"login": to} if to else None, "label": label}))
        if event == "labeled" and label:
            labels.append(label)

    def during(share: float) -> datetime:
        return issue.created_at + timedelta(seconds=int((end - issue.created_at).total_seconds() * share))

    # Triage comes soon, but never after the end.
    triaged_at = min(issue.created_at + timedelta(minutes=rng.randrange(5, 2000)), end)
    if rng.random() < 0.8:
        happen(triaged_at, "labeled", label=issue.kind)
    if issue.text.severity == "urgent" and rng.random() < 0.6:
        happen(triaged_at, "labeled", label="priority: high, [blocker]")
    if rng.random() < 0.1:
        happen(triaged_at, "labeled", label="good first issue")
    if assignee:
        happen(max(triaged_at, during(0.2 * rng.random())), "assigned", to=assignee)
    if closing:
        closed_at, reason = closing
        if reason is Closing.REOPENED:
            happen(during(0.4), "closed")
            happen(during(0.6), "reopened")
        if reason is Closing.IN_BULK:
            happen(closed_at, "labeled", label="stale")
        elif rng.random() < 0.1:
            # A label that gives the outcome away: it must never be a feature.
            happen(closed_at, "labeled", label="closed: fixed")
        happen(closed_at, "closed")
    return sorted(events, key=lambda event: event[0]), labels


def _comments(
    rng: random.Random, people: People, issue: Issue, author: Record | None, end: datetime
) -> list[tuple[datetime, Record]]:
    seconds = int((end - issue.created_at).total_seconds())
    # A few people comment on what is closed already.
    times = sorted(
        min(issue.created_at + timedelta(seconds=rng.randrange(1, seconds + 90_000)), SNAPSHOT)
        for _ in range(rng.choice((0, 0, 1, 1, 2, 3, 5)))
    )
    comments: list[tuple[datetime, Record]] = []
    for when in times:
        user = {"login": rng.choice(people.maintainers)} if rng.random() < 0.6 else author
        comment = {
            "user": user and {"login": user["login"]},
            "author_association": people.association(user, issue.opened_before),
            "created_at": _iso(when),
            "body": None if issue.is_pull_request else compose_comment(rng),
        }
        comments.append((when, comment))
    return comments


def _iso(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
