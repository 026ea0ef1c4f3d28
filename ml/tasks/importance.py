"""What a fitted model relies on: by how much each feature helped its learners."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

_MOST = 30


def importance_of(learners: Sequence[Any], sources: Sequence[str]) -> dict[str, float]:
    """Return the share that each item column has in what the learners gained, the largest first.

    The parts of one column (levels, components of a text) are added up. The measure is the family's own: the
    loss that its splits took away, or the size of coefficients of standardised columns.

    Parameters
    ----------
    learners : sequence of estimators
        Those without ``feature_importances_`` tell nothing.
    sources : sequence of str
        The item column of every encoded column; what a learner reads beyond them is left out.
    """
    shares: dict[str, float] = {}
    for learner in learners:
        values = getattr(learner, "feature_importances_", None)
        if values is None:
            return {}
        for name, value in zip(sources, np.asarray(values, dtype=float), strict=False):
            shares[name] = shares.get(name, 0.0) + float(value)
    total = sum(shares.values())
    first = sorted(shares.items(), key=lambda one: (-one[1], one[0]))[:_MOST]
    return {name: round(value / total, 6) for name, value in first if value > 0}
