"""What each field of the schema means on the fake's objects, where it is not just the attribute."""

from collections.abc import Callable
from functools import partial
from typing import Any

from graphql import FieldNode, FragmentSpreadNode, GraphQLError, InlineFragmentNode

from tests.fake_github.pages import BadCursorError, Page, cut_page
from tests.fake_github.state import Actor, Issue, Label, Repository, node_id

_LARGEST_INT = 2**31 - 1
_EVENT_TYPES = {
    "assigned": "AssignedEvent",
    "unassigned": "UnassignedEvent",
    "labeled": "LabeledEvent",
    "unlabeled": "UnlabeledEvent",
    "closed": "ClosedEvent",
    "reopened": "ReopenedEvent",
    "commented": "IssueComment",
}
ITEM_TYPES = {
    "ASSIGNED_EVENT": "assigned",
    "UNASSIGNED_EVENT": "unassigned",
    "LABELED_EVENT": "labeled",
    "UNLABELED_EVENT": "unlabeled",
    "CLOSED_EVENT": "closed",
    "REOPENED_EVENT": "reopened",
    "ISSUE_COMMENT": "commented",
}
# Of an account or an event the kind decides, of anything else the class.
TYPE_NAMES: dict[Any, str] = {
    **_EVENT_TYPES,
    **{kind: kind for kind in ("User", "Bot", "Mannequin", "Organization")},
    Repository: "Repository",
    Issue: "Issue",
    Label: "Label",
}


def not_found(message: str, kind: str = "NOT_FOUND") -> GraphQLError:
    """An error with GitHub's type beside the message."""
    return GraphQLError(message, extensions={"type": kind})


def _repository(source: Any, info: Any, owner: str, name: str, **options: Any) -> Repository:
    full_name = f"{owner}/{name}"
    found = info.context.world.find(full_name)
    follows = options.get("followRenames", True)
    if found is None or found.blocked or not (follows or found.full_name.lower() == full_name.lower()):
        raise not_found(f"Could not resolve to a Repository with the name '{full_name}'.")
    return found


def _node(source: Any, info: Any, id: str) -> Any:
    for repository in info.context.world.repositories.values():
        if node_id("R", repository.id) == id:
            return repository
        for issue in repository.issues.values():
            if issue.node_id == id:
                return issue
    raise not_found(f"Could not resolve to a node with the global id of '{id}'")


def _nodes(source: Any, info: Any, ids: list[str]) -> list[Any]:
    return [_node(source, info, id) for id in ids]


def _issue(source: Repository, info: Any, number: int) -> Issue:
    issue = source.issues.get(number)
    if issue is None or issue.is_pull_request:
        raise not_found(f"Could not resolve to an Issue with the number of {number}.")
    return issue


def _issues(
    source: Repository,
    info: Any,
    orderBy: Any = None,
    filterBy: Any = None,
    states: Any = None,
    labels: Any = None,
    **window: Any,
) -> Page:
    order = orderBy or {"field": "CREATED_AT", "direction": "ASC"}
    entries = source.ordered("updated_at" if order["field"] == "UPDATED_AT" else "created_at")
    conditions = filterBy or {}
    wanted = {state.lower() for state in states or conditions.get("states") or ("OPEN", "CLOSED")}
    since, names = conditions.get("since"), set(labels or conditions.get("labels") or ())
    if since or names or len(wanted) < 2:
        entries = [
            entry
            for entry in entries
            if entry[2].state in wanted
            and entry[2].updated_at >= (since or "")
            and (not names or any(label.name in names for label in entry[2].labels))
        ]
    return _page(info, entries, descending=order["direction"] == "DESC", **window)


def _timeline(source: Issue, info: Any, itemTypes: Any = None, since: Any = None, **window: Any) -> Page:
    wanted = {ITEM_TYPES[name] for name in itemTypes or ITEM_TYPES}
    items = [*source.events, *(source.comments if "commented" in wanted else ())]
    entries = sorted(
        (item.created_at, item.id, item)
        for item in items
        if item.kind in wanted and item.created_at >= (since or "")
    )
    window.pop("skip", None)
    return _page(info, entries, **window)


def _listed(attribute: str, source: Issue, info: Any, **window: Any) -> Page:
    values = getattr(source, attribute)
    if attribute == "assignees":
        # GitHub's connection has users only; other kinds show up in the timeline.
        values = [who for who in values if who.kind == "User"]
    return _page(info, list(enumerate(values)), **window)


def _page(info: Any, entries: Any, descending: bool = False, **window: Any) -> Page:
    name = info.field_name
    bounds = [bound for bound in ("first", "last") if window.get(bound) is not None]
    if not bounds and _asks_for_nodes(info):
        raise not_found(
            f"You must provide a `first` or `last` value to properly paginate the `{name}` connection.",
            "MISSING_PAGINATION_BOUNDARIES",
        )
    for bound in bounds:
        if not 0 <= window[bound] <= 100:
            raise not_found(
                f"Requesting {window[bound]} records on the `{name}` connection exceeds the `{bound}` limit"
                " of 100 records.",
                "EXCESSIVE_PAGINATION",
            )
    try:
        return cut_page(
            entries,
            window.get("first") if bounds else 0,
            window.get("after"),
            last=window.get("last"),
            before=window.get("before"),
            descending=descending,
        )
    except BadCursorError as error:
        raise not_found(str(error), "INVALID_CURSOR_ARGUMENTS") from None


