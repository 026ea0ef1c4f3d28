"""What one column may hold: times, names, numbers or flags, each refused in one sentence when it does not."""

from __future__ import annotations

from itertools import chain
from typing import Any, Literal

import numpy as np
import pandas as pd

Kind = Literal["number", "category", "text"]

NUMBERS = frozenset({"boolean", "decimal", "integer", "floating", "mixed-integer-float"})
# Groups and slices are told apart by their text: what is of one kind and has a plain one.
NAMES = NUMBERS | {"string", "empty", "date", "datetime64", "datetime"}
IDENTITIES = frozenset({"string", "integer"})


def plain(column: pd.Series) -> pd.Series:
    """Return the column in pandas' own types: Arrow's would fail in one model and pass in another."""
    if isinstance(column.dtype, pd.ArrowDtype):
        values = column.astype(object).where(column.notna(), None).tolist()
        return pd.Series(values, index=column.index, name=column.name)
    return column


def holds(column: pd.Series) -> str:
    """Return what the column holds, in pandas' words: "string", "integer", "mixed", "empty", …"""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return holds(pd.Series(column.cat.categories))
    if isinstance(column.dtype, pd.SparseDtype):
        return "sparse"
    if pd.api.types.is_complex_dtype(column):
        return "complex"
    if pd.api.types.is_bool_dtype(column):
        return "boolean"
    if pd.api.types.is_numeric_dtype(column):
        return "integer" if pd.api.types.is_integer_dtype(column) else "floating"
    return str(pd.api.types.infer_dtype(column, skipna=True))


def kind_of(column: pd.Series) -> Kind:
    """Say what a feature column holds; values of another kind raise ValueError."""
    name, held = str(column.name), holds(column)
    if isinstance(column.dtype, pd.CategoricalDtype) and held in NAMES:
        return "category"
    if held in NUMBERS:
        return "number"
    if held in {"string", "empty"}:
        return "text" if name == "text" or name.startswith("text_") else "category"
    raise ValueError(f"The feature {name!r} holds {held} values: make it a number, a category or a text.")


def check_feature(column: pd.Series) -> None:
    """Refuse a feature of no known kind, or with values that cannot be computed with."""
    if kind_of(column) != "number":
        _check_text(column)
    elif column.dtype == object:
        numbers(column)


def check_slice(column: pd.Series) -> None:
    """Refuse a slice column that holds neither names nor lists of names, as for several labels."""
    if holds(column) == "mixed":
        given = column[column.notna()]
        if all(issubclass(kind, list | tuple | np.ndarray) for kind in set(map(type, given))):
            column = pd.Series(list(chain.from_iterable(given)), name=column.name, dtype=object)
    check_names(column)


def check_names(column: pd.Series) -> None:
    """Refuse a column of names, as of groups, that would not keep apart what differs in type only."""
    held = holds(column)
    if held not in NAMES:
        raise ValueError(
            f"The column {column.name!r} holds {held} values: 1 and '1' would be one name; make all "
            "of one type, texts or numbers."
        )
    _check_text(column)


def check_identities(column: pd.Series, where: str) -> str:
    """Refuse item ids that are missing or not all texts, or all whole numbers; return which they are."""
    held = holds(column)
    if held == "empty" or column.isna().any():
        at = int(column.isna().to_numpy().argmax())
        raise ValueError(f"The {where} have no item_id in row {at}: give every row one.")
    if held not in IDENTITIES:
        raise ValueError(
            f"The item_id of the {where} holds {held} values: 1 and '1' would be two items; make all "
            "of them texts, or all whole numbers."
        )
    _check_text(column)
    return held


def times(column: pd.Series) -> pd.Series:
    """Return the times in microseconds; what is no UTC time without a zone raises ValueError."""
    name = column.name
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        raise ValueError(f"The column {name!r} has a time zone: convert it to UTC and drop the zone.")
    if not pd.api.types.is_datetime64_dtype(column):
        if column.notna().any():
            raise ValueError(
                f"The column {name!r} holds no times but {holds(column)} values: store UTC timestamps, as "
                "pandas.to_datetime makes them."
            )
        return pd.Series(pd.NaT, index=column.index, name=name, dtype="datetime64[us]")
    try:
        return column.astype("datetime64[us]")
    except (pd.errors.OutOfBoundsDatetime, OverflowError) as error:
        raise ValueError(f"The column {name!r} holds times out of every calendar: correct them.") from error


def numbers(column: pd.Series) -> pd.Series:
    """Return the column as numbers, missing ones as NaN; what is no real number raises ValueError."""
    name, held = column.name, holds(column)
    if isinstance(column.dtype, pd.CategoricalDtype) or not (held in NUMBERS or column.isna().all()):
        raise ValueError(f"The column {name!r} holds {held} values: make them numbers.")
    try:
        values = column.astype("Float64").to_numpy(float, na_value=np.nan)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"The column {name!r} holds a value that is no number of a computer: correct it."
        ) from error
    return pd.Series(values, index=column.index, name=name)


def flags(column: pd.Series) -> pd.Series:
    """Return the column of truths; texts, numbers and gaps, which would pass for true, raise ValueError."""
    held = holds(column)
    if held != "boolean" or isinstance(column.dtype, pd.CategoricalDtype) or column.isna().any():
        found = "gaps" if held in ("boolean", "empty") else f"{held} values"
        raise ValueError(f"The column {column.name!r} holds {found}: store true or false in every row.")
    return column.astype(bool)


def said(value: Any) -> str:
    """Return a value as a sentence names it."""
    return repr(value.item() if hasattr(value, "item") else value)


def _check_text(column: pd.Series) -> None:
    if column.dtype != object or holds(column) != "string":
        return
    try:
        "".join(column.dropna()).encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"The column {column.name!r} holds a text that is no UTF-8 ({error.object[:40]!a}): correct it."
        ) from error
