"""The gap between the best and the worst slice."""

from __future__ import annotations

import math


def relative_gap(best: float, worst: float) -> float:
    """|worst - best| / |best|.

    A perfect best slice with a worse one beside it is the largest gap there is, hence infinite; equal values
    have no gap, zero included.
    """
    if worst == best:
        return 0.0
    return math.inf if best == 0 else abs(worst - best) / abs(best)
