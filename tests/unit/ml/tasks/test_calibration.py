"""Intervals that cover, probabilities that are calibrated and keep the model's order."""

from __future__ import annotations

import numpy as np
import pytest

from ml.stats.metrics import auc, brier
from ml.tasks.calibration import ProbabilityCalibration, ResidualIntervals


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


def test_what_cannot_be_judged_or_does_not_help_is_not_kept() -> None:
    score, label = scores()
    label[:, 1] = np.nan
    calibration = ProbabilityCalibration().fit(score, label)
    assert calibration.knots_[1] == []
    np.testing.assert_array_equal(
        calibration.predict(score)[:, 0], np.interp(score[:, 0], *calibration.knots_[0])
    )
    helped = ProbabilityCalibration().fit(*scores()).keep_if_better(*scores())
    assert all(helped.knots_)
    score, label = scores()
    wrong = ProbabilityCalibration().fit(score, 1.0 - label).keep_if_better(score, label)
    assert wrong.knots_ == [[], []]
    one_class = ProbabilityCalibration().fit(*scores()).keep_if_better(scores()[0], np.ones((4000, 2)))
    assert one_class.knots_ == [[], []]
    assert helped.keep_same_as(one_class).knots_ == [[], []]
