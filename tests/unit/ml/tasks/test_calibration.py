"""Intervals that cover, probabilities that are calibrated and keep the model's order."""

from __future__ import annotations

import numpy as np
import pytest

from ml.stats.metrics import auc, brier
from ml.tasks.calibration import (
    LevelCalibration,
    ProbabilityCalibration,
    ResidualIntervals,
    clearly_better,
)


def test_intervals_cover_what_they_promise_where_noise_grows() -> None:
    rng = np.random.default_rng(0)
    pred = rng.uniform(2, 8, 6000)
    y = pred + rng.normal(0, 0.2 * pred)
    intervals = ResidualIntervals().fit(pred[:3000], y[:3000])
    low, high = intervals.predict(pred[3000:])
    inside = (y[3000:] >= low) & (y[3000:] <= high)
    assert inside.mean() == pytest.approx(0.8, abs=0.03)
    for part in (pred[3000:] < 4, pred[3000:] > 6):
        assert inside[part].mean() == pytest.approx(0.8, abs=0.06)
    assert (low <= pred[3000:]).all() and (pred[3000:] <= high).all() and (low >= 0).all()


def test_one_residual_is_enough() -> None:
    low, high = ResidualIntervals().fit(np.array([1.0]), np.array([2.0])).predict(np.array([1.0, 5.0]))
    np.testing.assert_array_equal(high, [2.0, 6.0])
    np.testing.assert_array_equal(low, [1.0, 5.0])


def test_heavy_rows_widen_the_interval() -> None:
    rng = np.random.default_rng(1)
    y = rng.normal(5, 1, 500)
    pred = np.full(500, 5.0)
    plain = ResidualIntervals().fit(pred, y).highs_[-1]
    heavy = ResidualIntervals().fit(pred, y, np.where(y > 6, 10.0, 1.0)).highs_[-1]
    assert heavy > plain


def scores(n: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    truth = rng.random((n, 2)) * np.array([0.5, 1.0])
    label = (rng.random((n, 2)) < truth).astype(float)
    return truth**3, label


def test_calibration_lowers_the_brier_score_and_keeps_the_order() -> None:
    score, label = scores()
    calibration = ProbabilityCalibration().fit(score[:2000], label[:2000])
    probability = calibration.predict(score[2000:])
    for k in range(2):
        assert brier(label[2000:, k], probability[:, k])[0] < brier(label[2000:, k], score[2000:, k])[0]
    assert auc(label[2000:, 0], probability[:, 0])[0] == pytest.approx(
        auc(label[2000:, 0], score[2000:, 0])[0], abs=0.01
    )
    assert (np.diff(probability, axis=1) >= 0).all()


def test_what_is_not_defined_is_left_as_it_is() -> None:
    score, label = scores()
    label[:, 1] = np.nan
    calibration = ProbabilityCalibration().fit(score, label)
    assert calibration.knots_[1] == []
    np.testing.assert_array_equal(
        calibration.predict(score)[:, 0], np.interp(score[:, 0], *calibration.knots_[0])
    )


def test_a_level_that_moved_is_found_and_the_order_stays() -> None:
    rng = np.random.default_rng(3)
    score = rng.uniform(0.05, 0.6, (3000, 2))
    odds = np.log(score / (1 - score)) + np.array([0.8, -0.5])
    label = (rng.random(score.shape) < 1 / (1 + np.exp(-odds))).astype(float)
    label[:2500, 1] = np.nan
    level = LevelCalibration().fit(score, label)
    assert level.shifts_[0] == pytest.approx(0.8, abs=0.1)
    # Fewer rows are held closer to no shift at all.
    assert -0.6 < level.shifts_[1] < -0.1
    moved = level.separately(score)
    for k in range(2):
        assert (np.argsort(moved[:, k]) == np.argsort(score[:, k])).all()
    assert brier(label[:, 0], moved[:, 0])[0] < brier(label[:, 0], score[:, 0])[0]
    assert (np.diff(level.predict(score), axis=1) >= 0).all()
    assert level.limit(np.array([0.3, 9.0])).shifts_[0] == pytest.approx(0.3)
    np.testing.assert_array_equal(level.limit(np.zeros(2)).separately(score), score)
    assert LevelCalibration().fit(score, np.full(score.shape, np.nan)).shifts_ == [0.0, 0.0]


def test_a_gain_is_clear_only_beyond_the_noise_of_clusters() -> None:
    rng = np.random.default_rng(4)
    names = np.repeat(np.arange(20), 50).astype(object)
    # Rows of a cluster move together: by rows alone these would be clear in most runs.
    together = [clearly_better(np.repeat(rng.normal(0, 1, 20), 50), names) for _ in range(300)]
    assert np.mean(together) < 0.08
    assert clearly_better(rng.normal(0.5, 1, 1000), names)
    assert not clearly_better(np.ones(1000), np.repeat(["a", "b", "c", "d"], 250).astype(object))
