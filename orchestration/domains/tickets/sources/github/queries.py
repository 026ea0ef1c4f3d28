"""The GraphQL text. A page of 100 issues costs 3 points: one for the issues and one per list in each."""

import hashlib
from collections.abc import Sequence

PAGE_SIZE = 100
# A label list or timeline longer than this is finished by node id; larger first pages make GitHub time out.
TIMELINE_SIZE, LABELS_SIZE, ASSIGNEES_SIZE = 50, 20, 10
LIST_SIZE = 100

_RATE_LIMIT = "rateLimit { cost limit remaining resetAt }"

_LIST_FIELDS = {
    "assignees": "nodes { __typename login }",
    "labels": "nodes { name }",
    "timelineItems": """nodes {
      __typename
      ... on AssignedEvent { createdAt actor { ...Who } assignee { ... on Actor { ...Who } } }
      ... on UnassignedEvent { createdAt actor { ...Who } assignee { ... on Actor { ...Who } } }
      ... on LabeledEvent { createdAt actor { ...Who } label { name } }
      ... on UnlabeledEvent { createdAt actor { ...Who } label { name } }
      ... on ClosedEvent { createdAt actor { ...Who } }
      ... on ReopenedEvent { createdAt actor { ...Who } }
      ... on IssueComment { createdAt author { ...Who } authorAssociation }
    }""",
}
# Comments ride in the timeline: a connection of their own would cost a fourth point per page.
_ITEM_TYPES = (
    "itemTypes: [ASSIGNED_EVENT, UNASSIGNED_EVENT, LABELED_EVENT, UNLABELED_EVENT, CLOSED_EVENT,"
    " REOPENED_EVENT, ISSUE_COMMENT]"
)
_FRAGMENTS = {
    "Who": "fragment Who on Actor { __typename login }",
    **{
        name: f"fragment {name} on {kind} {{ pageInfo {{ hasNextPage endCursor }} {_LIST_FIELDS[field]} }}"
        for name, kind, field in (
            ("AssigneeList", "UserConnection", "assignees"),
            ("LabelList", "LabelConnection", "labels"),
            ("Timeline", "IssueTimelineItemsConnection", "timelineItems"),
        )
    },
}

ISSUES = f"""
query Issues(
  $owner: String!, $name: String!, $size: Int!, $after: String, $order: IssueOrder!, $filter: IssueFilters
) {{
  {_RATE_LIMIT}
  repository(owner: $owner, name: $name) {{
    nameWithOwner
    everything: issues(states: [OPEN, CLOSED]) {{ totalCount }}
    issues(first: $size, after: $after, orderBy: $order, filterBy: $filter, states: [OPEN, CLOSED]) {{
      totalCount
      pageInfo {{ hasNextPage endCursor }}
      nodes {{
        id
        fullDatabaseId
        number
        title
        body
        state
        stateReason(enableDuplicate: true)
        createdAt
        updatedAt
        closedAt
        locked
        authorAssociation
        author {{ ...Who }}
        milestone {{ title }}
        comments {{ totalCount }}
        assignees(first: {ASSIGNEES_SIZE}) {{ ...AssigneeList }}
        labels(first: {LABELS_SIZE}) {{ ...LabelList }}
        timelineItems(first: {TIMELINE_SIZE}, {_ITEM_TYPES}) {{ ...Timeline }}
      }}
    }}
  }}
}}
{chr(10).join(_FRAGMENTS.values())}"""

NUMBERS = f"""
query Numbers(
  $owner: String!, $name: String!, $size: Int!, $after: String, $order: IssueOrder!, $filter: IssueFilters
) {{
  {_RATE_LIMIT}
  repository(owner: $owner, name: $name) {{
    nameWithOwner
    issues(first: $size, after: $after, orderBy: $order, filterBy: $filter, states: [OPEN, CLOSED]) {{
      totalCount
      pageInfo {{ hasNextPage endCursor }}
      nodes {{ number updatedAt }}
    }}
  }}
}}
"""

CREATED = {"field": "CREATED_AT", "direction": "ASC"}
UPDATED = {"field": "UPDATED_AT", "direction": "ASC"}

_FRAGMENT_OF = {"assignees": "AssigneeList", "labels": "LabelList", "timelineItems": "Timeline"}
LISTS = tuple(_FRAGMENT_OF)


def lists_query(lists: Sequence[str]) -> str:
    """A query that goes on with one list of one issue per alias: `n0`, `n1`, …

    Parameters
    ----------
    lists : sequence of str
        For each alias the name of the connection; the variables are `i0` (node id) and `a0` (cursor), ….
    """
    variables = ", ".join(f"$i{index}: ID!, $a{index}: String" for index in range(len(lists)))
    parts = []
    for index, name in enumerate(lists):
        arguments = f"first: {LIST_SIZE}, after: $a{index}" + (
            f", {_ITEM_TYPES}" if name == "timelineItems" else ""
        )
        rest = f"{name}({arguments}) {{ ...{_FRAGMENT_OF[name]} }}"
        parts.append(f"n{index}: node(id: $i{index}) {{ ... on Issue {{ id {rest} }} }}")
    # GitHub refuses fragments that nobody uses.
    fragments = [_FRAGMENTS[_FRAGMENT_OF[name]] for name in dict.fromkeys(lists)]
    if "timelineItems" in lists:
        fragments.append(_FRAGMENTS["Who"])
    return "\n".join([f"query Lists({variables}) {{ {_RATE_LIMIT}", *parts, "}", *fragments])


def query_hash(query: str) -> str:
    """What a page file keeps of the query's text."""
    return hashlib.sha256(query.encode()).hexdigest()[:16]
