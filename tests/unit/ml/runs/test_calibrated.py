"""Chances that are wrong beyond noise are named by their horizon; what is too small to say so is not."""

from dataclasses import replace

import pytest

from ml.runs.calibrated import calibration_by_horizon
from ml.stats.figure import Figure
from tests.unit.ml.runs.test_select import evaluation

Interval = tuple[float | None, float | None, float | None]


@pytest.mark.parametrize(
    ("error", "gain", "verdict", "is_off"),
    [
        ((0.05, 0.02, 0.08), (0.03, 0.01, 0.05), "held", False),
        ((0.25, 0.21, 0.29), (0.03, 0.01, 0.05), "off by more than 0.2", True),
        # Large, and within noise of what is allowed.
        ((0.25, 0.19, 0.31), (0.03, 0.01, 0.05), "held", False),
        ((0.05, 0.02, 0.08), (-0.03, -0.05, -0.01), "worse than the group's own rate", False),
        ((0.05, 0.02, 0.08), (-0.03, -0.05, 0.0), "held", False),
        ((0.9, None, None), (-0.5, None, None), "not assessable", False),
    ],
)
def test_a_fault_is_one_beyond_noise(error: Interval, gain: Interval, verdict: str, is_off: bool) -> None:
    figures = [
        Figure("test", "ece_30d", 0.01, 0.0, 0.02, 40),
        Figure("test", "ece_7d", *error, 50),
        Figure("test", "brier_7d_gain_vs_group_rate", *gain, 50),
        Figure("validation", "ece_1d", 0.9, 0.8, 1.0, 50),
        Figure("test", "ece_365d", None, None, None, 0),
    ]
    one = replace(evaluation("linear", 1.5), metrics=figures)
    week, month = calibration_by_horizon(one, "test", 0.2)
    assert (week.horizon_days, week.n, week.verdict, week.is_off) == (7, 50, verdict, is_off)
    assert (month.horizon_days, month.is_off) == (30, False)
