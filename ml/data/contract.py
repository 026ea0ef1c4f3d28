"""What a training set must hold before anything is learned from it; nothing here reads files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from ml.errors import TooLittleDataError

if TYPE_CHECKING:
    from ml.data.dataset import Dataset

Kind = Literal["number", "category", "text"]

KEY_COLUMNS = ("item_id", "event_at", "entity_id", "group_id")
LABEL_COLUMNS = ("item_id", "y", "is_censored", "observed_until", "relevance", "weight", "labelled_at")
# Facts of an item's end under other names: never features, whatever the label relation is called.
OUTCOME_NAMES = frozenset(
    {
        "closed_at",
        "resolution_hours",
        "business_hours",
        "hours_from_assignment",
        "log_y",
        "target",
        "label",
    }
)


def kind_of(column: pd.Series) -> Kind:
    """Say what a feature column holds; values of another kind raise ValueError."""
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return "number"
    inferred = pd.api.types.infer_dtype(column, skipna=True)
    if inferred in {"boolean", "decimal", "integer", "floating", "mixed-integer-float"}:
        return "number"
    name = str(column.name)
    if inferred in {"string", "empty", "categorical"}:
        return "text" if name == "text" or name.startswith("text_") else "category"
    raise ValueError(f"The feature {name!r} holds {inferred} values: make it a number, a category or a text.")


def check_frames(items: pd.DataFrame, labels: pd.DataFrame) -> None:
    """Refuse frames that lack columns, rows or plain UTC times."""
    for name, frame, needed in (("items", items, KEY_COLUMNS), ("labels", labels, LABEL_COLUMNS)):
        absent = [column for column in needed if column not in frame]
        if absent:
            raise ValueError(f"The {name} lack the columns {absent}: add them as the contract says.")
        if frame.empty:
            raise TooLittleDataError(
                f"The {name} are empty: make a training set with at least a few dozen rows."
            )
    for frame, column in ((items, "event_at"), (labels, "observed_until"), (labels, "labelled_at")):
        if isinstance(frame[column].dtype, pd.DatetimeTZDtype):
            raise ValueError(f"The column {column!r} has a time zone: convert it to UTC and drop the zone.")
        if not pd.api.types.is_datetime64_any_dtype(frame[column]) and frame[column].notna().any():
            raise ValueError(f"The column {column!r} holds no times: store UTC timestamps.")


def check_values(items: pd.DataFrame, labels: pd.DataFrame) -> None:
    """Refuse keys that are missing or repeated, and labels that are incomplete or impossible."""
    if items[["item_id", "event_at"]].isna().any(axis=None):
        raise ValueError("Some items have no item_id or no event_at: give every row both.")
    repeated = labels.loc[labels["item_id"].duplicated(), "item_id"]
    if len(repeated):
        raise ValueError(f"The item {repeated.iloc[0]!r} has more than one label: keep one row per item.")
    if items.duplicated(["item_id", "event_at"]).any():
        raise ValueError("Some item has two rows with one observation time: keep one row per item and time.")
    known, given = set(items["item_id"]), set(labels["item_id"])
    if known != given:
        stray = sorted(map(str, known ^ given))
        raise ValueError(
            f"{len(stray)} items are not in both frames (first: {stray[0]!r}): give each a label."
        )
    closed = ~labels["is_censored"]
    if labels.loc[closed, ["y", "labelled_at"]].isna().any(axis=None):
        raise ValueError(
            "Some labels are not censored and yet lack y or labelled_at: fill in or censor them."
        )
    if (labels.loc[closed, "y"] < 0).any() or not np.isfinite(labels.loc[closed, "y"]).all():
        raise ValueError("Some labels y are negative or infinite: y must be hours of 0 or more.")
    if labels["observed_until"].isna().any():
        raise ValueError("Some labels have no observed_until: say until when each item was observed.")


def check_leaks(dataset: Dataset) -> None:
    """Refuse a feature that is a label by its name or by its values."""
    forbidden = OUTCOME_NAMES | (set(dataset.labels.columns) - {"item_id"})
    leaked = [name for name in dataset.features if name in forbidden]
    if leaked:
        raise ValueError(f"The features contain the labels {leaked}: a model must not see them; drop them.")
    labels = dataset.row_labels()
    closed = ~labels["is_censored"].to_numpy()
    y = labels["y"].to_numpy()[closed]
    if len(np.unique(y)) < 2:
        return
    for name, kind in dataset.kinds().items():
        if kind != "number":
            continue
        values = dataset.items[name].astype(float).to_numpy()[closed]
        if any(np.allclose(values, copy, rtol=1e-9, atol=1e-9) for copy in (y, np.log1p(y))):
            raise ValueError(f"The feature {name!r} equals the label on every known row: a leak; drop it.")
