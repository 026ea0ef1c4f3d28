"""The shapes in which people have issues, brought to that of the REST API. Pure: a record in, a record out.

`is_plain` tells by a record's structure that there is nothing to do, so that only the others are parsed here.
What is neither plain nor understood is refused with a reason; nothing becomes a null without a word.
"""

import ast
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

_TEXT = ("VARCHAR",)
_PERSON = {"login": _TEXT}
# What every later step can read, as DuckDB's json_structure says it. A null is always plain.
_PLAIN: dict[str, Any] = {
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
# Other names of the fields, as `_snake` writes them; the first that has a value is taken.
_SPELLINGS: dict[str, tuple[str, ...]] = {
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
_KNOWN = {*_PLAIN, *(spelling for spellings in _SPELLINGS.values() for spelling in spellings)}
_NO = {"", "0", "0.0", "false", "f", "no", "n", "none", "null", "nan", "{}", "[]", "issue"}
_YES = {"1", "1.0", "true", "t", "yes", "y", "pullrequest"}
# An address of the REST API, or of a page of GitHub.
_ADDRESS = re.compile(
    r"https?://[^/]+/(?:.*/)?repos/([\w.-]+/[\w.-]+).*|https?://[^/]+/([\w.-]+/[\w.-]+)/(?:issues|pull)/.*"
)
_ADDRESSES = {"repository_url", "html_url", "url"}
_SEPARATOR = re.compile(r"\s*[;,]\s*")
# Of a text that is parsed as Python: its parser needs memory and stack in proportion.
_LITERAL_CHARACTERS = 100_000


class ShapeError(ValueError):
    """A value has a shape that is not understood; the message names the field and the value."""


def is_plain(structure: Any) -> bool:
    """Whether a record of this structure (of `json_structure`, parsed) can be read as it is."""
    if not isinstance(structure, dict) or "payload" in structure:
        return False
    return all(
        _is_covered(_PLAIN[name], found) if name in _PLAIN else not _is_meant(name)
        for name, found in structure.items()
    ) and "DOUBLE" not in json.dumps(structure)


def _is_covered(plain: Any, found: Any) -> bool:
    if found == "NULL":
        return True
    if isinstance(plain, tuple):
        return found in plain
    if isinstance(plain, list):
        return isinstance(found, list) and _is_covered(plain[0], found[0])
    if not isinstance(found, dict) or next(iter(plain)) not in found:
        return False
    return all(
        _is_covered(plain[name], part)
        if name in plain
        else name in _PLAIN or len(plain) == 1 or not _is_meant(name)
        for name, part in found.items()
    )


def _is_meant(name: str) -> bool:
    """Whether a field that is not of the contract stands for one that is."""
    return _snake(name) in _KNOWN or ("." in name and _snake(name.partition(".")[0]) in _KNOWN)


def normalise(text: str) -> str | None:
    """Bring a record to the REST API's names and shapes.

    Parameters
    ----------
    text : str
        JSON; NaN and infinities, which are none, become null.

    Returns
    -------
    str or None
        The record; None if it can stay as it is.

    Raises
    ------
    ShapeError
        If it is no JSON, or a value is not understood.
    """
    try:
        non_finite: list[str] = []
        record = json.loads(text, parse_constant=non_finite.append)
    except RecursionError:
        raise ShapeError("JSON that is nested too deeply") from None
    except ValueError:
        raise ShapeError("not JSON") from None
    if not isinstance(record, dict):
        return None
    changed = _normalised(record)
    if changed == record and not non_finite:
        return None
    return json.dumps(changed, ensure_ascii=False)


def _normalised(record: dict[str, Any]) -> dict[str, Any]:
    spelled = _by_name(record)
    if "payload" in spelled and isinstance(spelled["payload"], dict):
        raise ShapeError("an event of GH Archive, not an issue: take its payload.issue")
    result = {
        name: value
        for name, value in record.items()
        if name in _PLAIN or name in _ADDRESSES or not _is_meant(name)
    }
    for name, read in _READERS.items():
        given = [spelled[each] for each in (name, *_SPELLINGS.get(name, ())) if spelled.get(each) is not None]
        if name in spelled or given:
            try:
                values = [value for value in map(read, given) if value is not None]
            except RecursionError:
                raise ShapeError("JSON that is nested too deeply") from None
            # Of two identifiers the number is the one that the REST API knows.
            if name == "id":
                values.sort(key=lambda value: not isinstance(value, int))
            value = values[0] if values else None
            # A field that is not there is not made up.
            if value is not None or name in record:
                result[name] = value
    return result


def _by_name(record: dict[str, Any]) -> dict[str, Any]:
    """The record's values by the snake-case name; dotted names (`user.login`) as nested ones."""
    found: dict[str, Any] = {}
    for name, value in record.items():
        head, dot, rest = name.partition(".")
        if dot and _snake(head) in _KNOWN:
            if not isinstance(found.get(_snake(head)), dict):
                found[_snake(head)] = {}
            found[_snake(head)][rest] = value
        elif _snake(name) not in found or (value is not None and name in _PLAIN):
            found[_snake(name)] = value
    return found


def _snake(name: str) -> str:
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")


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
    spelled = _by_name(entry)
    return _with(
        entry,
        user=_read_person("comments")(spelled.get("user") or spelled.get("author")),
        author_association=spelled.get("author_association"),
        created_at=spelled.get("created_at"),
    )


def _with(entry: dict[str, Any], **values: Any) -> dict[str, Any]:
    """The entry with these values; other names for them go, and what is not there is not made up."""
    kept = {name: value for name, value in entry.items() if name in _PLAIN or not _is_meant(name)}
    return kept | {name: value for name, value in values.items() if value is not None or name in entry}


def _read_events(value: Any) -> Any:
    entries = _entries(value)
    if not isinstance(entries, list):
        raise _not_understood("events", value)
    return [_event(entry) for entry in entries if not _is_nothing(entry)]


def _event(entry: Any) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise _not_understood("events", entry)
    spelled = _by_name(entry)
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
    return _snake(kind.removesuffix("Event")) if kind[:1].isupper() else kind


_READERS: dict[str, Callable[[Any], Any]] = {
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
