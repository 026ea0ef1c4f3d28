"""Sample weights: known answers, and that censoring weights undo what censoring hides."""

from __future__ import annotations

import numpy as np
import pytest

from ml.data.outcomes import Outcomes
from ml.data.weights import censoring_weights, recency_weights
from ml.stats.metrics import weighted_quantile
from ml.stats.weights import group_weights


def test_group_weights_have_the_known_answers() -> None:
    group = np.repeat(np.array(["a", "b", "c"], dtype=object), [33_286, 21_611, 6_374])
    weight = group_weights(group)
    assert weight[[0, 40_000, -1]].round(4).tolist() == [0.6136, 0.9451, 3.2042]
    np.testing.assert_allclose([weight[group == g].sum() for g in "abc"], len(group) / 3)
    np.testing.assert_array_equal(group_weights(group, 0.0), 1.0)
    np.testing.assert_allclose(group_weights(group, 0.5), weight**0.5)


def test_recency_halves_within_each_timeline() -> None:
    start = np.arange(20).astype("datetime64[D]").astype("datetime64[us]")
    line = np.repeat(np.array(["a", "b"], dtype=object), 10)
    weight = recency_weights(start, line, 0.5)
    assert weight[9] == weight[19] == 1.0
    assert weight[4] == pytest.approx(0.5)
    np.testing.assert_array_equal(recency_weights(start, line, None), 1.0)


def test_censoring_weights_restore_the_median() -> None:
    rng = np.random.default_rng(0)
    hours, age = rng.exponential(100.0, 8000), rng.uniform(0, 600.0, 8000)
    known = hours < age
    outcomes = Outcomes(known, np.minimum(hours, age), age)
    weight = censoring_weights(outcomes, np.full(8000, "all", dtype=object))
    plain = np.median(hours[known])
    corrected = weighted_quantile(hours[known], 0.5, weight[known])
    truth = np.median(hours)
    assert abs(corrected - truth) < 3.0 < abs(plain - truth)
    assert (weight[~known] == 1.0).all() and weight.max() <= 10.0
