"""No interval without enough to make it of, and the same resamples for every figure."""

from __future__ import annotations

import numpy as np
import pytest

from ml.stats.intervals import MIN_CLUSTERS, Resamples, figure_of
from ml.stats.metrics import mean_of


def means(clusters: np.ndarray, values: np.ndarray) -> np.ndarray:
    resamples = Resamples.of(clusters, 200, 0)
    return mean_of(values, resamples.at(np.arange(len(values))))


@pytest.mark.parametrize(("n_clusters", "has_interval"), [(1, False), (4, False), (5, True), (40, True)])
def test_an_interval_needs_five_clusters(n_clusters: int, has_interval: bool) -> None:
    rng = np.random.default_rng(0)
    clusters = np.array([f"c{k % n_clusters}" for k in range(400)], dtype=object)
    values = rng.normal(size=400) + np.arange(400) % n_clusters
    figure = figure_of("test", "mean", means(clusters, values), 400, Resamples.of(clusters, 1, 0).clusters())
    assert figure.value == pytest.approx(values.mean()) and figure.n == 400
    assert (figure.ci_low is not None) is (figure.ci_high is not None) is has_interval
    if figure.ci_low is not None and figure.ci_high is not None:
        assert figure.ci_low < values.mean() < figure.ci_high


def test_what_has_no_value_has_no_interval() -> None:
    nothing = figure_of("test", "auc", np.full(201, np.nan), 0, 40)
    assert (nothing.value, nothing.ci_low, nothing.ci_high) == (None, None, None)
    few = figure_of("test", "auc", np.r_[0.5, np.full(190, np.nan), np.full(10, 0.5)], 9, 40)
    assert (few.value, few.ci_low) == (0.5, None)
    alone = figure_of("test", "auc", np.array([0.5]), 9, 40)
    assert (alone.value, alone.ci_high) == (0.5, None)


def test_clusters_are_counted_among_the_rows_of_a_figure() -> None:
    resamples = Resamples.of(np.array(["a", "a", "b", "c"], dtype=object), 3, 0)
    assert resamples.clusters() == 3 and resamples.clusters(np.array([0, 1])) == 1
    weights = resamples.at(np.arange(4))
    assert (weights[:, 0] == 1).all() and (weights[0] == weights[1]).all()
    np.testing.assert_array_equal(np.hstack(list(resamples.blocks())), weights)
    assert MIN_CLUSTERS == 5
