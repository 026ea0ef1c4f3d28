"""What the value of each field says, in any shape that people have it in; others are refused."""

import ast
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from orchestration.domains.tickets.reading.names import PLAIN, by_name, is_meant, snake

_NO = {"", "0", "0.0", "false", "f", "no", "n", "none", "null", "nan", "{}", "[]", "issue"}
_YES = {"1", "1.0", "true", "t", "yes", "y", "pullrequest"}
# An address of the REST API, or of a page of GitHub.
_ADDRESS = re.compile(
    r"https?://[^/]+/(?:.*/)?repos/([\w.-]+/[\w.-]+).*|https?://[^/]+/([\w.-]+/[\w.-]+)/(?:issues|pull)/.*"
)
_SEPARATOR = re.compile(r"\s*[;,]\s*")
# Of a text that is parsed as Python: its parser needs memory and stack in proportion.
_LITERAL_CHARACTERS = 100_000


class ShapeError(ValueError):
    """A value has a shape that is not understood; the message names the field and the value."""


def _is_nothing(value: Any) -> bool:
    """Null, or a structure of nulls, as columns of structs are written where there is no value."""
    if isinstance(value, dict):
        return all(map(_is_nothing, value.values()))
    return value is None


def _unpacked(value: Any) -> Any:
    """What a text that holds JSON, or a Python literal, says; any other text as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(value, parse_constant=lambda _: None)
        except (ValueError, RecursionError):
            pass
        try:
            if len(value) <= _LITERAL_CHARACTERS:
                return ast.literal_eval(value.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            pass
    return value


def _entries(value: Any) -> Any:
    """The entries of a list, of a connection (`nodes`, `edges`), or of a text; anything else as it is."""
    value = _unpacked(value)
    if isinstance(value, dict):
        if isinstance(value.get("nodes"), list):
            return value["nodes"]
        if isinstance(value.get("edges"), list):
            return [edge.get("node") if isinstance(edge, dict) else edge for edge in value["edges"]]
    if isinstance(value, str) and not (value.startswith("[") and value.endswith("]")):
        return [part for part in _SEPARATOR.split(value.strip()) if part]
    return value


def _not_understood(name: str, value: Any) -> ShapeError:
    return ShapeError(f"{name} is not understood: {json.dumps(value, ensure_ascii=False, default=str)[:200]}")


def _read_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _read_count(value: Any) -> Any:
    """An integer, also one that is written as a text or as a float."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"\d{1,18}(\.0)?", value.strip()):
        return int(float(value)) if "." in value else int(value)
    return value


def _read_id(value: Any) -> Any:
    return None if isinstance(value, bool | dict | list) else _read_count(value)


def _read_comment_count(value: Any) -> Any:
    if isinstance(value, dict) and isinstance(value.get("totalCount"), int):
        return value["totalCount"]
    entries = _entries(value) if isinstance(value, list | dict) else _unpacked(value)
    if isinstance(entries, list):
        return len(entries)
    count = _read_count(entries)
    if not isinstance(count, int) or isinstance(count, bool):
        raise _not_understood("comments", value)
    return count


def _read_flag(name: str) -> Callable[[Any], bool | None]:
    def read(value: Any) -> bool | None:
        if isinstance(value, str):
            value = _unpacked(value)
        if isinstance(value, str):
            said = value.strip().lower()
            if said.startswith(("http://", "https://")):
                return "/pull" in said or None
            said = said.replace("_", "")
        elif isinstance(value, dict | list):
            said = "no" if _is_nothing(value) or not any(_values(value)) else "yes"
        else:
            said = str(value).lower()
        if said in _NO:
            return None if name == "pull_request" else False
        if said in _YES:
            return True
        raise _not_understood(name, value)

    return read


def _read_pull_request(value: Any) -> Any:
    is_one = _read_flag("pull_request")(value)
    return value if is_one and isinstance(value, dict) else is_one


def _values(value: Any) -> Iterator[Any]:
    """The values at the leaves."""
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _values(part)
    else:
        yield value


def _read_person(name: str) -> Callable[[Any], dict[str, Any] | None]:
    def read(value: Any) -> dict[str, Any] | None:
        value = _unpacked(value)
        if _is_nothing(value) or value == "":
            return None
        if isinstance(value, str):
            return {"login": value.strip()}
        if not isinstance(value, dict):
            raise _not_understood(name, value)
        login = next((value[key] for key in ("login", "username", "name") if value.get(key)), None)
        if not isinstance(login, str):
            raise _not_understood(name, value)
        kind = value.get("type") or value.get("__typename")
        # The command line of GitHub writes `app/name` for the bot `name[bot]`.
        if login.startswith("app/"):
            login, kind = f"{login.removeprefix('app/')}[bot]", "Bot"
        elif kind is None and value.get("is_bot") is True:
            kind = "Bot"
        return {**value, "login": login, **({} if kind is None else {"type": kind})}

    return read


