"""Mitigation is judged on rows that nothing has seen, and only what is beyond noise is accepted."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from ml.bias import BiasMitigator
from ml.bias.config import BiasConfig
from ml.bias.repair.adjustment import fit_group_correction
from ml.bias.repair.constrained import OTHER_GROUPS, fit_bounded_group_loss, pool_groups
from ml.bias.repair.ledger import Mitigated, evaluate_ledger
from ml.bias.tables import names

N = 4000


@pytest.fixture(scope="module")
def repairable():
    """Repository "late" is promised one log unit too early; validation rows come before test rows."""
    rng = np.random.default_rng(0)
    repo = rng.choice(["a", "b", "c", "late"], N, p=[0.4, 0.3, 0.2, 0.1])
    log_truth = rng.normal(5, 1, N).clip(0.1)
    log_pred = log_truth + rng.normal(0, 0.5, N) - np.where(repo == "late", 1.0, 0.0)
    predictions = pd.DataFrame(
        {
            "item_id": np.arange(N),
            "split": np.where(np.arange(N) < N // 2, "validation", "test"),
            "y_true": np.expm1(log_truth),
            "y_pred": np.expm1(log_pred.clip(0)),
        }
    )
    slices = pd.DataFrame(
        {
            "item_id": np.arange(N),
            "slice_repo": repo,
            "slice_seniority": "mid",
            "slice_completion_time": np.where(log_truth < 5, "quick", "slow"),
        }
    )
    return predictions, slices


CONFIG = BiasConfig(outcome_slices=("slice_completion_time",))


def test_a_repairable_bias_is_reduced_and_accepted_on_unseen_rows(repairable):
    predictions, slices = repairable
    fitted = predictions["split"] == "validation"
    repo = slices["slice_repo"]
    correction = fit_group_correction(
        predictions["y_true"][fitted], predictions["y_pred"][fitted], repo[fitted]
    )
    assert correction.shifts["late"] == pytest.approx(1, abs=0.1)
    test = predictions[~fitted]
    adjusted = test.assign(y_pred=correction.apply(test["y_pred"], repo[~fitted]))
    ledger = evaluate_ledger(predictions, {"adjustment": Mitigated(adjusted, 0, 0.1)}, slices, CONFIG)
    assert list(ledger.columns) == names("mitigation")
    line = ledger.set_index(["method", "dimension"]).loc[("adjustment", "repo")]
    assert line["accepted"] and line["worst_slice"] == "late" and line["ci_high"] < -0.3
    assert line["gap_after"] < 0.3 < line["gap_before"] and line["mae_after"] < line["mae_before"]
    baseline = ledger.set_index(["method", "dimension"]).loc[("baseline", "repo")]
    assert baseline["change"] == 0 and not baseline["accepted"] and baseline["reason"] == "baseline"


def test_one_slice_is_not_assessable_and_outcome_slices_are_left_out(repairable):
    predictions, slices = repairable
    better = predictions[["item_id"]].assign(y_pred=predictions["y_true"])
    ledger = evaluate_ledger(predictions, {"oracle": Mitigated(better)}, slices, CONFIG)
    assert set(ledger["dimension"]) == {"repo", "seniority"}
    line = ledger.set_index(["method", "dimension"]).loc[("oracle", "seniority")]
    assert line["reason"] == "not assessable" and not line["accepted"] and pd.isna(line["worst_slice"])


def test_noise_is_not_accepted(repairable):
    predictions, slices = repairable
    rng = np.random.default_rng(1)
    accepted = 0
    for _ in range(20):
        noisy = {
            f"method {m}": Mitigated(
                predictions[["item_id"]].assign(y_pred=predictions["y_pred"] * np.exp(rng.normal(0, 0.02, N)))
            )
            for m in range(3)
        }
        accepted += int(evaluate_ledger(predictions, noisy, slices, CONFIG)["accepted"].any())
    assert accepted <= 1


def test_a_repair_that_others_pay_for_is_not_accepted(repairable):
    predictions, slices = repairable
    factor = 2.0  # everyone is promised later
    shifted = predictions[["item_id"]].assign(y_pred=predictions["y_pred"] * factor)
    ledger = evaluate_ledger(predictions, {"shift": Mitigated(shifted)}, slices, CONFIG)
    line = ledger.set_index(["method", "dimension"]).loc[("shift", "repo")]
    assert line["ci_high"] < 0 and line["reason"] == "overall worse" and not line["accepted"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p, s: (p[p["split"] == "test"], {}, s), "baseline has no row of split 'validation'"),
        (
            lambda p, s: (p, {"x": Mitigated(p[:-1])}, s),
            rf"methods\['x'\].predictions has no finite y_pred for test item {N - 1}",
        ),
        (lambda p, s: (p, {"x": Mitigated(pd.concat([p, p]))}, s), "holds an item twice"),
    ],
)
def test_the_ledger_names_bad_input(repairable, change, message):
    with pytest.raises(ValueError, match=message):
        evaluate_ledger(*change(*repairable), CONFIG)


def test_a_correction_leaves_unseen_and_small_groups_to_the_common_shift():
    truth = np.full(100, 20.0)
    correction = fit_group_correction(truth, truth / 2, ["a"] * 95 + ["b"] * 5)
    assert set(correction.shifts) == {"a"} and correction.common == pytest.approx(np.log(21 / 11))
    assert correction.apply([10.0, 10.0, -5.0], ["a", "new", None]) == pytest.approx([20, 20, 21 / 11 - 1])
    with pytest.raises(ValueError, match="min_group_size must be at least 2, got 1"):
        fit_group_correction(truth, truth, ["a"] * 100, min_group_size=1)


def regression_with_a_minority(seed=0):
    rng = np.random.default_rng(seed)
    group = np.where(np.arange(400) < 60, "minority", "majority")
    x = rng.normal(size=(400, 1))
    y = np.where(group == "minority", -2.0, 2.0) * x[:, 0] + rng.normal(0, 0.1, 400)
    return x, y, group


def test_bounded_group_loss_trades_the_majority_for_the_minority():
    x, y, group = regression_with_a_minority()
    free = np.abs(LinearRegression().fit(x, y).predict(x) - y)
    model = BiasMitigator.train_with_bounded_group_loss(LinearRegression(), x, y, group)
    assert model.group_losses["minority"] < free[group == "minority"].mean() * 0.85
    assert model.satisfied and max(model.group_losses.values()) <= model.upper_bound * 1.01
    assert model.weights.sum() == pytest.approx(1) and model.n_fits > 2 and model.seconds > 0
    assert (model.predict(x) == model.predict(x)).all()
    expected = sum(w * p.predict(x) for w, p in zip(model.weights, model.predictors, strict=True))
    assert model.predict(x) == pytest.approx(expected)


def test_a_bound_that_cannot_be_reached_is_reported():
    x, y, group = regression_with_a_minority()
    model = fit_bounded_group_loss(LinearRegression(), x, y, group, upper_bound=0.05, max_iter=5)
    assert not model.satisfied and max(model.group_losses.values()) > 0.05


def test_small_groups_are_pooled_until_few_enough_are_left():
    names = [f"g{i}" for i in range(50) for _ in range(i + 2)]
    pooled = pool_groups(names, 30)
    assert len(set(pooled)) == 30 and OTHER_GROUPS in pooled and len(pooled) == len(names)
    assert list(pool_groups(["a", "b", None], 3)) == ["a", "b", "(missing)"]


def test_constrained_training_names_bad_input():
    x, y, group = regression_with_a_minority()
    for call, message in (
        (lambda: fit_bounded_group_loss(LinearRegression(), x, y[:-1], group), "x has length 400"),
        (lambda: fit_bounded_group_loss(LinearRegression(), x, y, ["a"] * 400), "got only 'a'"),
        (
            lambda: fit_bounded_group_loss(LinearRegression(), x, y, group, max_groups=1),
            "max_groups .* got 1",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            call()
