"""The repositories of the fake, and everything that people do to them between two requests."""

from dataclasses import dataclass, field
from datetime import timedelta
from zlib import crc32

from tests.fake_github.clock import SystemClock, VirtualClock, iso
from tests.fake_github.state import (
    FIRST_BIG_ID,
    Actor,
    ActorKind,
    Comment,
    Event,
    Issue,
    Label,
    Missing,
    Repository,
)


@dataclass
class World:
    """Repositories by numeric id and by every name they ever had.

    Every edit happens `seconds` after the clock's present time (0 unless told) and sets `updated_at`, as on
    GitHub; the times have whole seconds.
    """

    clock: VirtualClock | SystemClock = field(default_factory=VirtualClock)
    repositories: dict[int, Repository] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    actors: dict[str, Actor] = field(default_factory=dict)
    _last_id: int = FIRST_BIG_ID

    def new_id(self) -> int:
        """A numeric id above 2^31, as GitHub gives them today."""
        self._last_id += 1
        return self._last_id

    def actor(self, login: str, kind: ActorKind = "User") -> Actor:
        """The account of that name, made at first mention."""
        if login not in self.actors:
            self.actors[login] = Actor(login, kind, len(self.actors) + 1000)
        return self.actors[login]

    def add_repository(self, full_name: str, id: int | None = None) -> Repository:
        """A new, empty repository."""
        owner, _, name = full_name.partition("/")
        repository = Repository(id or 4000 + len(self.repositories), self.actor(owner, "Organization"), name)
        self.repositories[repository.id] = repository
        self.names[full_name.lower()] = repository.id
        return repository

    def find(self, full_name: str) -> Repository | None:
        """The repository that has, or once had, that name."""
        known = self.names.get(full_name.lower())
        return None if known is None else self.repositories[known]

    def rename(self, full_name: str, new_full_name: str) -> Repository:
        """Give a repository another name; the old one leads to it for ever."""
        repository = self._repository(full_name)
        owner, _, repository.name = new_full_name.partition("/")
        repository.owner = self.actor(owner, "Organization")
        self.names[new_full_name.lower()] = repository.id
        return repository

    def create(
        self,
        full_name: str,
        title: str = "It does not work",
        *,
        body: str | None = "Steps to reproduce: …",
        author: str | None = "ada",
        labels: tuple[str, ...] = (),
        pull_request: bool = False,
        id: int | None = None,
        seconds: float = 0,
    ) -> Issue:
        """Open an issue (or pull request) under the next number."""
        repository = self._repository(full_name)
        at = self.at(seconds)
        number = max([*repository.issues, *repository.missing, 0]) + 1
        who = None if author is None else self.actor(author)
        issue = Issue(id or self.new_id(), number, title, body, who, at, at, is_pull_request=pull_request)
        repository.put(issue)
        for label in labels:
            self.label(full_name, number, label, seconds=seconds)
        return issue

    def edit(self, full_name: str, number: int, *, seconds: float = 0, **fields: object) -> Issue:
        """Change fields of an issue, such as title or body."""
        issue = self._issue(full_name, number)
        for name, value in fields.items():
            if not hasattr(issue, name):
                raise ValueError(f"An issue has no field {name!r}.")
            setattr(issue, name, value)
        return self._touch(issue, seconds)

    def close(
        self, full_name: str, number: int, reason: str = "completed", by: str = "grace", *, seconds: float = 0
    ) -> Issue:
        """Close an issue."""
        issue = self._issue(full_name, number)
        issue.state, issue.state_reason = "closed", reason
        issue.closed_at, issue.closed_by = self.at(seconds), self.actor(by)
        return self._record(issue, "closed", by, seconds, state_reason=reason)

    def reopen(self, full_name: str, number: int, by: str = "grace", *, seconds: float = 0) -> Issue:
        """Open a closed issue again."""
        issue = self._issue(full_name, number)
        issue.state, issue.state_reason = "open", "reopened"
        issue.closed_at = issue.closed_by = None
        return self._record(issue, "reopened", by, seconds, state_reason="reopened")

    def assign(
        self, full_name: str, number: int, login: str, kind: ActorKind = "User", *, seconds: float = 0
    ) -> Issue:
        """Assign somebody, whatever kind of account it is."""
        issue, who = self._issue(full_name, number), self.actor(login, kind)
        if who not in issue.assignees:
            issue.assignees.append(who)
        return self._record(issue, "assigned", "grace", seconds, assignee=who)

    def unassign(self, full_name: str, number: int, login: str, *, seconds: float = 0) -> Issue:
        """Take an assignment back."""
        issue, who = self._issue(full_name, number), self.actor(login)
        issue.assignees = [assignee for assignee in issue.assignees if assignee.login != login]
        return self._record(issue, "unassigned", "grace", seconds, assignee=who)

    def label(self, full_name: str, number: int, name: str, *, seconds: float = 0) -> Issue:
        """Put a label on."""
        issue, label = self._issue(full_name, number), Label(crc32(name.encode()), name)
        issue.labels.append(label)
        return self._record(issue, "labeled", "grace", seconds, label=label)

    def unlabel(self, full_name: str, number: int, name: str, *, seconds: float = 0) -> Issue:
        """Take a label off."""
        issue = self._issue(full_name, number)
        label = next(label for label in issue.labels if label.name == name)
        issue.labels.remove(label)
        return self._record(issue, "unlabeled", "grace", seconds, label=label)

    def comment(
        self, full_name: str, number: int, body: str, by: str = "grace", *, seconds: float = 0
    ) -> Issue:
        """Write a comment."""
        issue, at = self._issue(full_name, number), self.at(seconds)
        issue.comments.append(Comment(self.new_id(), self.actor(by), "MEMBER", body, at, at))
        return self._touch(issue, seconds)

    def delete(self, full_name: str, number: int) -> Issue:
        """Delete an issue: 410 from now on."""
        return self._repository(full_name).remove(number, Missing(self.at(0)))

    def transfer(self, full_name: str, number: int, target: str) -> Issue:
        """Move an issue to another repository, where it gets the next number: 301 from now on."""
        destination = self._repository(target)
        new_number = max([*destination.issues, *destination.missing, 0]) + 1
        trace = Missing(self.at(0), (destination.id, new_number))
        issue = self._repository(full_name).remove(number, trace)
        issue.number, issue.id = new_number, self.new_id()
        destination.put(issue)
        return self._touch(issue, 0)

    def at(self, seconds: float) -> str:
        """The time `seconds` from now, as GitHub writes it."""
        return iso(self.clock.now() + timedelta(seconds=seconds))

    def _record(self, issue: Issue, kind: str, by: str, seconds: float, **what: object) -> Issue:
        issue.events.append(Event(self.new_id(), kind, self.at(seconds), self.actor(by), **what))  # type: ignore[arg-type]
        return self._touch(issue, seconds)

    def _touch(self, issue: Issue, seconds: float) -> Issue:
        issue.updated_at = self.at(seconds)
        assert issue.repository is not None
        issue.repository.put(issue)
        return issue

    def _repository(self, full_name: str) -> Repository:
        found = self.find(full_name)
        if found is None:
            raise ValueError(f"The fake has no repository {full_name!r}: add_repository first.")
        return found

    def _issue(self, full_name: str, number: int) -> Issue:
        return self._repository(full_name).issues[number]
