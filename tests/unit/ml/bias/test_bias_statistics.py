"""The closed forms against Welch's test, brute force over clusters, and simulation."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ml.bias.estimates.cells import build_cells, resampled_totals, slice_medians, sum_by
from ml.bias.estimates.comparison import Sides, compare_with_complement, q_values
from ml.bias.estimates.errors import RowErrors
from ml.bias.estimates.shrinkage import shrink
from ml.bias.judge.gap import relative_gap
from ml.bias.slices.membership import build_membership, encode_dimensions


def setup(n=400, n_clusters=None, seed=0):
    rng = np.random.default_rng(seed)
    truth = np.exp(rng.normal(3, 1, n))
    errors = RowErrors.of(truth, truth * np.exp(rng.normal(0, 1, n)))
    clusters = np.arange(n) if n_clusters is None else rng.permutation(np.arange(n) % n_clusters)
    frame = pd.DataFrame(
        {
            "slice_repo": rng.choice(list("abc"), n, p=[0.7, 0.2, 0.1]),
            "slice_label": [
                list(rng.choice(list("xyz"), rng.integers(0, 3), replace=False)) for _ in range(n)
            ],
        }
    )
    membership = build_membership(encode_dimensions(frame), np.arange(n), np.ones(n, dtype=bool), 2)
    return errors, membership, clusters


def statistics(errors):
    return {"mae": np.abs(errors.error), "mae_log": errors.size, "mean_error_log": errors.log_error}


def compared(errors, membership, clusters, name="mae_log", relative=False):
    cells = build_cells(membership, statistics(errors), clusters)
    values = statistics(errors)[name]
    size = clusters.max() + 1
    sides = Sides.of(cells, np.bincount(clusters, minlength=size).astype(float))
    result = compare_with_complement(cells, name, sides, sum_by(clusters, values, size), relative)
    return result, values


def test_without_clusters_it_is_welchs_test():
    errors, membership, clusters = setup()
    result, values = compared(errors, membership, clusters)
    for s, inside in enumerate(membership.matrix.toarray().astype(bool)):
        expected = stats.ttest_ind(values[inside], values[~inside], equal_var=False)
        assert result.p_value[s] == pytest.approx(expected.pvalue)
        assert result.degrees[s] == pytest.approx(expected.df)
        low, high = expected.confidence_interval(0.9)
        own_low, own_high = result.interval(0.9)
        assert (own_low[s], own_high[s]) == pytest.approx((low, high))


def test_with_clusters_it_equals_the_sum_of_cluster_influences():
    errors, membership, clusters = setup(n_clusters=60)
    result, x = compared(errors, membership, clusters)
    for s, inside in enumerate(membership.matrix.toarray().astype(bool)):
        a = np.where(inside, (x - x[inside].mean()) / inside.sum(), 0)
        b = np.where(inside, 0, (x - x[~inside].mean()) / (~inside).sum())
        a, b = np.bincount(clusters, weights=a), np.bincount(clusters, weights=b)
        g_in, g_out = len(set(clusters[inside])), len(set(clusters[~inside]))
        variance = (a @ a) * g_in / (g_in - 1) + (b @ b) * g_out / (g_out - 1) - 2 * (a @ b)
        assert result.standard_error[s] == pytest.approx(np.sqrt(variance))


def test_ratios_are_tested_on_the_log_scale():
    errors, membership, clusters = setup()
    result, x = compared(errors, membership, clusters, relative=True)
    for s, inside in enumerate(membership.matrix.toarray().astype(bool)):
        (m_in, e_in), (m_out, e_out) = ((v.mean(), stats.sem(v)) for v in (x[inside], x[~inside]))
        assert result.difference[s] == pytest.approx(np.log(m_in / m_out))
        assert result.standard_error[s] == pytest.approx(np.hypot(e_in / m_in, e_out / m_out))


def test_rows_that_repeat_each_other_do_not_make_it_surer():
    errors, _, _ = setup(n=300)
    four = RowErrors(*(np.repeat(v, 4) if v is not None else None for v in vars(errors).values()))
    frame = pd.DataFrame({"slice_repo": np.repeat(np.array(["a", "b", "c"])[np.arange(300) % 3], 4)})
    single = build_membership(encode_dimensions(frame[::4]), np.arange(300), np.ones(300, dtype=bool), 2)
    repeated = build_membership(encode_dimensions(frame), np.arange(1200), np.ones(1200, dtype=bool), 2)
    expected, _ = compared(errors, single, np.arange(300))
    result, _ = compared(four, repeated, np.repeat(np.arange(300), 4))
    assert result.p_value == pytest.approx(expected.p_value)


def test_p_values_are_uniform_when_nothing_differs_within_clusters():
    p_values = []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        clusters = np.repeat(np.arange(80), 5)
        log_error = rng.normal(0, 1, 80)[clusters] + rng.normal(0, 0.5, 400)
        errors = RowErrors(np.ones(400), log_error, np.ones(400), log_error, None)
        frame = pd.DataFrame({"slice_repo": np.where(clusters < 30, "a", "b")})
        membership = build_membership(encode_dimensions(frame), np.arange(400), np.ones(400, dtype=bool), 2)
        p_values.append(compared(errors, membership, clusters, "mean_error_log")[0].p_value[0])
    assert stats.kstest(p_values, "uniform").pvalue > 0.01
    assert np.mean(np.array(p_values) < 0.05) <= 0.1


def test_one_cluster_on_a_side_is_no_test():
    errors, membership, _ = setup()
    inside = membership.matrix.toarray()[0].astype(bool)
    clusters = pd.factorize(np.where(inside, 0, np.arange(1, 401)))[0]
    result, _ = compared(errors, membership, clusters)
    assert np.isnan(result.p_value[0]) and np.isfinite(result.p_value[1:]).all()


def test_medians_and_resamples_equal_brute_force():
    errors, membership, clusters = setup(n=60, n_clusters=12)
    dense = membership.matrix.toarray().astype(bool)
    expected = [np.median(errors.y[inside]) for inside in dense]
    assert slice_medians(membership, errors.y) == pytest.approx(expected)
    weights = np.random.default_rng(1).poisson(1, (12, 9)).astype(np.uint8)
    cells = build_cells(membership, statistics(errors), clusters)
    totals = resampled_totals(cells, weights)
    drawn = weights[clusters].astype(float)
    column = cells.names.index("mae")
    for s, inside in enumerate(dense):
        assert totals[s, :, column] == pytest.approx(
            (drawn * np.abs(errors.error)[:, None])[inside].sum(axis=0)
        )


def test_q_values_are_yekutieli_where_slices_overlap():
    p = np.array([[0.001, 0.02, np.nan], [0.03, 0.5, 0.9]])
    found = p[~np.isnan(p)]
    assert q_values(p, True)[~np.isnan(p)] == pytest.approx(stats.false_discovery_control(found, method="by"))
    assert q_values(p, False)[~np.isnan(p)] == pytest.approx(
        stats.false_discovery_control(found, method="bh")
    )
    assert np.isnan(q_values(p, True)[0, 2]) and np.isnan(q_values(np.array([np.nan]), True)).all()


def test_shrinkage_is_closer_to_the_truth_and_stronger_for_the_unsure():
    rng = np.random.default_rng(0)
    raw_loss = shrunk_loss = 0.0
    for _ in range(100):
        truth, errors = rng.normal(2, 0.1, 20), rng.uniform(0.05, 0.5, 20)
        estimates = rng.normal(truth, errors)
        shrunk = shrink(estimates, errors)
        raw_loss += ((estimates - truth) ** 2).sum()
        shrunk_loss += ((shrunk - truth) ** 2).sum()
    assert shrunk_loss < 0.5 * raw_loss
    pulled = np.abs(shrink(np.array([1.0, 3, 1.9, 2.1, 2.0]), np.array([0.5, 0.1, 0.1, 0.1, 0.1])) - 2)
    assert pulled[0] < 1 and pulled[1] > 0.9


@pytest.mark.parametrize("nothing", [0.0, 1e-17])
def test_a_slice_whose_rows_are_all_alike_does_not_drown_the_others(nothing):
    estimates, errors = np.array([1.0, 2, 3, 4, 2.5]), np.array([0.5, 0.5, 0.5, 0.5, nothing])
    shrunk = shrink(estimates, errors)
    assert shrunk[:4] == pytest.approx(shrink(estimates[:4], errors[:4]))
    assert shrunk[4] == 2.5


def test_shrinkage_leaves_few_or_unknown_estimates_alone():
    assert shrink(np.array([1.0, 2, 3]), np.ones(3)) == pytest.approx([1, 2, 3])
    shrunk = shrink(np.array([1.0, 2, 3, 4, np.nan, 9]), np.array([1.0, 1, 1, 1, 1, np.nan]))
    assert np.isnan(shrunk[4]) and shrunk[5] == 9


@pytest.mark.parametrize(
    ("best", "worst", "expected"), [(2, 3, 0.5), (3, 2, 1 / 3), (0, 1, np.inf), (0, 0, 0), (0.1, 0.109, 0.09)]
)
def test_relative_gap(best, worst, expected):
    assert relative_gap(best, worst) == pytest.approx(expected)
