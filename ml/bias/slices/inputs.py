"""Checks of what callers hand in, and the pairing of predictions with their slices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray


def finite_vector(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """A one-dimensional float array without NaN or infinity; ValueError names argument, row and value."""
    vector = np.asarray(values, dtype=float)
    if vector.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, got shape {vector.shape}")
    if len(vector) == 0:
        raise ValueError(f"{name} is empty: there is nothing to measure")
    bad = ~np.isfinite(vector)
    if bad.any():
        row = int(np.argmax(bad))
        raise ValueError(f"{name} must be finite, got {vector[row]} in row {row}")
    return vector


def known_pairs(
    y_true: ArrayLike, y_pred: ArrayLike, names: tuple[str, str] = ("y_true", "y_pred")
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Truths and predictions of the rows that have both, and which rows these are.

    Raises
    ------
    ValueError
        If the lengths differ, a value is no number or infinite, or no row has both.
    """
    truth, predicted = (numbers(values, name) for values, name in zip((y_true, y_pred), names, strict=True))
    same_length(**dict(zip(names, (truth, predicted), strict=True)))
    known = ~np.isnan(truth) & ~np.isnan(predicted)
    if len(truth) and not known.any():
        raise ValueError(f"{names[0]} and {names[1]} have no row with both: there is nothing to measure")
    return finite_vector(truth[known], names[0]), finite_vector(predicted[known], names[1]), known


def numbers(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """A one-dimensional float array, NaN for whatever is missing."""
    vector = values if isinstance(values, pd.Series) else np.asarray(values, dtype=object)
    if vector.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, got shape {vector.shape}")
    try:
        return pd.to_numeric(pd.Series(vector)).to_numpy(dtype=float, na_value=np.nan)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{name} must hold numbers: {error}") from None


def same_length(**vectors: Any) -> None:
    """ValueError that names both arguments and their lengths if two lengths differ."""
    (first, reference), *others = vectors.items()
    for name, values in others:
        if len(values) != len(reference):
            raise ValueError(f"{name} has length {len(values)}, but {first} has length {len(reference)}")


def require_columns(frame: pd.DataFrame, columns: list[str], name: str) -> None:
    """ValueError that names the frame and the absent column."""
    for column in columns:
        if column not in frame.columns:
            raise ValueError(f"{name} has no column {column!r}; it has {list(frame.columns)}")


def checked_predictions(predictions: pd.DataFrame, model: str) -> pd.DataFrame:
    """Predictions with all their columns, ``model`` and ``split`` included, in a fresh frame.

    Raises
    ------
    ValueError
        Empty frame, absent column, NaN in ``y_pred``, negative outcome, an item twice for a model and split.
    """
    require_columns(predictions, ["item_id", "split", "y_true", "y_pred"], "predictions")
    if predictions.empty:
        raise ValueError("predictions is empty: there is nothing to measure")
    checked = predictions.reset_index(drop=True)
    if "model" not in checked:
        checked["model"] = model
    finite_vector(checked["y_pred"].to_numpy(dtype=float, na_value=np.nan), "predictions['y_pred']")
    checked["y_true"] = checked["y_true"].to_numpy(dtype=float, na_value=np.nan)
    lowest = checked["y_true"].min()
    if lowest < 0:
        raise ValueError(f"predictions['y_true'] must not be negative (hours), got {lowest}")
    key = ["model", "split", "item_id", *(["event_at"] if "event_at" in checked else [])]
    twice = checked.duplicated(key)
    if twice.any():
        raise ValueError(f"predictions holds an item twice: {checked[key][twice].iloc[0].to_dict()}")
    return checked


def prediction_interval(rows: pd.DataFrame) -> tuple[NDArray[np.float64], ...]:
    """p10 and p90 of the rows, or nothing for a model that gives none."""
    if not {"p10", "p90"} <= set(rows.columns) or rows[["p10", "p90"]].isna().all(axis=None):
        return ()
    return tuple(
        finite_vector(rows[name].to_numpy(dtype=float, na_value=np.nan), f"predictions['{name}']")
        for name in ("p10", "p90")
    )


def locate(predictions: pd.DataFrame, slices: pd.DataFrame) -> NDArray[np.intp]:
    """Position in ``slices`` of each prediction's item (and observation time, where items repeat)."""
    require_columns(slices, ["item_id"], "slices")
    key = ["item_id"] if slices["item_id"].is_unique else ["item_id", "event_at"]
    require_columns(slices, key, "slices")
    require_columns(predictions, key, "predictions")
    twice = slices.duplicated(key)
    if twice.any():
        raise ValueError(f"slices holds an item twice: {slices[key][twice].iloc[0].to_dict()}")
    right = slices[key].assign(position=np.arange(len(slices)))
    position = predictions[key].merge(right, on=key, how="left")["position"].to_numpy(dtype=float)
    if np.isnan(position).any():
        absent = predictions["item_id"].iloc[int(np.argmax(np.isnan(position)))]
        raise ValueError(f"slices has no row for item_id {absent!r} of predictions")
    return position.astype(np.intp)


def parts(predictions: pd.DataFrame) -> Iterator[tuple[str, str, NDArray[np.intp]]]:
    """(model, split, positions) of each part to measure, in order of appearance."""
    codes = predictions.groupby(["model", "split"], sort=False).ngroup().to_numpy()
    for code in range(codes.max() + 1):
        rows = np.flatnonzero(codes == code)
        model, split = predictions["model"].iloc[rows[0]], predictions["split"].iloc[rows[0]]
        if predictions["y_true"].iloc[rows].isna().all():
            raise ValueError(
                f"predictions['y_true'] is null in every row of model {model!r}, split {split!r}"
            )
        yield str(model), str(split), rows


def with_clusters(
    predictions: pd.DataFrame, slices: pd.DataFrame, position: NDArray[np.intp]
) -> pd.DataFrame:
    """Predictions with ``group_id``: their own, else that of their slices, else each item by itself."""
    if "group_id" in predictions:
        return predictions
    source = slices["group_id" if "group_id" in slices else "item_id"]
    return predictions.assign(group_id=source.to_numpy()[position])
