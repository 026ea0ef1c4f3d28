"""An issue of the GraphQL API as a record in the REST API's field names. Pure; nothing is filled in."""

from typing import Any

_EVENTS = {
    "AssignedEvent": "assigned",
    "UnassignedEvent": "unassigned",
    "LabeledEvent": "labeled",
    "UnlabeledEvent": "unlabeled",
    "ClosedEvent": "closed",
    "ReopenedEvent": "reopened",
}
EVENT_NAMES = frozenset(_EVENTS.values())


def record_from_node(node: dict[str, Any], repository: str) -> dict[str, Any]:
    """Turn a complete node of the issues query into a record.

    Parameters
    ----------
    node : dict
        The issue; its lists must be complete.
    repository : str
        `owner/name`.
    """
    timeline = [item for item in _nodes(node, "timelineItems") if item is not None]
    events = [_event(item) for item in timeline if item.get("__typename") in _EVENTS]
    closings = [event for event in events if event["event"] == "closed"]
    is_closed = node.get("state") == "CLOSED"
    identifier = node.get("fullDatabaseId")
    milestone = node.get("milestone")
    return {
        "repository": repository,
        "id": None if identifier is None else int(identifier),
        "number": node["number"],
        "title": node.get("title"),
        # GraphQL says "" where the REST API, and so every archive, says null.
        "body": node.get("body") or None,
        "state": _lower(node.get("state")),
        "state_reason": _lower(node.get("stateReason")),
        "created_at": node.get("createdAt"),
        "updated_at": node.get("updatedAt"),
        "closed_at": node.get("closedAt"),
        "user": _person(node.get("author")),
        "author_association": node.get("authorAssociation"),
        "assignees": _assignees(node, events),
        "labels": [{"name": label["name"]} for label in _nodes(node, "labels") if label is not None],
        "milestone": {"title": milestone.get("title")} if milestone else None,
        "comments": (node.get("comments") or {}).get("totalCount"),
        "pull_request": None,
        "locked": node.get("locked"),
        "closed_by": closings[-1]["actor"] if is_closed and closings else None,
        "comments_data": [_comment(item) for item in timeline if item.get("__typename") == "IssueComment"],
        "events": events,
        "source": "github",
    }


def _assignees(node: dict[str, Any], events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Who is assigned: users as listed; bots and organisations, which the list lacks, by their events."""
    people = [_login(person) for person in _nodes(node, "assignees") if person is not None]
    others: dict[str, None] = {}
    for event in events:
        who = event["assignee"]
        if who and who["type"] not in ("User", None):
            if event["event"] == "assigned":
                others[who["login"]] = None
            else:
                others.pop(who["login"], None)
    listed = {person["login"] for person in people}
    return people + [{"login": login} for login in others if login not in listed]


def _event(item: dict[str, Any]) -> dict[str, Any]:
    label = item.get("label")
    return {
        "event": _EVENTS[item["__typename"]],
        "created_at": item.get("createdAt"),
        "actor": _person(item.get("actor")),
        "assignee": _person(item.get("assignee")),
        "label": label.get("name") if label else None,
    }


def _comment(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "user": _person(item.get("author")),
        "author_association": item.get("authorAssociation"),
        "created_at": item.get("createdAt"),
        # Texts of comments are not fetched: they would be most of the bytes, and no feature reads them.
        "body": None,
    }


def _person(actor: dict[str, Any] | None) -> dict[str, Any] | None:
    if not actor or not actor.get("login"):
        return None
    return {"login": _login(actor)["login"], "type": actor.get("__typename")}


def _login(actor: dict[str, Any]) -> dict[str, Any]:
    """The REST API's login: that of a bot ends in `[bot]`, which GraphQL leaves out."""
    login = actor["login"]
    is_bot = actor.get("__typename") == "Bot" and not login.endswith("[bot]")
    return {"login": f"{login}[bot]" if is_bot else login}


def _nodes(node: dict[str, Any], connection: str) -> list[Any]:
    return (node.get(connection) or {}).get("nodes") or []


def _lower(text: Any) -> Any:
    return text.lower() if isinstance(text, str) else text


def record_from_rest(
    issue: dict[str, Any], events: list[dict[str, Any]], comments: list[dict[str, Any]], repository: str
) -> dict[str, Any]:
    """Cut the answers of the REST API for one issue down to the same record.

    Parameters
    ----------
    issue, events, comments : dict and lists of dict
        Bodies of `/issues/N`, `/issues/N/events` and `/issues/N/comments`.
    repository : str
        `owner/name`.
    """
    as_is = ("id", "number", "title", "state", "state_reason", "created_at", "updated_at", "closed_at")
    milestone = issue.get("milestone")
    return {
        "repository": repository,
        **{name: issue.get(name) for name in as_is},
        "body": issue.get("body") or None,
        "user": _rest_person(issue.get("user")),
        "author_association": issue.get("author_association"),
        "assignees": [{"login": person["login"]} for person in _rest_assignees(issue) if person],
        # GitHub's description allows a label to be its name alone.
        "labels": [
            {"name": label if isinstance(label, str) else label["name"]}
            for label in issue.get("labels") or []
        ],
        "milestone": {"title": milestone.get("title")} if milestone else None,
        "comments": issue.get("comments"),
        "pull_request": issue.get("pull_request"),
        "locked": issue.get("locked"),
        "closed_by": _rest_person(issue.get("closed_by")),
        "comments_data": [
            {
                "user": _rest_person(comment.get("user")),
                "author_association": comment.get("author_association"),
                "created_at": comment.get("created_at"),
                "body": None,
            }
            for comment in comments
        ],
        "events": [
            {
                "event": event["event"],
                "created_at": event.get("created_at"),
                "actor": _rest_person(event.get("actor")),
                "assignee": _rest_person(event.get("assignee")),
                "label": (event.get("label") or {}).get("name"),
            }
            for event in events
            if event.get("event") in EVENT_NAMES
        ],
        "source": "github",
    }


def _rest_assignees(issue: dict[str, Any]) -> list[dict[str, Any] | None]:
    """The list, or what old servers give instead of it."""
    return issue.get("assignees") or [issue.get("assignee")]


def _rest_person(user: dict[str, Any] | None) -> dict[str, Any] | None:
    return {"login": user["login"], "type": user.get("type")} if user and user.get("login") else None