def _asks_for_nodes(info: Any) -> bool:
    def asks(selections: Any) -> bool:
        for one in selections:
            if isinstance(one, FieldNode) and one.name.value in ("nodes", "edges"):
                return True
            if isinstance(one, InlineFragmentNode) and asks(one.selection_set.selections):
                return True
            if isinstance(one, FragmentSpreadNode) and asks(
                info.fragments[one.name.value].selection_set.selections
            ):
                return True
        return False

    return any(asks(node.selection_set.selections) for node in info.field_nodes)


def _database_id(source: Any, info: Any) -> int | None:
    """GitHub's 32-bit field; the full id of what is new does not fit into it."""
    return source.id if source.id <= _LARGEST_INT else None


def _state_reason(source: Issue, info: Any, enableDuplicate: bool = False) -> str | None:
    reason = (source.state_reason or "").upper()
    return ("NOT_PLANNED" if reason == "DUPLICATE" and not enableDuplicate else reason) or None


def _milestone(source: Issue, info: Any) -> dict[str, Any] | None:
    if source.milestone is None:
        return None
    return {
        "id": node_id("MI", source.milestone),
        "number": 1,
        "title": source.milestone,
        "createdAt": source.created_at,
        "description": None,
        "dueOn": None,
    }


def _web_address(source: Any, info: Any) -> str:
    if isinstance(source, Actor):
        return f"{info.context.web}/{source.login}"
    if isinstance(source, Repository):
        return f"{info.context.web}/{source.full_name}"
    if isinstance(source, Issue) and source.repository:
        return f"{info.context.web}/{source.repository.full_name}/issues/{source.number}"
    return f"{info.context.web}/issues#event-{source.id}"


def _constant(value: Any) -> Callable[..., Any]:
    return lambda source, info, **arguments: value


RESOLVERS: dict[tuple[str, str], Callable[..., Any]] = {
    ("Query", "repository"): _repository,
    ("Query", "node"): _node,
    ("Query", "nodes"): _nodes,
    ("Query", "rateLimit"): lambda source, info, **arguments: info.context.rate_limit,
    ("Query", "viewer"): lambda source, info: info.context.world.actor("viewer"),
    ("Repository", "issue"): _issue,
    ("Repository", "issues"): _issues,
    ("Repository", "id"): lambda source, info: node_id("R", source.id),
    ("Repository", "nameWithOwner"): lambda source, info: source.full_name,
    ("Repository", "hasIssuesEnabled"): lambda source, info: source.has_issues,
    ("Repository", "description"): _constant(None),
    ("Repository", "isDisabled"): _constant(False),
    ("Repository", "isFork"): _constant(False),
    ("Repository", "updatedAt"): lambda source, info: source.created_at,
    ("Issue", "id"): lambda source, info: source.node_id,
    ("Issue", "body"): lambda source, info: source.body or "",
    ("Issue", "state"): lambda source, info: source.state.upper(),
    ("Issue", "stateReason"): _state_reason,
    ("Issue", "closed"): lambda source, info: source.state == "closed",
    ("Issue", "milestone"): _milestone,
    ("Issue", "timelineItems"): _timeline,
    ("Issue", "assignees"): partial(_listed, "assignees"),
    ("Issue", "labels"): partial(_listed, "labels"),
    ("Issue", "comments"): partial(_listed, "comments"),
    ("Issue", "activeLockReason"): _constant(None),
    ("Issue", "lastEditedAt"): _constant(None),
    ("IssueTimelineItemsConnection", "filteredCount"): lambda source, info: source.total_count,
    ("IssueTimelineItemsConnection", "pageCount"): lambda source, info: len(source.nodes),
    ("IssueTimelineItemsConnection", "updatedAt"): lambda source, info: info.context.world.at(0),
    ("Label", "id"): lambda source, info: node_id("LA", source.id),
    ("Label", "isDefault"): _constant(False),
}
for _kind in ("User", "Bot", "Mannequin", "Organization"):
    RESOLVERS[_kind, "id"] = lambda source, info: source.node_id
    RESOLVERS[_kind, "createdAt"] = _constant("2012-01-01T00:00:00Z")
    RESOLVERS[_kind, "avatarUrl"] = lambda source, info, **arguments: f"{info.context.web}/{source.login}.png"
    RESOLVERS[_kind, "name"] = RESOLVERS[_kind, "email"] = _constant(None)
for _name in set(_EVENT_TYPES.values()):
    RESOLVERS[_name, "id"] = lambda source, info: node_id("EV", source.id)
for _name in ("AssignedEvent", "UnassignedEvent"):
    RESOLVERS[_name, "user"] = lambda source, info: (
        source.assignee if source.assignee and source.assignee.kind == "User" else None
    )
for _name in ("ClosedEvent", "ReopenedEvent"):
    RESOLVERS[_name, "stateReason"] = lambda source, info: (source.state_reason or "").upper() or None
for _name in ("Repository", "Issue", "User", "Bot", "Mannequin", "Organization", "IssueComment"):
    RESOLVERS[_name, "url"] = _web_address
    RESOLVERS[_name, "databaseId"] = _database_id
RESOLVERS["ClosedEvent", "url"] = _web_address
for _name in ("Issue", "IssueComment"):
    RESOLVERS[_name, "fullDatabaseId"] = lambda source, info: str(source.id)
