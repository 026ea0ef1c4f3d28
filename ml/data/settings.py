"""Settings as dataclasses whose every field is checked in one way, from a file or from the caller's hand.

A class calls `check_settings` in its ``__post_init__``; `read_settings` makes one from what a file holds. The
annotations say what is right; `Limits` in an ``Annotated`` type bounds a number.
"""

# pydantic would check them too, but reports in several lines that name its own documentation: our sentence
# would have to be made of them all the same, and ml would need it for that alone.

from __future__ import annotations

import difflib
import math
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

Settings = TypeVar("Settings")

NAMES = {str: "a text", bool: "true or false", int: "a whole number", float: "a number", type(None): "null"}


@dataclass(frozen=True)
class Limits:
    """Bounds of a number, None where there is none; ``above`` and ``below`` are not reached themselves."""

    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None

    def hold(self, value: float) -> bool:
        """Say whether the value is within the bounds."""
        return (
            (self.least is None or value >= self.least)
            and (self.most is None or value <= self.most)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )

    def __str__(self) -> str:
        """Return the bounds in words."""
        named = {"above": self.above, "of at least": self.least, "below": self.below, "of at most": self.most}
        return " and ".join(f"{word} {bound:.15g}" for word, bound in named.items() if bound is not None)


# A hundred years: what lies beyond is a mistake, and soon beyond what a time can hold.
Days = Annotated[float, Limits(above=0, most=36_500)]
Positive = Annotated[float, Limits(above=0)]
# What every library takes for one.
Seed = Annotated[int, Limits(least=0, most=2**31 - 1)]
Count = Annotated[int, Limits(least=1)]
NotNegative = Annotated[float, Limits(least=0)]
SomeRows = Annotated[int, Limits(least=2)]
Whole = Annotated[int, Limits(least=0)]


def check_settings(settings: Any, where: str = "The settings") -> None:
    """Refuse a settings object with a field whose value is not what its annotation says.

    Raises
    ------
    ValueError
        The sentence names the field, what it must be, and what it is.
    """
    for name, kind in get_type_hints(type(settings), include_extras=True).items():
        value = getattr(settings, name)
        if not _is(value, kind):
            raise ValueError(f"{where}: {name} must be {said_type(kind)}, not {_shown(value)}; correct it.")


def read_settings(kind: type[Settings], values: Any, where: str) -> Settings:
    """Return the settings that a parsed JSON or YAML file holds.

    Parameters
    ----------
    kind : dataclass
    values : object
        What was parsed; lists are taken for tuples.
    where : str
        Name of the file, for the sentence.

    Raises
    ------
    ValueError
        When it is no mapping, or a name is unknown or a value of the wrong type.
    """
    if not isinstance(values, Mapping):
        raise ValueError(f"{where} must hold one mapping of settings, not {_shown(values)}; correct it.")
    known = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    unknown = [name for name in values if name not in known]
    if unknown:
        raise ValueError(f"{where} has the unknown settings {unknown}: {suggestion(str(unknown[0]), known)}.")
    given = {str(name): _tuples(value) for name, value in values.items()}
    try:
        return kind(**given)
    except ValueError as error:
        raise ValueError(str(error).replace("The settings", where, 1)) from None


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return what to write instead of an unknown name: the nearest known one, or all of them."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {close[0]!r}?" if close else f"choose from {', '.join(names) or 'nothing'}"


def _is(value: Any, kind: Any) -> bool:
    origin, parts = get_origin(kind), get_args(kind)
    if kind is Any:
        return True
    if origin is Annotated:
        return _is(value, parts[0]) and all(limits.hold(value) for limits in parts[1:])
    if origin in (Union, types.UnionType):
        return any(_is(value, part) for part in parts)
    if origin is Literal:
        return isinstance(value, str) and value in parts
    if origin is tuple:
        return isinstance(value, tuple) and all(_is(part, parts[0]) for part in value)
    if origin is Mapping:
        return isinstance(value, Mapping) and all(
            _is(name, parts[0]) and _is(part, parts[1]) for name, part in value.items()
        )
    if kind is float:
        return _is(value, int) or (isinstance(value, float) and math.isfinite(value))
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)


def said_type(kind: Any) -> str:
    """Return in words what an annotation says is right."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return " ".join([said_type(parts[0]), *map(str, parts[1:])])
    if origin in (Union, types.UnionType):
        return " or ".join(said_type(part) for part in parts)
    if origin is Literal:
        return " or ".join(repr(part) for part in parts)
    if origin is tuple:
        return f"a list, each entry {said_type(parts[0])}"
    if origin is Mapping:
        return "a mapping of names" if parts[1] is Any else f"a mapping, each value {said_type(parts[1])}"
    return NAMES.get(kind, "a mapping of settings")


def _shown(value: Any) -> str:
    text = repr(list(value) if isinstance(value, tuple) else value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _tuples(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _tuples(part) for name, part in value.items()}
    return tuple(_tuples(part) for part in value) if isinstance(value, list) else value
