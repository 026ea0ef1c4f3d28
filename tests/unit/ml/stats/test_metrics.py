"""Metrics against scikit-learn and naive oracles, weighted and not."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn import metrics as sk

from ml.stats import metrics as m

RNG = np.random.default_rng(7)
Y = np.round(RNG.lognormal(2, 1, 40), 1)
P = np.round(RNG.lognormal(2, 1, 40), 1)
LABEL = (RNG.random(40) < 0.4).astype(float)
SCORE = np.round(RNG.random(40), 1)
WEIGHTS = [None, np.ones(40), RNG.integers(0, 4, 40).astype(float)]


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (m.mae, sk.mean_absolute_error),
        (m.mse, sk.mean_squared_error),
        (m.rmse, sk.root_mean_squared_error),
        (m.r2, sk.r2_score),
    ],
)
def test_regression_metrics_equal_scikit_learn(ours, theirs, weight) -> None:  # type: ignore[no-untyped-def]
    assert ours(Y, P, weight)[0] == pytest.approx(theirs(Y, P, sample_weight=weight))


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("ours", [m.auc, m.average_precision, m.brier])
def test_classification_metrics_equal_scikit_learn(ours, weight) -> None:  # type: ignore[no-untyped-def]
    theirs = {
        m.auc: sk.roc_auc_score,
        m.average_precision: sk.average_precision_score,
        m.brier: sk.brier_score_loss,
    }
    assert ours(LABEL, SCORE, weight)[0] == pytest.approx(theirs[ours](LABEL, SCORE, sample_weight=weight))


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
def test_pinball_equals_scikit_learn(q: float) -> None:
    for weight in WEIGHTS:
        expected = sk.mean_pinball_loss(Y, P, alpha=q, sample_weight=weight)
        assert m.pinball(Y, P, q, weight)[0] == pytest.approx(expected)


def test_median_absolute_error() -> None:
    assert m.median_ae(Y, P)[0] == pytest.approx(sk.median_absolute_error(Y, P))
    repeated = WEIGHTS[2].astype(int)
    expected = np.median(np.repeat(np.abs(Y - P), repeated))
    assert m.median_ae(Y, P, WEIGHTS[2]) == pytest.approx(expected)


@pytest.mark.parametrize("values", [[3.0], [1.0, 2.0], [5.0, 1.0, 9.0], [1.0, 1.0, 2.0, 8.0]])
def test_unit_weights_give_the_median_of_numpy(values: list[float]) -> None:
    assert m.weighted_quantile(np.array(values), 0.5)[0] == np.median(values)


def test_many_weightings_at_once_equal_one_at_a_time() -> None:
    weights = RNG.poisson(1, (40, 7)).astype(float)
    known = LABEL > 0
    for figure in (
        lambda w: m.mae(Y, P, w),
        lambda w: m.r2(Y, P, w),
        lambda w: m.auc(LABEL, SCORE, w),
        lambda w: m.average_precision(LABEL, SCORE, w),
        lambda w: m.calibration_error(LABEL, SCORE, w),
        lambda w: m.concordance(Y, P, known, w),
        lambda w: m.weighted_quantile(Y, 0.9, w),
    ):
        together = figure(weights)
        apart = [np.ravel(figure(weights[:, [k]]))[0] for k in range(weights.shape[1])]
        np.testing.assert_allclose(together, apart)


def naive_concordance(hours, pred, known, weight) -> float:  # type: ignore[no-untyped-def]
    good = pairs = 0.0
    for i, j in itertools.permutations(range(len(hours)), 2):
        if known[i] and (hours[i] < hours[j] or (hours[i] == hours[j] and not known[j])):
            w = weight[i] * weight[j]
            pairs += w
            good += w * (1.0 if pred[i] < pred[j] else 0.5 if pred[i] == pred[j] else 0.0)
    return good / pairs if pairs else float("nan")


@pytest.mark.parametrize("seed", range(6))
def test_concordance_equals_the_naive_count_of_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 40))
    hours, pred = rng.integers(0, 12, n).astype(float), rng.integers(0, 8, n).astype(float)
    known, weight = rng.random(n) < 0.6, rng.integers(0, 3, n).astype(float)
    known[0] = True
    for w in (np.ones(n), weight):
        np.testing.assert_allclose(
            m.concordance(hours, pred, known, w)[0], naive_concordance(hours, pred, known, w)
        )


def test_calibration_error_by_hand() -> None:
    label = np.array([0.0, 1.0, 1.0, 1.0])
    probability = np.array([0.15, 0.15, 0.95, 0.95])
    assert m.calibration_error(label, probability)[0] == pytest.approx(0.5 * 0.35 + 0.5 * 0.05)


def test_share_within_and_coverage() -> None:
    y, p = np.array([100.0, 100.0, 0.0]), np.array([124.0, 160.0, 0.0])
    assert m.pred_within(y, p, 0.25)[0] == pytest.approx(2 / 3)
    assert m.coverage(y, np.array([100.0, 101.0, 0.0]), np.array([100.0, 120.0, 0.0]))[0] == pytest.approx(
        2 / 3
    )


@pytest.mark.parametrize("label", [np.zeros(3), np.ones(3)])
def test_a_single_class_has_no_auc(label: np.ndarray) -> None:
    assert np.isnan(m.auc(label, np.array([0.1, 0.2, 0.3]))[0])


def test_no_rows_give_no_figure_and_no_error() -> None:
    none = np.zeros(0)
    for value in (m.mae(none, none), m.auc(none, none), m.average_precision(none, none), m.r2(none, none)):
        assert np.isnan(value).all()
    assert np.isnan(m.concordance(none, none, none > 0)).all()
