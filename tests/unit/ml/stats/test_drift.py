"""The stability index: nothing moved, something moved, and how much is chance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ml.stats.drift import population_stability


def normal(n: int, seed: int, shift: float = 0.0) -> pd.Series:
    return pd.Series(np.random.default_rng(seed).normal(shift, 1, n))


def test_by_hand_on_two_values() -> None:
    expected = pd.Series(["a"] * 79 + ["b"] * 19)
    actual = pd.Series(["a"] * 39 + ["b"] * 59)
    # With half a row more in each of both bins: 79.5, 19.5 of 99 against 39.5, 59.5 of 99.
    e, a = np.array([79.5, 19.5]) / 99, np.array([39.5, 59.5]) / 99
    found = population_stability(expected, actual)
    assert found.value == pytest.approx(sum((a - e) * np.log(a / e)))
    assert (found.n_bins, found.n_expected, found.n_actual) == (2, 98, 98)


@pytest.mark.parametrize(("n", "m"), [(2000, 100), (500, 500)])
def test_without_a_shift_one_in_twenty_is_above_the_noise(n: int, m: int) -> None:
    found = [population_stability(normal(n, seed), normal(m, 10_000 + seed)) for seed in range(400)]
    assert 0.01 < np.mean([one.value > one.noise for one in found]) < 0.10


def test_a_shift_is_far_above_the_noise_and_grows_with_it() -> None:
    values = [population_stability(normal(2000, 1), normal(500, 2, shift)).value for shift in (0.0, 0.5, 1.0)]
    assert values == sorted(values) and values[2] > 0.25
    assert values[1] > population_stability(normal(2000, 1), normal(500, 2)).noise


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([1.0, np.nan, 3.0]),
        pd.Series([None, None], dtype="object"),
        pd.Series([True, False, True]),
        pd.Series(["a", None, "b"]),
        pd.Series([7.0] * 5),
        pd.Series([1, None, 3], dtype="Int64"),
        pd.Series([np.inf, -np.inf, 0.0]),
    ],
)
def test_a_column_is_like_itself(column: pd.Series) -> None:
    found = population_stability(column, column)
    assert found.value == pytest.approx(0) and np.isfinite(found.noise)


def test_what_went_missing_is_a_shift() -> None:
    assert population_stability(normal(500, 1), normal(500, 1).mask(normal(500, 3) > 0)).value > 0.25


def test_an_empty_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="without rows"):
        population_stability(pd.Series([1.0]), pd.Series([], dtype=float))
