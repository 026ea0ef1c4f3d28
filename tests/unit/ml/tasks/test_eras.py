"""A base rate that moves is noticed, one that stands still is not, and a map is kept where it holds later."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from ml.data.dataset import Dataset
from ml.stats.shift import rate_shift
from ml.tasks import SCORER, Trained
from ml.tasks.scoring.eras import calibration_that_holds, warnings_of
from ml.tasks.scoring.settings import ScoringConfig
from tests.unit.ml import grouped

CONFIG = ScoringConfig(
    validation_groups=5, test_groups=6, cv_folds=0, replicates=0, params={"n_estimators": 30}
)
RUNS = 100


def part(
    rng: np.random.Generator, rate: float, groups: int, likeness: float
) -> tuple[NDArray[np.float64], NDArray[np.object_]]:
    """Rows in groups whose own rates differ: the correlation within a group is ``likeness``."""
    more = (1 - likeness) / likeness
    rates = rng.beta(rate * more, (1 - rate) * more, groups)
    y = (rng.random((groups, 150)) < rates[:, None]).astype(float).ravel()
    return y, np.repeat(np.arange(groups), 150).astype(object)


@pytest.mark.parametrize("likeness", [1e-6, 0.01, 0.05])
@pytest.mark.parametrize("groups", [(5, 6), (10, 12), (40, 40)])
def test_a_shift_is_noticed_and_none_is_made_up(groups: tuple[int, int], likeness: float) -> None:
    rng = np.random.default_rng(1)

    def found(before: float, after: float) -> int:
        drawn = [
            (part(rng, before, groups[0], likeness), part(rng, after, groups[1], likeness))
            for _ in range(RUNS)
        ]
        shifts = [rate_shift(*both) for both in drawn]
        return sum(low > 0 or high < 0 for _, low, high in shifts)

    assert found(0.07, 0.62) >= 95
    assert found(0.2, 0.2) <= 5


def trained_where(rate: float) -> Trained:
    """A scorer of batches whose last ones have another share of positives."""
    items, labels = grouped.frames(n_groups=22, size=100)
    rng = np.random.default_rng(0)
    late = (items["group_id"] >= "week-16").to_numpy()
    y = np.where(late, rng.random(len(items)) < rate, rng.random(len(items)) < 0.2).astype(float)
    return SCORER.train(Dataset(items, labels.assign(y=y)), CONFIG)


def test_the_record_and_the_log_warn_of_a_moved_base_rate(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        moved = trained_where(0.6)
    (sentence,) = warnings_of(moved.metrics)
    assert "moved by +0.4" in sentence and sentence in caplog.text
    assert moved.report is not None and moved.report["warnings"] == [sentence]
    caplog.clear()
    still = trained_where(0.2)
    assert still.report is not None and still.report["warnings"] == [] and "moved by" not in caplog.text
    assert any(m.metric == "positive_rate_shift" and m.value is not None for m in still.metrics)


@pytest.mark.parametrize("later_is_alike", [True, False])
def test_a_map_is_kept_only_where_it_holds_later(later_is_alike: bool) -> None:
    """Scores that are twice the chance: in the later half, too, or right there."""
    rng = np.random.default_rng(2)
    score = rng.uniform(0, 1, 4000)
    late = np.arange(4000) >= 2000
    chance = np.where(late & (not later_is_alike), score, score / 2)
    label = (rng.random(4000) < chance).astype(float)
    begun = pd.date_range("2024-01-01", periods=4000, freq="h").to_numpy()
    answer, of_order = (
        calibration_that_holds(score[:, None], label[:, None], begun, is_chance).predict(np.array([[0.8]]))
        for is_chance in (True, False)
    )
    assert answer[0, 0] == pytest.approx(0.4, abs=0.05) if later_is_alike else answer[0, 0] == 0.8
    # Scores that only order are no chances without a map.
    assert of_order[0, 0] == pytest.approx(0.4 if later_is_alike else 0.6, abs=0.05)
