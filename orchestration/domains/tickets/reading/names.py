"""The names of an issue's fields: the REST API's with their plain shapes, and how else people spell them."""

import re
from typing import Any

_TEXT = ("VARCHAR",)
_PERSON = {"login": _TEXT}
# What every later step can read, as DuckDB's json_structure says it. A null is always plain.
PLAIN: dict[str, Any] = {
    **dict.fromkeys(("repository", "title", "body", "state", "state_reason"), _TEXT),
    **dict.fromkeys(("created_at", "updated_at", "closed_at", "author_association"), _TEXT),
    **dict.fromkeys(("number", "id", "comments"), ("UBIGINT",)),
    **dict.fromkeys(("user", "closed_by"), _PERSON),
    **dict.fromkeys(("locked", "pull_request"), ("BOOLEAN",)),
    "assignees": [_PERSON],
    "labels": [{"name": _TEXT}],
    "milestone": {"title": _TEXT},
    "comments_data": [{"created_at": _TEXT, "user": _PERSON}],
    "events": [{"event": _TEXT, "created_at": _TEXT, "actor": _PERSON, "assignee": _PERSON}],
}
# Other names of the fields, as `snake` writes them; the first that has a value is taken.
SPELLINGS: dict[str, tuple[str, ...]] = {
    "repository": ("name_with_owner", "full_name", "repository_url", "html_url", "url"),
    "id": ("database_id", "full_database_id", "github_id"),
    "user": ("author", "author_login", "user_login"),
    "assignees": ("assignee",),
    "milestone": ("milestone_title",),
    "comments": ("comment_count", "comments_count"),
    "comments_data": ("comments",),
    "events": ("timeline_items",),
    "pull_request": ("is_pull_request", "is_pull", "is_pr", "html_url", "url", "typename"),
    "locked": ("is_locked",),
}
KNOWN = {*PLAIN, *(spelling for spellings in SPELLINGS.values() for spelling in spellings)}
# Fields that hold an address, from which others may be read.
ADDRESSES = {"repository_url", "html_url", "url"}


def is_meant(name: str) -> bool:
    """Whether a field that is not of the contract stands for one that is."""
    return snake(name) in KNOWN or ("." in name and snake(name.partition(".")[0]) in KNOWN)


def by_name(record: dict[str, Any]) -> dict[str, Any]:
    """The record's values by the snake-case name; dotted names (`user.login`) as nested ones."""
    found: dict[str, Any] = {}
    for name, value in record.items():
        head, dot, rest = name.partition(".")
        if dot and snake(head) in KNOWN:
            if not isinstance(found.get(snake(head)), dict):
                found[snake(head)] = {}
            found[snake(head)][rest] = value
        elif snake(name) not in found or (value is not None and name in PLAIN):
            found[snake(name)] = value
    return found


def snake(name: str) -> str:
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")
