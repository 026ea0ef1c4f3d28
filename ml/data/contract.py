"""What a training set must hold before anything is learned from it; nothing here reads files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd

from ml.data import declared
from ml.data.columns import (
    check_feature,
    check_identities,
    check_names,
    check_slice,
    flags,
    holds,
    numbers,
    plain,
    said,
    times,
)
from ml.data.declared import SLICE
from ml.errors import TooLittleDataError

KEY_COLUMNS = tuple(column.name for column in declared.ITEM_COLUMNS)
LABEL_COLUMNS = tuple(column.name for column in declared.LABEL_COLUMNS)

# Of items and the names of columns that were refused already: what is wrong beside them, or None.
Misfit = Callable[[pd.DataFrame, set[str]], str | None]


def is_feature(column: str) -> bool:
    """Say of a column of the items whether models learn from it."""
    return column not in KEY_COLUMNS and not column.startswith(SLICE)


def conform(items: pd.DataFrame, labels: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the frames in the one form that the harness reads, in one order, or refuse them.

    Parameters
    ----------
    items, labels : DataFrame
        See `ml.data.dataset.Dataset`.

    Raises
    ------
    ValueError
        In one sentence: all columns that do not fit, or which item, and what to do.
    TooLittleDataError
        When a frame is empty.
    """
    faults: list[str] = []
    items, labels = _items(items, faults), _labels(labels, faults)
    _refuse_all(faults)
    kinds = [holds(frame["item_id"]) for frame in (items, labels)]
    if kinds[0] != kinds[1]:
        raise ValueError(
            f"The item_id of the items holds {kinds[0]} values and that of the labels {kinds[1]} values: "
            "make both the same."
        )
    _check_rows(items)
    items = items.sort_values(["item_id", "event_at"], kind="stable", ignore_index=True)
    labels = labels.sort_values("item_id", kind="stable", ignore_index=True)
    _check_keys(items, labels)
    _check_labels(labels)
    _check_times(items, labels)
    return items, labels


def conform_items(items: pd.DataFrame, misfit: Misfit | None = None) -> pd.DataFrame:
    """Return the items alone in the form that the harness reads, in their own order, or refuse them.

    Parameters
    ----------
    items : DataFrame
    misfit : callable (items, columns refused already) -> sentence or None
        What else is wrong with the columns, to be told together with what breaks the contract.

    Raises
    ------
    ValueError, TooLittleDataError
        As `conform`.
    """
    faults: list[str] = []
    items = _items(items, faults, misfit)
    _refuse_all(faults)
    _check_rows(items)
    return items


def _items(items: pd.DataFrame, faults: list[str], misfit: Misfit | None = None) -> pd.DataFrame:
    items = _frame("items", items, KEY_COLUMNS, faults)
    refused: set[str] = set()
    for name in items.columns:
        before = len(faults)
        with _told(faults):
            if name == "item_id":
                check_identities(items[name], "items")
            elif name == "event_at":
                items[name] = times(items[name])
            else:
                is_slice = name.startswith(SLICE)
                check = check_slice if is_slice else check_names if name in KEY_COLUMNS else check_feature
                check(items[name])
        if len(faults) > before:
            refused.add(name)
    other = misfit(items, refused) if misfit else None
    faults += [other] if other else []
    return items


def _labels(labels: pd.DataFrame, faults: list[str]) -> pd.DataFrame:
    labels = _frame("labels", labels, LABEL_COLUMNS, faults)
    if "item_id" in labels:
        with _told(faults):
            check_identities(labels["item_id"], "labels")
    forms = {"observed_until": times, "labelled_at": times, "y": numbers, "weight": numbers}
    if "relevance" in labels:
        relevance = labels["relevance"]
        if relevance.dtype == object or not pd.api.types.is_numeric_dtype(relevance):
            forms["relevance"] = numbers
    for name, form in {**forms, "is_censored": flags}.items():
        if name in labels:
            with _told(faults):
                labels[name] = form(labels[name])
    return labels


@contextmanager
def _told(faults: list[str]) -> Iterator[None]:
    """Keep the sentence of a refusal, so that all of them are told at once."""
    try:
        yield
    except ValueError as error:
        faults.append(str(error))