def _read_people(value: Any) -> Any:
    single = _unpacked(value)
    if isinstance(single, dict) and "nodes" not in single and "edges" not in single:
        return None if (person := _read_person("assignees")(single)) is None else [person]
    entries = _entries(single)
    if not isinstance(entries, list):
        raise _not_understood("assignees", value)
    return [person for person in map(_read_person("assignees"), entries) if person]


def _read_labels(value: Any) -> Any:
    entries = _entries(value)
    if not isinstance(entries, list):
        raise _not_understood("labels", value)
    labels = []
    for entry in map(_unpacked, entries):
        if isinstance(entry, str) and entry:
            labels.append({"name": entry})
        elif isinstance(entry, dict) and isinstance(entry.get("name"), str):
            labels.append(entry)
        elif not (_is_nothing(entry) or entry == ""):
            raise _not_understood("labels", entry)
    return labels


def _read_milestone(value: Any) -> Any:
    value = _unpacked(value)
    if _is_nothing(value) or value == "":
        return None
    title = (value.get("title") or value.get("name")) if isinstance(value, dict) else value
    if not isinstance(title, str | int) or isinstance(title, bool):
        raise _not_understood("milestone", value)
    return {**(value if isinstance(value, dict) else {}), "title": str(title)}


def _read_repository(value: Any) -> Any:
    if isinstance(value, dict):
        name = value.get("nameWithOwner") or value.get("full_name")
        owner = value.get("owner")
        if not name and isinstance(owner, dict) and owner.get("login") and value.get("name"):
            name = f"{owner['login']}/{value['name']}"
        return name or value
    if isinstance(value, str) and value.startswith(("http://", "https://")):
        address = _ADDRESS.fullmatch(value)
        return address and (address[1] or address[2])
    return value


def _read_comments(value: Any) -> Any:
    if not isinstance(_unpacked(value), list | dict):
        return None
    entries = _entries(value)
    if isinstance(value, dict) and not isinstance(entries, list):
        return None  # a count alone
    if not isinstance(entries, list):
        raise _not_understood("comments", value)
    return [_comment(entry) for entry in entries if not _is_nothing(entry)]


def _comment(entry: Any) -> dict[str, Any]:
    if isinstance(entry, str):
        # A text without time or author: staging counts it as not used.
        return {"user": None, "author_association": None, "created_at": None, "body": entry}
    if not isinstance(entry, dict):
        raise _not_understood("comments", entry)
    spelled = by_name(entry)
    return _with(
        entry,
        user=_read_person("comments")(spelled.get("user") or spelled.get("author")),
        author_association=spelled.get("author_association"),
        created_at=spelled.get("created_at"),
    )


def _with(entry: dict[str, Any], **values: Any) -> dict[str, Any]:
    """The entry with these values; other names for them go, and what is not there is not made up."""
    kept = {name: value for name, value in entry.items() if name in PLAIN or not is_meant(name)}
    return kept | {name: value for name, value in values.items() if value is not None or name in entry}


def _read_events(value: Any) -> Any:
    entries = _entries(value)
    if not isinstance(entries, list):
        raise _not_understood("events", value)
    return [_event(entry) for entry in entries if not _is_nothing(entry)]


def _event(entry: Any) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise _not_understood("events", entry)
    spelled = by_name(entry)
    kind = next(
        (spelled[key] for key in ("event", "typename", "event_type", "type") if spelled.get(key)), None
    )
    return _with(
        entry,
        event=event_name(kind) if isinstance(kind, str) else None,
        created_at=spelled.get("created_at"),
        actor=_read_person("events")(spelled.get("actor") or spelled.get("user") or spelled.get("author")),
        assignee=_read_person("events")(spelled.get("assignee")),
        label=_unpacked(spelled.get("label")),
    )


def event_name(kind: str) -> str:
    """The REST API's name of an event's kind: `assigned` for GraphQL's `AssignedEvent`."""
    return snake(kind.removesuffix("Event")) if kind[:1].isupper() else kind


READERS: dict[str, Callable[[Any], Any]] = {
    "repository": _read_repository,
    "number": lambda value: int(value) if isinstance(value, float) and value.is_integer() else value,
    "id": _read_id,
    **dict.fromkeys(("title", "body", "state", "state_reason", "author_association"), _read_text),
    **dict.fromkeys(("created_at", "updated_at", "closed_at"), lambda value: value),
    "user": _read_person("user"),
    "closed_by": _read_person("closed_by"),
    "assignees": _read_people,
    "labels": _read_labels,
    "milestone": _read_milestone,
    "comments": _read_comment_count,
    "comments_data": _read_comments,
    "events": _read_events,
    "pull_request": _read_pull_request,
    "locked": _read_flag("locked"),
}
