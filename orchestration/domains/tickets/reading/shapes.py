"""The shapes in which people have issues, brought to that of the REST API. Pure: a record in, a record out.

`is_plain` tells by a record's structure that there is nothing to do, so that only the others are parsed here.
What is neither plain nor understood is refused with a reason; nothing becomes a null without a word.
"""

import json
from typing import Any

from orchestration.domains.tickets.reading.fields import READERS, ShapeError
from orchestration.domains.tickets.reading.names import ADDRESSES, PLAIN, SPELLINGS, by_name, is_meant


def is_plain(structure: Any) -> bool:
    """Whether a record of this structure (of `json_structure`, parsed) can be read as it is."""
    if not isinstance(structure, dict) or "payload" in structure:
        return False
    return all(
        _is_covered(PLAIN[name], found) if name in PLAIN else not is_meant(name)
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
        else name in PLAIN or len(plain) == 1 or not is_meant(name)
        for name, part in found.items()
    )


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
    spelled = by_name(record)
    if "payload" in spelled and isinstance(spelled["payload"], dict):
        raise ShapeError("an event of GH Archive, not an issue: take its payload.issue")
    result = {
        name: value
        for name, value in record.items()
        if name in PLAIN or name in ADDRESSES or not is_meant(name)
    }
    for name, read in READERS.items():
        given = [spelled[each] for each in (name, *SPELLINGS.get(name, ())) if spelled.get(each) is not None]
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