def _refuse_all(faults: list[str]) -> None:
    """Refuse what has any fault, in one sentence about all of them."""
    if faults:
        first, *others = (fault.removesuffix(".") for fault in faults)
        raise ValueError("; ".join([first, *(other[0].lower() + other[1:] for other in others)]) + ".")


def _check_rows(items: pd.DataFrame) -> None:
    _refuse(items, items["event_at"].isna(), "has no event_at: give every row the time it was observed at")
    twice = items.duplicated(["item_id", "event_at"])
    _refuse(items, twice, "has two rows with one observation time: keep one row per item and time")


def _frame(which: str, frame: Any, needed: tuple[str, ...], faults: list[str]) -> pd.DataFrame:
    """Return a copy in pandas' own types, under names that are apart; what it lacks is a fault."""
    if not isinstance(frame, pd.DataFrame):
        raise ValueError(f"The {which} are a {type(frame).__name__}: give a pandas DataFrame.")
    odd = [name for name in frame.columns if not isinstance(name, str) or not name.strip()]
    if odd:
        raise ValueError(f"The {which} have a column named {said(odd[0])}: name every column with a text.")
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise ValueError(f"The {which} have two columns named {twice[0]!r}: rename or drop one.")
    absent = [column for column in needed if column not in frame]
    if absent:
        faults.append(f"The {which} lack the columns {absent}: add them as the contract says.")
    elif frame.empty:
        raise TooLittleDataError(
            f"The {which} are empty: make a training set with at least a few dozen rows."
        )
    frame = frame.reset_index(drop=True)
    for name in frame.columns[[isinstance(t, pd.ArrowDtype) for t in frame.dtypes]]:
        frame[name] = plain(frame[name])
    return frame


def _check_keys(items: pd.DataFrame, labels: pd.DataFrame) -> None:
    _refuse(labels, labels["item_id"].duplicated(), "has more than one label: keep one row per item")
    for one, other, where in ((items, labels, "labels"), (labels, items, "items")):
        absent = pd.Index(other["item_id"].unique()).get_indexer(one["item_id"]) < 0
        _refuse(one, pd.Series(absent), f"is not in both frames: add it to the {where}")


def _check_labels(labels: pd.DataFrame) -> None:
    closed, y, weight = ~labels["is_censored"], labels["y"], labels["weight"]
    incomplete = closed & labels[["y", "labelled_at"]].isna().any(axis=1)
    _refuse(labels, incomplete, "is not censored and yet lacks y or labelled_at: fill in or censor it")
    _refuse(labels, ~closed & y.notna(), "is censored and yet has y: leave y out, or do not censor it")
    wrong = closed & ((y < 0) | np.isinf(y))
    _refuse(labels, wrong, "has a negative or infinite y: y must be 0 or more", "y")
    wrong = weight.notna() & ~((weight > 0) & np.isfinite(weight))
    _refuse(
        labels, wrong, "has a weight that is not above 0 and finite: correct it, or drop the item", "weight"
    )
    grade = numbers(labels["relevance"])
    wrong = (grade < 0) | np.isinf(grade)
    _refuse(labels, wrong, "has a negative or infinite relevance: grades are 0 or more", "relevance")


def _check_times(items: pd.DataFrame, labels: pd.DataFrame) -> None:
    observed = labels["observed_until"]
    _refuse(labels, observed.isna(), "has no observed_until: say until when it was observed")
    start = labels["item_id"].map(items.groupby("item_id")["event_at"].min())
    for column, word in (("observed_until", "observed until"), ("labelled_at", "labelled at")):
        early = labels[column] < start
        _refuse(
            labels, early, f"is {word} a time before its own start (event_at): correct one of them", column
        )
    until = items["item_id"].map(observed.set_axis(labels["item_id"]))
    late = items["event_at"] > until
    _refuse(
        items, late, "has an event_at after its observed_until: nothing is seen after the end", "event_at"
    )


def _refuse(frame: pd.DataFrame, wrong: pd.Series, what: str, column: str | None = None) -> None:
    if not wrong.any():
        return
    at = int(wrong.to_numpy(dtype=bool).argmax())
    value = "" if column is None else f" ({column} is {frame[column].iloc[at]})"
    others = int(wrong.sum()) - 1
    more = f" ({others} more are like it)" if others else ""
    raise ValueError(f"The item {said(frame['item_id'].iloc[at])}{value} {what}{more}.")
