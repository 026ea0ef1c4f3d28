"""Ranks by counting give the correlation that SciPy finds by sorting every subset."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from ml.stats.ranks import places, rank_correlation


@pytest.mark.parametrize("distinct", [2, 7, 100_000])
def test_the_correlation_of_a_subset_is_that_of_its_own_ranks(distinct: int) -> None:
    rng = np.random.default_rng(distinct)
    one = rng.integers(0, distinct, 400).astype(float)
    other = one / distinct + rng.normal(size=400)
    one[:30], other[20:60] = np.nan, np.inf
    rows = rng.random(400) < 0.5
    both = rows & np.isfinite(one) & np.isfinite(other)
    expected = spearmanr(one[both], other[both]).statistic
    assert rank_correlation(places(one)[rows], places(other)[rows]) == pytest.approx(expected)


def test_what_never_changes_goes_along_with_nothing() -> None:
    assert rank_correlation(places(np.ones(5)), places(np.arange(5.0))) == 0.0
    assert rank_correlation(places(np.full(5, np.nan)), places(np.arange(5.0))) == 0.0
