"""What changes from one part of time to the next: whether a map holds, and whether the base rate moved."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ml.data.dataset import Dataset
from ml.data.parts.splits import Split
from ml.stats.figure import Figure
from ml.stats.shift import rate_shift
from ml.tasks.calibration import ProbabilityCalibration, clearly_better

SHIFT = "positive_rate_shift"
MIN_CALIBRATION_ROWS = 10
Values = NDArray[np.float64]


def calibration_that_holds(
    score: Values, label: Values, begun: NDArray[np.datetime64], is_chance: bool = True
) -> ProbabilityCalibration:
    """Return the map of all rows; none where that of the earlier half of them does not help on the later.

    Parameters
    ----------
    score, label : ndarray, shape (n, 1)
        Probabilities of a model that never saw the rows, and 0/1.
    begun : ndarray of datetime64, shape (n,)
        When each row's item began.
    is_chance : bool
        Whether the scores are probabilities by themselves; what only orders has no use without the map.
    """

    def of(rows: NDArray[np.bool_]) -> ProbabilityCalibration:
        return ProbabilityCalibration(MIN_CALIBRATION_ROWS).fit(score[rows], label[rows])

    whole = of(np.ones(len(begun), dtype=bool))
    if not is_chance:
        return whole
    earlier = begun < np.sort(begun)[len(begun) // 2]
    later, truth = score[~earlier], label[~earlier]
    gain = np.square(later - truth) - np.square(of(earlier).predict(later) - truth)
    # By rows: half of a validation part has too few batches to be judged by.
    if not clearly_better(gain[:, 0], np.arange(len(gain)).astype(object)):
        whole.knots_ = [[]]
    return whole


def base_rate_shift(dataset: Dataset, split: Split, target: Values) -> list[Figure]:
    """Return by how much the share of positives grew from the validation to the test part, if any."""
    parts = [split.rows(part) & split.known for part in ("validation", "test")]
    if not all(rows.any() for rows in parts):
        return []
    clusters, positive = dataset.clusters(), (target > 0).astype(float)
    grown, low, high = rate_shift(*((positive[rows], clusters[rows]) for rows in parts))
    return [Figure("test", SHIFT, grown, low, high, int(parts[1].sum()))]


def warnings_of(metrics: Sequence[Figure]) -> list[str]:
    """Return a sentence where the base rate moved beyond its noise."""
    return [
        f"The share of positives moved by {m.value:+.3f} ({m.ci_low:+.3f} to {m.ci_high:+.3f}) from the "
        "validation to the test part: probabilities are off by about as much; train again on newer labels."
        for m in metrics
        if m.metric == SHIFT and m.ci_low is not None and m.ci_high is not None and m.ci_low * m.ci_high > 0
    ]
