"""Metrics of an order against naive oracles and by their limits."""

from __future__ import annotations

import math
from itertools import permutations
from typing import Any

import numpy as np
import pytest

from ml.stats import rank_metrics as r


def names(*values: str) -> np.ndarray:
    return np.array(values, dtype=object)


def mean_of(by_group: Any, y: np.ndarray, score: np.ndarray, groups: np.ndarray, *k: int) -> float:
    grouping = r.Grouping(groups)
    return float(grouping.mean(by_group(y, score, grouping, *k))[0])


def naive_ndcg(relevance: list[float], score: list[float], k: int) -> float:
    def dcg(ordered: list[float]) -> float:
        return sum((2**g - 1) / math.log2(place + 2) for place, g in enumerate(ordered[:k]))

    by_score = [g for _, g in sorted(zip(score, relevance, strict=True), key=lambda pair: -pair[0])]
    return dcg(by_score) / dcg(sorted(relevance, reverse=True))


def test_ndcg_is_the_mean_of_the_groups() -> None:
    rng = np.random.default_rng(0)
    groups = names(*["a"] * 7, *["b"] * 30)
    relevance, score = rng.integers(0, 5, 37).astype(float), rng.random(37)
    for k in (1, 5, 10, 20):
        expected = np.mean(
            [
                naive_ndcg(list(relevance[rows]), list(score[rows]), k)
                for rows in (groups == "a", groups == "b")
            ]
        )
        assert r.ndcg(relevance, score, groups, k)[0] == pytest.approx(expected)


def test_linear_gains_are_those_of_scikit_learn() -> None:
    from sklearn.metrics import ndcg_score

    rng = np.random.default_rng(1)
    relevance, score, groups = rng.integers(0, 5, 40).astype(float), rng.random(40), names(*["a"] * 40)
    for k in (5, 20):
        expected = ndcg_score([relevance], [score], k=k)
        assert r.ndcg(relevance, score, groups, k, is_linear=True)[0] == pytest.approx(expected)
        assert r.ndcg(relevance, score, groups, k)[0] != pytest.approx(expected)


def test_k_larger_than_the_group_is_defined() -> None:
    groups = names("a", "a", "b")
    relevance, score = np.array([0.0, 2.0, 1.0]), np.array([0.9, 0.1, 0.5])
    worst_of_two = (3 / math.log2(3)) / 3
    assert r.ndcg(relevance, score, groups, 10)[0] == pytest.approx((worst_of_two + 1.0) / 2)
    assert mean_of(r.precision_by_group, relevance, score, groups, 10) == pytest.approx((0.5 + 1.0) / 2)


def test_a_group_of_one_and_a_group_without_relevance() -> None:
    one = names("a")
    assert r.ndcg(np.array([3.0]), np.array([0.0]), one, 5)[0] == 1.0
    assert np.isnan(r.ndcg(np.array([0.0]), np.array([0.0]), one, 5)[0])
    two = names("a", "a", "b", "b")
    relevance, score = np.array([1.0, 0.0, 0.0, 0.0]), np.array([2.0, 1.0, 2.0, 1.0])
    assert r.ndcg(relevance, score, two, 5)[0] == 1.0
    assert mean_of(r.reciprocal_rank_by_group, relevance, score, two) == 1.0
    assert mean_of(r.precision_by_group, relevance, score, two, 1) == 0.5
    assert mean_of(r.top_k_hit_by_group, relevance, score, two, 1) == 1.0


def test_nothing_at_all_is_not_a_number() -> None:
    empty, none = np.zeros(0), np.zeros(0, dtype=object)
    assert np.isnan(r.ndcg(empty, empty, none, 5)[0])
    assert np.isnan(mean_of(r.precision_by_group, empty, empty, none, 5))
    assert np.isnan(r.review_share(empty, empty, 0.8)[0])


def test_review_share_by_hand() -> None:
    y = np.array([1.0, 0, 1, 0, 1, 0, 1, 0, 1, 0])
    score = np.arange(10, 0, -1).astype(float)
    assert r.review_share(y, score, 0.8)[0] == pytest.approx(0.7)
    assert r.review_share(y, score, 1.0)[0] == pytest.approx(0.9)
    twice = np.column_stack([np.ones(10), np.where(y > 0, 2.0, 1.0)])
    assert r.review_share(y, score, 0.8, twice)[1] == pytest.approx(11 / 15)
    assert np.isnan(r.review_share(np.zeros(3), np.arange(3.0), 0.8)[0])


def test_reciprocal_rank_and_ranks() -> None:
    groups = names("a", "a", "a", "b", "b")
    y, score = np.array([0.0, 0, 1, 1, 0]), np.array([3.0, 2, 1, 5, 4])
    assert mean_of(r.reciprocal_rank_by_group, y, score, groups) == pytest.approx((1 / 3 + 1) / 2)
    assert list(r.rank_in_group(np.array([1.0, 3, 2, 7, 7]), groups)) == [3, 1, 2, 1, 2]


