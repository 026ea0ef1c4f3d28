"""Whether items have the columns that a model was trained on, and of the same type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from ml.data.columns import Kind, holds, kind_of


def refuse_misfit(items: pd.DataFrame, kinds: Mapping[str, Kind]) -> None:
    """Refuse items with a `misfit`."""
    found = misfit(items, kinds)
    if found:
        raise ValueError(found)


def misfit(items: pd.DataFrame, kinds: Mapping[str, Kind], unknown: Sequence[str] = ()) -> str | None:
    """Say of items that they lack columns of a model, have them of another type, or ``unknown`` ones beside.

    Parameters
    ----------
    items : DataFrame
    kinds : mapping
        The columns that the model reads with what they held in training.
    unknown : sequence of str
        Columns of the items that the model does not know, where that matters.

    Returns
    -------
    str or None
        One sentence that names every such column.
    """
    absent = [name for name in kinds if name not in items]
    other = [
        f"{name!r} ({_said(items[name])} instead of {kind})"
        for name, kind in kinds.items()
        if name in items and _differs(items[name], kind)
    ]
    problems = [f"lack the features {absent}"] if absent else []
    problems += [f"have the features {list(unknown)} that it does not know"] if unknown else []
    problems += [f"have {', '.join(other)}"] if other else []
    if not problems:
        return None
    return f"The items {' and '.join(problems)}: give the model the columns that it was trained on."


def _differs(column: pd.Series, kind: Kind) -> bool:
    if column.isna().all():  # what holds nothing is of no type
        return False
    try:
        # Categories and texts are both names: which of them a column is, the model has settled.
        return (kind_of(column) == "number") != (kind == "number")
    except ValueError:
        return True


def _said(column: pd.Series) -> str:
    try:
        return kind_of(column)
    except ValueError:
        return holds(column)
