"""Every frame either makes a dataset or ends in one sentence that names what is wrong with it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from ml.data.dataset import Dataset, DomainConfig
from tests.unit.ml import synthetic

Change = Callable[[pd.DataFrame], Any]
N = 60


def cell(column: str, value: object, row: int = 5) -> Change:
    """Put one value into an object column: what frames of mixed types are made of."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        values = frame[column].astype(object).tolist()
        values[row] = value
        return frame.assign(**{column: pd.Series(values, index=frame.index, dtype=object)})

    return change


def put(column: str, value: object, row: int = 5) -> Change:
    """Put one value into a column and keep the column's type."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        values = frame[column].copy()
        values[row] = value
        return frame.assign(**{column: values})

    return change


def whole(column: str, values: object) -> Change:
    return lambda frame: frame.assign(**{column: values})


def retyped(column: str, dtype: object) -> Change:
    return lambda frame: frame.assign(**{column: frame[column].astype(dtype)})


ITEM = "parcel#00005"
START = pd.Timestamp("2000-01-01")
ITEMS: list[tuple[str, Change, str]] = [
    ("no frame", lambda f: [1, 2], "The items are a list: give a pandas DataFrame"),
    ("a dictionary", lambda f: {"item_id": ["a"]}, "The items are a dict: give a pandas DataFrame"),
    ("no rows", lambda f: f.iloc[:0], "The items are empty"),
    ("a number for a column", lambda f: f.rename(columns={"size": 3}), "column named 3: name every"),
    ("a blank for a column", lambda f: f.rename(columns={"size": " "}), "column named ' ': name every"),
    ("nothing for a column", lambda f: f.rename(columns={"size": None}), "column named nan: name every"),
    ("two levels of columns", lambda f: pd.concat({"a": f}, axis=1), "column named ('a', 'item_id')"),
    ("one name twice", lambda f: f.rename(columns={"size": "kind"}), "two columns named 'kind'"),
    ("no time", lambda f: f.drop(columns="event_at"), "lack the columns ['event_at']"),
    ("no group", lambda f: f.drop(columns=["group_id", "entity_id"]), "['entity_id', 'group_id']"),
    ("an id missing", cell("item_id", None), "The items have no item_id in row 5"),
    (
        "an id of another type",
        cell("item_id", 5),
        "item_id of the items holds mixed-integer values: 1 and '1'",
    ),
    (
        "ids as numbers",
        whole("item_id", range(N)),
        "items holds integer values and that of the labels string",
    ),
    ("ids as fractions", whole("item_id", np.arange(N) + 0.5), "item_id of the items holds floating values"),
    ("ids as bytes", lambda f: f.assign(item_id=f["item_id"].str.encode("utf-8")), "holds bytes values"),
    ("ids as lists", cell("item_id", ["a"]), "item_id of the items holds mixed values"),
    ("ids as times", lambda f: f.assign(item_id=f["event_at"]), "item_id of the items holds datetime64"),
    (
        "an unknown id",
        put("item_id", "stray"),
        "The item 'stray' is not in both frames: add it to the labels",
    ),
    (
        "a row twice",
        lambda f: pd.concat([f, f.iloc[5:6]]),
        f"{ITEM!r} has two rows with one observation time",
    ),
    (
        "one item away",
        lambda f: f.drop(index=5),
        f"The item {ITEM!r} is not in both frames: add it to the items",
    ),
    (
        "a time zone",
        lambda f: f.assign(event_at=f["event_at"].dt.tz_localize("UTC")),
        "'event_at' has a time zone",
    ),
    (
        "a time as text",
        lambda f: f.assign(event_at=f["event_at"].astype(str)),
        "'event_at' holds no times but string",
    ),
    (
        "a time as a date",
        lambda f: f.assign(event_at=f["event_at"].dt.date),
        "holds no times but date values",
    ),
    ("a time as an object", cell("event_at", START), "'event_at' holds no times but datetime"),
    (
        "a time as a number",
        lambda f: f.assign(event_at=f["event_at"].astype("int64")),
        "no times but integer",
    ),
    ("a time missing", put("event_at", pd.NaT), f"The item {ITEM!r} has no event_at"),
    ("all times missing", whole("event_at", None), "'parcel#00000' has no event_at"),
    (
        "a start after the end",
        put("event_at", pd.Timestamp("2031-01-01")),
        "is observed until a time before its own",
    ),
    (
        "a row after the end",
        lambda f: pd.concat([f, f[5:6].assign(event_at=synthetic.END + pd.Timedelta(days=10))]),
        f"The item {ITEM!r} (event_at is 2022-01-11 00:00:00) has an event_at after its observed_until",
    ),
    (
        "a year of 5 digits",
        lambda f: f.assign(event_at=np.array(["294300-01-01"] * N, "datetime64[s]")),
        "calendar",
    ),
    (
        "mixed groups",
        cell("group_id", 1),
        "'group_id' holds mixed-integer values: 1 and '1' would be one name",
    ),
    ("groups of lists", cell("group_id", ["a", "b"]), "'group_id' holds mixed values"),
    ("mixed people", cell("entity_id", 2), "'entity_id' holds mixed-integer values"),
    ("mixed slices", cell("slice_kind", 3), "'slice_kind' holds mixed-integer values"),
    ("slices of dictionaries", cell("slice_kind", {"a": 1}), "'slice_kind' holds mixed values"),
    ("lists of mixed slices", whole("slice_kind", [[1, "1"]] * N), "'slice_kind' holds mixed-integer values"),
    (
        "a feature of times",
        lambda f: f.assign(seen=f["event_at"]),
        "The feature 'seen' holds datetime64 values",
    ),
    ("a feature of dates", whole("seen", [date(2020, 1, 1)] * N), "The feature 'seen' holds date values"),
    ("a feature of spans", whole("seen", pd.to_timedelta(range(N), unit="h")), "'seen' holds timedelta"),
    (
        "a feature of periods",
        whole("seen", pd.period_range("2020", periods=N, freq="D")),
        "'seen' holds period",
    ),
    ("a feature of lists", cell("kind", ["a"]), "The feature 'kind' holds mixed values"),
    ("a feature of bytes", whole("seen", [b"x"] * N), "The feature 'seen' holds bytes values"),
    ("a mixed feature", cell("kind", 3), "The feature 'kind' holds mixed-integer values"),
    ("complex numbers", retyped("size", complex), "The feature 'size' holds complex values"),
    ("sparse numbers", whole("seen", pd.arrays.SparseArray([0.0, 1.0] * (N // 2))), "'seen' holds sparse"),
    ("a number too large", cell("size", 10**400), "'size' holds"),
    ("half a character", cell("kind", "\ud800"), "'kind' holds a text that is no UTF-8"),
    ("half a character of a group", cell("group_id", "x\udfff"), "'group_id' holds a text that is no UTF-8"),
    ("only keys", lambda f: f[["item_id", "event_at", "entity_id", "group_id"]], "no feature column"),
    ("a label by name", whole("relevance", 1), "contain the labels ['relevance']"),
    ("an outcome by name", whole("resolution_hours", 1), "contain the labels ['resolution_hours']"),
]
LABELS: list[tuple[str, Change, str]] = [
    ("no frame", lambda f: None, "The labels are a NoneType: give a pandas DataFrame"),
    ("no rows", lambda f: f.iloc[:0], "The labels are empty"),
    ("a number for a column", lambda f: f.assign(**{"x": 1}).rename(columns={"x": 0}), "column named 0"),
    ("one name twice", lambda f: f.assign(x=1).rename(columns={"x": "y"}), "two columns named 'y'"),
    ("no weight", lambda f: f.drop(columns="weight"), "The labels lack the columns ['weight']"),
    ("an id of another type", cell("item_id", 5), "item_id of the labels holds mixed-integer values"),
    ("an item twice", lambda f: pd.concat([f, f.iloc[5:6]]), f"{ITEM!r} has more than one label"),
    ("an item away", lambda f: f.drop(index=5), f"{ITEM!r} is not in both frames: add it to the labels"),
    (
        "truths as text",
        whole("is_censored", "False"),
        "'is_censored' holds string values: store true or false",
    ),
    ("truths as numbers", retyped("is_censored", float), "'is_censored' holds floating values"),
    ("truths as whole numbers", retyped("is_censored", int), "'is_censored' holds integer values"),
    ("a truth missing", cell("is_censored", None), "'is_censored' holds gaps: store true or false"),
    (
        "a nullable truth",
        lambda f: put("is_censored", pd.NA)(retyped("is_censored", "boolean")(f)),
        "holds gaps",
    ),
    ("all truths missing", whole("is_censored", None), "'is_censored' holds gaps"),
    ("truths by halves", cell("is_censored", "no"), "'is_censored' holds mixed values"),
    ("truths as categories", retyped("is_censored", "category"), "'is_censored' holds"),
    ("hours as text", lambda f: f.assign(y=f["y"].astype(str)), "'y' holds string values: make them numbers"),
    ("hours as spans", lambda f: f.assign(y=pd.to_timedelta(f["y"], unit="h")), "'y' holds timedelta"),
    ("one hour as text", cell("y", "5"), "'y' holds mixed values"),
    ("infinite hours", put("y", np.inf), f"{ITEM!r} (y is inf) has a negative or infinite y"),
    ("hours below zero", put("y", -1.0), f"{ITEM!r} (y is -1.0) has a negative or infinite y"),
    ("hours missing", put("y", np.nan), f"{ITEM!r} is not censored and yet lacks y or labelled_at"),
    ("no time of the label", put("labelled_at", pd.NaT), f"{ITEM!r} is not censored and yet lacks y or"),
    ("censored and known", put("is_censored", True), f"{ITEM!r} is censored and yet has y"),
    ("no weight at all", put("weight", 0.0), f"{ITEM!r} (weight is 0.0) has a weight that is not above 0"),
    ("a weight below zero", put("weight", -2.0), "(weight is -2.0) has a weight that is not above 0"),
    (
        "an infinite weight",
        put("weight", np.inf),
        "(weight is inf) has a weight that is not above 0 and finite",
    ),
    ("weights as text", whole("weight", "1"), "'weight' holds string values: make them numbers"),
    ("a grade below zero", whole("relevance", -1), "(relevance is -1) has a negative or infinite relevance"),
    ("an infinite grade", whole("relevance", np.inf), "has a negative or infinite relevance"),
    ("grades as text", whole("relevance", "high"), "'relevance' holds string values: make them numbers"),
    ("labelled before the start", put("labelled_at", START), "is labelled at a time before its own start"),
    (
        "observed before the start",
        put("observed_until", START),
        "is observed until a time before its own start",
    ),
    ("no end of observation", put("observed_until", pd.NaT), f"{ITEM!r} has no observed_until"),
    (
        "a time zone",
        lambda f: f.assign(labelled_at=f["labelled_at"].dt.tz_localize("UTC")),
        "'labelled_at' has a time",
    ),
    (
        "a date for a time",
        lambda f: f.assign(observed_until=f["observed_until"].dt.date),
        "no times but date",
    ),
    (
        "a text for a time",
        lambda f: f.assign(labelled_at=f["labelled_at"].astype(str)),
        "no times but string",
    ),
]


def frames() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Items of which none is open."""
    items, labels = synthetic.frames(N)
    rng = np.random.default_rng(0)
    hours = rng.uniform(1, 50, N)
    end = (items["event_at"] + pd.to_timedelta(hours, unit="h")).astype("datetime64[us]")
    return items, labels.assign(
        y=hours, is_censored=False, labelled_at=end, observed_until=synthetic.END + pd.Timedelta(days=9)
    )


