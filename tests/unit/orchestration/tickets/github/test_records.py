"""Issues in the forms in which GitHub and its older servers give them, as records."""

from typing import Any

import pytest

from orchestration.domains.tickets.sources.github.records import record_from_node, record_from_rest

AT = "2026-03-02T09:00:00Z"


def rest_issue(**fields: Any) -> dict[str, Any]:
    return {
        "id": 3_000_000_000,
        "node_id": "I_kwDOABC",
        "number": 7,
        "title": "It fails",
        "body": None,
        "state": "closed",
        "created_at": AT,
        "updated_at": AT,
        "closed_at": AT,
        "user": {"login": "ada", "id": 1, "type": "User", "site_admin": False},
        "assignees": [],
        "labels": [],
        "milestone": None,
        "comments": 0,
        "locked": False,
        **fields,
    }


def node(**fields: Any) -> dict[str, Any]:
    return {"number": 7, "state": "OPEN", "createdAt": AT, "updatedAt": AT, **fields}


def timeline(*items: dict[str, Any] | None) -> dict[str, Any]:
    return {"timelineItems": {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": list(items)}}


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"labels": ["bug", {"id": 1, "name": "ui"}]}, "labels", [{"name": "bug"}, {"name": "ui"}]),
        ({"labels": [{"id": 1, "name": None}]}, "labels", [{"name": None}]),
        ({"assignees": None, "assignee": {"login": "bob", "type": "User"}}, "assignees", [{"login": "bob"}]),
        ({"assignees": [], "assignee": None}, "assignees", []),
        ({"user": None}, "user", None),
        ({"user": {"login": "a[bot]", "type": "Bot"}}, "user", {"login": "a[bot]", "type": "Bot"}),
        ({"state_reason": "not_planned"}, "state_reason", "not_planned"),
        ({}, "state_reason", None),
        ({"closed_by": None}, "closed_by", None),
        ({"pull_request": {"url": "x", "merged_at": None}}, "pull_request", {"url": "x", "merged_at": None}),
    ],
)  # fmt: skip
def test_an_issue_of_rest(fields: dict[str, Any], name: str, value: object) -> None:
    assert record_from_rest(rest_issue(**fields), [], [], "owner/name")[name] == value


def test_events_of_rest() -> None:
    events = [
        {"event": "assigned", "created_at": AT, "actor": None, "assignee": {"login": "bob", "type": "User"}},
        {"event": "unassigned", "created_at": AT, "actor": {"login": "ada"}, "assignee": None},
        {"event": "labeled", "created_at": AT, "actor": None, "label": {"name": "bug", "color": "ededed"}},
        {"event": "cross-referenced", "created_at": AT, "source": {"type": "issue"}},
        {"event": "closed", "created_at": AT, "actor": None, "commit_id": "abc", "state_reason": None},
    ]
    found = record_from_rest(rest_issue(), events, [], "owner/name")["events"]
    assert [(one["event"], one["assignee"], one["label"]) for one in found] == [
        ("assigned", {"login": "bob", "type": "User"}, None),
        ("unassigned", None, None),
        ("labeled", None, "bug"),
        ("closed", None, None),
    ]


def test_an_issue_of_graphql_that_lacks_almost_everything() -> None:
    record = record_from_node(
        node(author=None, labels=None, milestone=None, fullDatabaseId=None), "owner/name"
    )
    assert (record["user"], record["labels"], record["assignees"], record["events"]) == (None, [], [], [])
    assert (record["id"], record["state_reason"], record["closed_by"]) == (None, None, None)


def test_every_kind_of_assignee_of_graphql() -> None:
    kinds = [("User", "ada"), ("Bot", "copilot"), ("Organization", "owner"), ("Mannequin", "imported")]
    given = [
        {
            "__typename": "AssignedEvent",
            "createdAt": AT,
            "actor": None,
            "assignee": {"__typename": kind, "login": who},
        }
        for kind, who in kinds
    ]
    # Somebody whose account is gone; a type that is not asked for; an item that may not be seen.
    odd = [
        {"__typename": "UnassignedEvent", "createdAt": AT, "actor": None, "assignee": None},
        {"__typename": "X"},
    ]
    taken = {**given[2], "__typename": "UnassignedEvent"}
    people = {"nodes": [{"__typename": "User", "login": "ada"}, None]}
    record = record_from_node(node(assignees=people, **timeline(*given, *odd, None, taken)), "owner/name")
    assert [who["login"] for who in record["assignees"]] == ["ada", "copilot[bot]", "imported"]
    assert [event["event"] for event in record["events"]] == ["assigned"] * 4 + ["unassigned"] * 2


def test_who_closed_an_issue_is_who_closed_it_last() -> None:
    closings = [
        {"__typename": "ClosedEvent", "createdAt": AT, "actor": {"__typename": "User", "login": "ada"}},
        {"__typename": "ReopenedEvent", "createdAt": AT, "actor": None},
        {"__typename": "ClosedEvent", "createdAt": AT, "actor": {"__typename": "Bot", "login": "stale"}},
    ]
    closed = record_from_node(node(state="CLOSED", **timeline(*closings)), "owner/name")
    assert closed["closed_by"] == {"login": "stale[bot]", "type": "Bot"}
    assert record_from_node(node(**timeline(*closings)), "owner/name")["closed_by"] is None
