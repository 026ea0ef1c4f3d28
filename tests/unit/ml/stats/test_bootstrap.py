"""Bootstrap weights are Poisson, and a function of the key alone."""

import numpy as np
import pandas as pd
import pytest

from ml.stats.bootstrap import percentile_interval, poisson_weights


def test_weights_are_poisson_with_mean_one_and_independent_between_replicates():
    weights = poisson_weights(np.arange(20_000), 50)
    assert weights.shape == (20_000, 50) and weights.dtype == np.uint8
    assert weights.mean() == pytest.approx(1, abs=0.005)
    assert weights.var() == pytest.approx(1, abs=0.01)
    assert (weights == 0).mean() == pytest.approx(np.exp(-1), abs=0.003)
    correlation = np.corrcoef(weights.T)[np.triu_indices(50, 1)]
    assert np.abs(correlation).max() < 0.035


def test_weights_do_not_depend_on_row_order_or_on_other_rows():
    keys = np.array([f"owner/name#{i}" for i in range(500)])
    weights = poisson_weights(keys, 7)
    order = np.random.default_rng(0).permutation(500)
    assert (poisson_weights(keys[order], 7) == weights[order]).all()
    assert (poisson_weights(keys[:10], 7) == weights[:10]).all()
    assert (poisson_weights(keys, 3) == weights[:, :3]).all()


def test_equal_keys_get_equal_weights_whatever_holds_them():
    weights = poisson_weights(["a", "b", "a"], 40)
    assert (weights[0] == weights[2]).all() and (weights[0] != weights[1]).any()
    assert (poisson_weights(pd.Series(["a", "b", "a"]), 40) == weights).all()
    assert (poisson_weights(np.array(["a", "b", "a"], dtype=object), 40) == weights).all()


def test_seeds_give_different_resamples():
    assert (poisson_weights(np.arange(100), 5, seed=1) != poisson_weights(np.arange(100), 5, seed=2)).any()


def test_the_interval_covers_the_mean_at_its_level():
    covered = 0
    weights = poisson_weights(np.arange(200), 200).astype(float)
    for seed in range(200):
        sample = np.random.default_rng(seed).exponential(size=200)
        low, high = percentile_interval((sample @ weights) / weights.sum(axis=0))
        covered += low <= 1 <= high
    assert 178 <= covered <= 199  # 95 % of 200, three standard errors and the percentile's known shortfall


def test_percentile_interval_equals_quantiles_and_leaves_nan_out():
    values = np.random.default_rng(0).normal(size=(3, 101))
    low, high = percentile_interval(values, 0.9)
    assert low == pytest.approx(np.quantile(values, 0.05, axis=1))
    assert high == pytest.approx(np.quantile(values, 0.95, axis=1))
    values[0, :50] = np.nan
    assert percentile_interval(values, 0.9)[0][0] == pytest.approx(np.nanquantile(values[0], 0.05))
    assert np.isnan(percentile_interval(np.full((1, 4), np.nan))[0]).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: poisson_weights([1], 0), "replicates must be at least 1, got 0"),
        (lambda: poisson_weights([[1]], 2), r"keys must be one-dimensional, got shape \(1, 1\)"),
        (
            lambda: percentile_interval(np.ones(3), 1.0),
            "confidence must lie strictly between 0 and 1, got 1.0",
        ),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