def refusal(items: Any, labels: Any, config: DomainConfig | None = None) -> str:
    with pytest.raises(ValueError) as caught:
        Dataset(items, labels, config or DomainConfig())
    return str(caught.value)


def is_one_sentence(text: str) -> bool:
    return "\n" not in text and text.endswith((".", "?")) and text[0].isupper()


@pytest.mark.parametrize(("change", "sentence"), [row[1:] for row in ITEMS], ids=[row[0] for row in ITEMS])
def test_bad_items_are_named(change: Change, sentence: str) -> None:
    items, labels = frames()
    found = refusal(change(items), labels)
    assert sentence in found and is_one_sentence(found)


def test_all_columns_that_do_not_fit_are_told_at_once() -> None:
    items, labels = frames()
    items = items.drop(columns="entity_id").assign(event_at="soon", size=[1, "a"] * (len(items) // 2))
    labels = labels.drop(columns="weight").assign(y="long", is_censored=0)
    found = refusal(items, labels)
    assert is_one_sentence(found) and found.count(".") == 2  # one of them in pandas.to_datetime
    for part in (
        "The items lack the columns ['entity_id']",
        "the column 'event_at' holds no times",
        "the feature 'size' holds mixed-integer values",
        "the labels lack the columns ['weight']",
        "the column 'y' holds string values",
        "the column 'is_censored' holds integer values",
    ):
        assert part in found


@pytest.mark.parametrize(("change", "sentence"), [row[1:] for row in LABELS], ids=[row[0] for row in LABELS])
def test_bad_labels_are_named(change: Change, sentence: str) -> None:
    items, labels = frames()
    found = refusal(items, change(labels))
    assert sentence in found and is_one_sentence(found)


@pytest.mark.parametrize(
    "change",
    [
        retyped("item_id", "category"),
        retyped("kind", "category"),
        retyped("size", "Float64"),
        retyped("size", "double[pyarrow]"),
        retyped("kind", "string[pyarrow]"),
        retyped("event_at", "timestamp[us][pyarrow]"),
        retyped("event_at", "datetime64[s]"),
        whole("amount", [Decimal("1.5")] * N),
        whole("amount", [10**12, None] * (N // 2)),
        whole("amount", np.inf),
        whole("slice_labels", [["a", "b"], []] * (N // 2)),
        whole("slice_size", range(N)),
        whole("group_id", range(N)),
        put("entity_id", None),
        lambda f: f.set_index("event_at", drop=False),
    ],
)
def test_what_can_be_read_is_read(change: Change) -> None:
    items, labels = frames()
    dataset = Dataset(change(items), labels)
    assert dataset.items["event_at"].dtype == "datetime64[us]" and len(dataset.snapshot_id) == 64
    assert list(dataset.items["item_id"]) == sorted(items["item_id"])


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=4),
    st.sampled_from(["1", 1, "", "\ud800", b"x", pd.NaT, pd.NA, START, date(2020, 1, 1), Decimal("1.5")]),
    st.sampled_from([1 + 2j, (), [], {}, object, 10**400, "NaN", np.float32(2), np.datetime64("2020")]),
    st.lists(st.text(max_size=2), max_size=2),
)
COLUMNS = [
    "item_id",
    "event_at",
    "entity_id",
    "group_id",
    "size",
    "kind",
    "text",
    "slice_kind",
    "new",
    "slice_new",
]
DTYPES = [
    "category",
    "Int64",
    "Float64",
    "boolean",
    "datetime64[s]",
    "string",
    "float32",
    "object",
    "complex",
]


@seed(20260101)
@settings(max_examples=250, deadline=None, database=None)
@given(data=st.data())
def test_no_frame_ends_in_the_error_of_a_library(data: st.DataObject) -> None:
    items, labels = frames()
    for _ in range(data.draw(st.integers(1, 2))):
        on_items = data.draw(st.booleans())
        frame = items if on_items else labels
        column = data.draw(st.sampled_from(COLUMNS if on_items else [*labels.columns, "new"]))
        old = frame[column].astype(object).tolist() if column in frame else [None] * len(frame)
        some = data.draw(st.lists(VALUES, min_size=1, max_size=3))
        every = data.draw(st.sampled_from([1, 7, len(frame)]))
        mixed = [some[k % len(some)] if k % every == 0 else value for k, value in enumerate(old)]
        with contextlib.suppress(Exception):  # a column that pandas cannot make nobody can hand over
            values = pd.Series(mixed, index=frame.index, dtype=data.draw(st.sampled_from([object, None])))
            frame = frame.assign(**{column: values})
            frame = frame.astype({column: data.draw(st.sampled_from([*DTYPES, object]))})
        items, labels = (frame, labels) if on_items else (items, frame)
    try:
        dataset = Dataset(items, labels)
    except ValueError as error:
        assert type(error).__module__.split(".")[0] in ("builtins", "ml"), repr(error)
        assert is_one_sentence(str(error)), str(error)
    else:
        assert len(dataset.snapshot_id) == 64 and set(dataset.kinds()) == set(dataset.features)
