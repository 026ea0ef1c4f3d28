"""The figures of a model at rolling origins, and their means."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from ml.stats.figure import INTERVAL, Figure

# Names of the splits: origin_1, origin_2, …; the validation part is the last origin; then their mean.
ORIGIN, OVER_ORIGINS = "origin_", "origins"
LAST = "validation"


def over_origins(figures: Sequence[Figure]) -> list[Figure]:
    """Return the mean of every figure over the origins, with the interval that its spread gives.

    The interval is Student's: the few origins are what varies, not the rows in them. With one origin there is
    none.
    """
    result = []
    for name in dict.fromkeys(figure.metric for figure in figures):
        own = [f for f in figures if f.metric == name and f.value is not None]
        values = np.array([f.value for f in own], dtype=float)
        if not len(values):
            continue
        low = high = None
        if len(values) > 1:
            half = stats.t.ppf(INTERVAL[1], len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
            low, high = float(values.mean() - half), float(values.mean() + half)
        n = sum(f.n for f in own)
        result.append(Figure(OVER_ORIGINS, name, float(values.mean()), low, high, n))
    return result
