"""Words and numbers as the text reports write them."""

from __future__ import annotations

import math

import pandas as pd

from ml.bias.judge.summary import NOT_ASSESSABLE

TITLE = "BIAS DETECTION REPORT"
RULE = "=" * 80


def selected(frame: pd.DataFrame, name: str, **wanted: str) -> pd.DataFrame:
    """Rows with the wanted values; ValueError names the one that no row has."""
    chosen = frame
    for column, value in wanted.items():
        chosen = chosen[chosen[column] == value]
        if chosen.empty:
            raise ValueError(
                f"{name} has no row with {column} {value!r}; it has {list(frame[column].unique())}"
            )
    return chosen


def answer(biased: bool, assessable: bool) -> str:
    """The report's answer to "is there a bias"."""
    return "YES" if biased else "NO" if assessable else NOT_ASSESSABLE.upper()


def percent(ratio: float | None) -> str:
    """A ratio as a percentage: 0.009 is 0.9 %, and an infinite gap says why it is infinite."""
    if ratio is None or math.isnan(ratio):
        return "-"
    return "infinite (the best slice has no error)" if math.isinf(ratio) else f"{ratio * 100:,.1f} %"


def figure(value: float | None) -> str:
    """A number with three digits, a dash for none."""
    if value is None or math.isnan(value):
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
