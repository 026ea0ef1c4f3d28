"""The identity of a training set: a hash of what it says, not of the files, types or order it is said in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.extensions import ExtensionArray

# Beyond it two whole numbers may be one float.
EXACT_IN_FLOAT = 2**53
MISSING = "\x00missing"


def content_id(items: pd.DataFrame, labels: pd.DataFrame, settings: Mapping[str, Any]) -> str:
    """Return the hash of the rows, the names of the columns in their order, and all settings.

    Parameters
    ----------
    items, labels : DataFrame
        Whether a text is a category, a number nullable or a time in nanoseconds makes no difference, nor does
        the order of the rows: a frame has the identity of the same frame read back from a file.
    settings : mapping
        Plain values.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    digest = hashlib.sha256(json.dumps(_plain(settings), sort_keys=True).encode())
    for frame in (items, labels):
        columns = [_canonical(frame.iloc[:, position]) for position in range(frame.shape[1])]
        digest.update(json.dumps([str(name) for name in frame.columns]).encode())
        canonical = pd.DataFrame(dict(enumerate(columns)), index=range(len(frame)))
        rows = pd.util.hash_pandas_object(canonical, index=False).to_numpy()
        digest.update(np.sort(rows).tobytes())
    return digest.hexdigest()


def _canonical(column: pd.Series) -> NDArray[Any] | ExtensionArray:
    """Return the values in the one form that they are hashed in."""
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
    if pd.api.types.is_datetime64_dtype(column):
        return column.to_numpy("datetime64[us]").astype(np.int64)
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        values = column.to_numpy(float, na_value=np.nan) + 0.0  # of two zeros one
        if pd.api.types.is_integer_dtype(column) and (np.abs(values) >= EXACT_IN_FLOAT).any():
            return _texts(column)
        values[np.isnan(values)] = np.nan  # of many NaN one
        return values
    return _texts(column)


def _texts(column: pd.Series) -> NDArray[np.object_] | ExtensionArray:
    if column.dtype == "str":
        return column.fillna(MISSING).array
    values = column.astype(object)
    if pd.api.types.infer_dtype(values, skipna=True) not in ("string", "empty"):
        values = values.map(_said, na_action="ignore")
    return np.asarray(values.where(values.notna(), MISSING), dtype=object)


def _said(value: Any) -> str:
    """Return the type and the value; a list of names is one whether it is a tuple or read from a file."""
    several = value.tolist() if isinstance(value, np.ndarray) else value
    if isinstance(several, list | tuple):
        return f"list {list(several)!r}"
    return f"{type(value).__name__} {value!r}"


def _plain(value: Any) -> Any:
    """Return the value with every number as a float: 7 days and 7.0 days are one setting."""
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
