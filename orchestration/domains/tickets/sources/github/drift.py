"""Whether an issue still looks as expected: new and missing fields are reported, wrong types stop."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from orchestration.domains.tickets.sources.github.errors import GitHubError

_TEXT, _FLAG, _OBJECT = (str,), (bool,), (dict,)
_OPTIONAL_TEXT, _OPTIONAL_OBJECT = (str, type(None)), (dict, type(None))
_FIELDS: dict[str, tuple[type, ...]] = {
    "id": _TEXT,
    # A BigInt is text in GitHub's JSON; a number says the same.
    "fullDatabaseId": (str, int, type(None)),
    "number": (int,),
    "title": _TEXT,
    "body": _OPTIONAL_TEXT,
    "state": _TEXT,
    "stateReason": _OPTIONAL_TEXT,
    "createdAt": _TEXT,
    "updatedAt": _TEXT,
    "closedAt": _OPTIONAL_TEXT,
    "locked": _FLAG,
    "authorAssociation": _OPTIONAL_TEXT,
    "author": _OPTIONAL_OBJECT,
    "milestone": _OPTIONAL_OBJECT,
    "comments": _OBJECT,
    "assignees": _OBJECT,
    "labels": _OPTIONAL_OBJECT,
    "timelineItems": _OBJECT,
}
_INDISPENSABLE = ("id", "number", "updatedAt")


def check_nodes(nodes: Iterable[dict[str, Any]]) -> Counter[str]:
    """Compare issues with the expected fields.

    Returns
    -------
    Counter
        How often each difference occurs: `new field x`, `no field y`.

    Raises
    ------
    GitHubError
        If a field has another type, or one is missing without which an issue cannot be told from another.
    """
    drift: Counter[str] = Counter()
    for node in nodes:
        if node.keys() != _FIELDS.keys():
            drift.update(f"new field {name}" for name in node.keys() - _FIELDS.keys())
            missing = _FIELDS.keys() - node.keys()
            drift.update(f"no field {name}" for name in missing)
            for name in _INDISPENSABLE:
                if name in missing:
                    raise GitHubError(f"GitHub: schema error: an issue without {name}")
        for name, value in node.items():
            expected = _FIELDS.get(name)
            # A bool is an int in Python, and no number in JSON.
            if expected and (
                not isinstance(value, expected) or (isinstance(value, bool) and expected != _FLAG)
            ):
                found = type(value).__name__
                raise GitHubError(f"GitHub: schema error: {name} of issue {node['number']!r} is a {found}")
    return drift


def issues_connection(document: Any) -> dict[str, Any]:
    """The connection `issues` of an answer.

    Raises
    ------
    GitHubError
        If the answer has another shape.
    """
    try:
        connection: dict[str, Any] = document["data"]["repository"]["issues"]
        if not isinstance(connection["nodes"], list) or not isinstance(connection["pageInfo"], dict):
            raise TypeError
        if not isinstance(connection["totalCount"], int) or "hasNextPage" not in connection["pageInfo"]:
            raise TypeError
    except (KeyError, TypeError):
        raise GitHubError("GitHub: schema error: the answer holds no list of issues") from None
    return connection
