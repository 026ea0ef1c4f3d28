"""Whether a rate moved from one part to the next beyond its noise, where rows come in clusters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

# An interval that excludes zero without a shift in 1 of 100 cases: a warning that comes oftener is not read.
LEVEL = 0.99
Values = NDArray[np.float64]
Names = NDArray[np.object_]


def rate_shift(before: tuple[Values, Names], after: tuple[Values, Names]) -> tuple[float, float, float]:
    """Return how much a rate of 0/1 rows grew, with its interval of `LEVEL`; neither part may be empty.

    The variance is that of a ratio over clusters (Cochran 1977, 6.4), and not below that of independent rows;
    the degrees of freedom are those of the part with fewer clusters, which errs on the side of silence.

    Parameters
    ----------
    before, after : (rows of 0 and 1, shape (n,); cluster of each row, shape (n,))
    """
    parts = [_rate(*part) for part in (before, after)]
    grown = parts[1][0] - parts[0][0]
    pooled = float(np.mean(np.concatenate([before[0], after[0]])))
    independent = sum(pooled * (1.0 - pooled) / len(part[0]) for part in (before, after))
    spread = np.sqrt(max(sum(variance for _, variance, _ in parts), independent))
    freedom = max(1, min(clusters for _, _, clusters in parts) - 1)
    low, high = grown + spread * t.ppf([(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0], freedom)
    return float(grown), float(low), float(high)


def _rate(rows: Values, clusters: Names) -> tuple[float, float, int]:
    """Return the rate, its variance over clusters, and their number."""
    _, code = np.unique(clusters.astype(str), return_inverse=True)
    hits, sizes = np.bincount(code, rows), np.bincount(code)
    rate, n = float(rows.mean()), len(sizes)
    if n < 2:
        return rate, 0.0, n
    residual = hits - rate * sizes
    return rate, float(n / (n - 1) * (residual**2).sum() / len(rows) ** 2), n