def test_group_weights_reweight_the_mean() -> None:
    groups = names("a", "a", "b", "b")
    y, score = np.array([1.0, 0, 0, 1]), np.array([2.0, 1, 2, 1])
    weights = np.array([[1.0, 3.0], [1.0, 3.0], [1.0, 0.0], [1.0, 0.0]])
    grouping = r.Grouping(groups)
    by_group = r.precision_by_group(y, score, grouping, 1)
    assert grouping.mean(by_group, weights) == pytest.approx([0.5, 1.0])


def test_k_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="k must be at least 1"):
        r.ndcg(np.ones(1), np.ones(1), names("a"), 0)


def test_every_group_is_measured_as_if_it_were_alone() -> None:
    """One pass over shuffled rows gives what a loop over the groups gives."""
    rng = np.random.default_rng(5)
    n = 400
    groups = np.array([f"g{k}" for k in rng.integers(0, 60, n)], dtype=object)
    relevance = rng.choice([0.0, 0, 0, 1, 3], n)
    score = rng.permutation(n).astype(float)
    grouping = r.Grouping(groups)
    for place, name in enumerate(sorted(set(groups))):
        rows = groups == name
        order = sorted(range(rows.sum()), key=lambda k, s=score[rows]: (-s[k], k))
        hits = relevance[rows][order] > 0
        if not hits.any():
            assert np.isnan(r.reciprocal_rank_by_group(relevance, score, grouping)[place])
            assert r.reciprocal_rank_by_group(relevance, score, grouping, empty=0.0)[place] == 0
            assert r.ndcg_by_group(relevance, score, grouping, 3, empty=0.0)[place] == 0
            continue
        by_hand = naive_ndcg(list(relevance[rows][order]), list(range(rows.sum(), 0, -1)), 3)
        assert r.ndcg_by_group(relevance, score, grouping, 3)[place] == pytest.approx(by_hand)
        first = int(np.argmax(hits))
        assert r.reciprocal_rank_by_group(relevance, score, grouping)[place] == pytest.approx(1 / (1 + first))
        assert r.top_k_hit_by_group(relevance, score, grouping, 3)[place] == float(first < 3)
        assert r.precision_by_group(relevance, score, grouping, 5)[place] == pytest.approx(
            hits[:5].sum() / min(5, len(hits))
        )


@pytest.mark.parametrize("seed", range(12))
def test_tied_rows_count_as_the_mean_of_all_their_orders(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 6
    groups = names(*["a"] * n)
    relevance = rng.choice([0.0, 0, 1, 3], n)
    relevance[0] = 1.0
    score = rng.integers(0, 3, n).astype(float)
    # Every order of the rows, with ties broken by it, is one order of the tied rows, each equally often.
    broken = [score + 1e-6 * np.array(order) for order in permutations(range(n))]
    grouping = r.Grouping(groups)
    measures = {
        "ndcg": lambda s: r.ndcg_by_group(relevance, s, grouping, 3)[0],
        "linear": lambda s: r.ndcg_by_group(relevance, s, grouping, 4, is_linear=True)[0],
        "mrr": lambda s: r.reciprocal_rank_by_group(relevance, s, grouping)[0],
        "top": lambda s: r.top_k_hit_by_group(relevance, s, grouping, 2)[0],
        "precision": lambda s: r.precision_by_group(relevance, s, grouping, 4)[0],
        "review": lambda s: r.review_share(relevance, s, 0.8)[0],
    }
    for name, measure in measures.items():
        assert measure(score) == pytest.approx(np.mean([measure(s) for s in broken])), name


def test_neither_the_order_of_tied_rows_nor_their_number_of_resamples_decides() -> None:
    rng = np.random.default_rng(9)
    n = 300
    groups = np.array([f"g{k}" for k in rng.integers(0, 20, n)], dtype=object)
    y, score = rng.choice([0.0, 0, 1], n), rng.integers(0, 4, n).astype(float)
    weights = rng.integers(0, 4, (n, 5)).astype(float)
    order = rng.permutation(n)
    one, other = r.Grouping(groups), r.Grouping(groups[order])
    for by_group in (r.precision_by_group, r.top_k_hit_by_group, r.ndcg_by_group):
        np.testing.assert_allclose(by_group(y, score, one, 3), by_group(y[order], score[order], other, 3))
    np.testing.assert_allclose(
        r.reciprocal_rank_by_group(y, score, one), r.reciprocal_rank_by_group(y[order], score[order], other)
    )
    shares = r.review_share(y, score, 0.8, weights)
    np.testing.assert_allclose(shares, r.review_share(y[order], score[order], 0.8, weights[order]))
    np.testing.assert_allclose(shares[2], r.review_share(y, score, 0.8, weights[:, 2])[0])
