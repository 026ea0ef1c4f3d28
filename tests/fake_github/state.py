"""What the fake knows: repositories, issues and their history. Times are texts as GitHub writes them."""

import base64
from dataclasses import dataclass, field
from typing import Literal

ActorKind = Literal["User", "Bot", "Mannequin", "Organization"]
FIRST_BIG_ID = 2**31 + 7


def node_id(prefix: str, number: int | str) -> str:
    """A global id that looks like GitHub's and says nothing to a client."""
    return f"{prefix}_kwDO" + base64.urlsafe_b64encode(str(number).encode()).decode().rstrip("=")


@dataclass(slots=True)
class Actor:
    """Somebody who acts, or to whom something is assigned."""

    login: str
    kind: ActorKind = "User"
    id: int = 0

    @property
    def node_id(self) -> str:
        """The global id, which names the kind by its first letter."""
        return node_id(self.kind[0], self.id or self.login)


@dataclass(slots=True)
class Label:
    """A label of the repository."""

    id: int
    name: str
    color: str = "ededed"
    description: str | None = None


@dataclass(slots=True)
class Event:
    """One item of an issue's history: assigned, unassigned, labeled, unlabeled, closed or reopened."""

    id: int
    kind: str
    created_at: str
    actor: Actor | None
    assignee: Actor | None = None
    label: Label | None = None
    state_reason: str | None = None


@dataclass(slots=True)
class Comment:
    """A comment."""

    id: int
    author: Actor | None
    author_association: str
    body: str
    created_at: str
    updated_at: str
    kind: str = "commented"


@dataclass(slots=True)
class Issue:
    """An issue or a pull request, in the vocabulary of the REST API."""

    id: int
    number: int
    title: str
    body: str | None
    author: Actor | None
    created_at: str
    updated_at: str
    state: str = "open"
    state_reason: str | None = None
    closed_at: str | None = None
    closed_by: Actor | None = None
    author_association: str = "NONE"
    assignees: list[Actor] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    milestone: str | None = None
    locked: bool = False
    comments: list[Comment] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    is_pull_request: bool = False
    repository: "Repository | None" = None

    @property
    def node_id(self) -> str:
        """The global id."""
        return node_id("PR" if self.is_pull_request else "I", self.id)


@dataclass(slots=True)
class Missing:
    """Why a number has no issue any more: deleted, or moved to another repository and number."""

    deleted_at: str
    moved_to: tuple[int, int] | None = None


@dataclass(slots=True)
class Repository:
    """A repository; its issues are listed in two orders, renewed when something changed."""

    id: int
    owner: Actor
    name: str
    created_at: str = "2009-10-22T00:00:00Z"
    is_private: bool = False
    is_archived: bool = False
    has_issues: bool = True
    blocked: bool = False
    issues: dict[int, Issue] = field(default_factory=dict)
    missing: dict[int, Missing] = field(default_factory=dict)
    _orders: dict[str, list[tuple[str, int, Issue]]] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner.login}/{self.name}"

    def ordered(self, by: str) -> list[tuple[str, int, Issue]]:
        """All issues without pull requests, as (time, id, issue) by `created_at` or `updated_at`."""
        if by not in self._orders:
            self._orders[by] = sorted(
                (getattr(issue, by), issue.id, issue)
                for issue in self.issues.values()
                if not issue.is_pull_request
            )
        return self._orders[by]

    def put(self, issue: Issue) -> None:
        """Add an issue, or take note that it changed."""
        issue.repository = self
        self.issues[issue.number] = issue
        self._orders.clear()

    def remove(self, number: int, trace: Missing) -> Issue:
        """Take an issue away; the number keeps the reason."""
        self._orders.clear()
        self.missing[number] = trace
        return self.issues.pop(number)
