"""The gate reads figures as they are, and rankings are compared by group."""

import numpy as np
import pandas as pd
import pytest

from ml.bias.gate import evaluate_gate, parse_thresholds, thresholds_above


def summary(**changes):
    line = {
        "model": "forest",
        "split": "test",
        "dimension": "repo",
        "n_assessable": 3,
        "relative_gap": 0.9,
        "shrunk_gap": 0.5,
        "mae_difference": 12.0,
        "mae_ratio": 0.4,
        "flagged": True,
        "flagged_slices": "owner/name",
        "is_outcome": False,
    }
    return pd.DataFrame([line | changes])


def gate(frame, limits=None, **options):
    return evaluate_gate(frame, {"*": limits or {"relative_gap": 0.5}}, model="forest", **options)


def test_a_failure_says_what_was_expected_and_what_was_found():
    result = gate(summary())
    assert not result.passed and result.verdict == "failed"
    failure = result.failures[0]
    assert (failure.dimension, failure.metric, failure.expected, failure.actual) == (
        "repo",
        "relative_gap",
        0.5,
        0.9,
    )
    assert "expected at most 0.5, actual 0.9; treated worse: owner/name" in str(result)


@pytest.mark.parametrize(("actual", "passed"), [(0.009, True), (0.9, False), (0.5, True), (np.inf, False)])
def test_a_ratio_is_compared_as_a_ratio(actual, passed):
    assert gate(summary(relative_gap=actual)).passed is passed


def test_a_lower_ratio_is_worse():
    assert not gate(summary(), {"mae_ratio": 0.5}).passed and gate(summary(), {"mae_ratio": 0.3}).passed


def test_a_gap_within_noise_passes_unless_asked_for():
    assert gate(summary(flagged=False)).passed
    assert not gate(summary(flagged=False), beyond_noise=False).passed


def test_what_is_not_assessable_is_neither_passed_nor_failed():
    result = gate(summary(n_assessable=1, relative_gap=np.nan, flagged=False))
    assert result.not_assessable == ("repo",) and result.verdict == "not assessable" and not result.checked
    assert "not assessable: repo" in str(result)


def test_a_figure_that_is_not_a_number_fails():
    assert not gate(summary(relative_gap=np.nan)).passed


def test_outcome_slices_are_not_gated():
    result = gate(summary(is_outcome=True))
    assert result.passed and not result.checked


def test_a_named_dimension_overrides_the_common_limits():
    frame = pd.concat([summary(), summary(dimension="label")])
    result = evaluate_gate(frame, {"*": {"relative_gap": 0.5}, "repo": {"relative_gap": 1.0}}, model="forest")
    assert [failure.dimension for failure in result.failures] == ["label"] and result.checked == (
        "repo",
        "label",
    )


@pytest.mark.parametrize(
    ("thresholds", "model", "message"),
    [
        ({"*": {"gap": 1}}, "forest", "thresholds name the metric 'gap'"),
        (
            {"rpeo": {"relative_gap": 1}},
            "forest",
            r"thresholds name the dimension 'rpeo'; measured are \['repo'\]",
        ),
        ({"*": {"relative_gap": 1}}, "svm", "summary has nothing of model 'svm'"),
    ],
)
def test_a_gate_that_would_check_nothing_is_refused(thresholds, model, message):
    with pytest.raises(ValueError, match=message):
        evaluate_gate(summary(), thresholds, model=model)


def test_limits_above_a_baseline_are_the_larger_of_ratio_and_allowance() -> None:
    summary = pd.DataFrame(
        {
            "model": ["floor", "floor", "floor", "floor", "other"],
            "split": ["test"] * 5,
            "dimension": ["wide", "narrow", "outcome", "alone", "wide"],
            "shrunk_gap": [2.0, 0.1, 9.0, float("nan"), 7.0],
            "is_outcome": [False, False, True, False, False],
        }
    )
    limits = thresholds_above(summary, "floor", split="test", ratio=1.5, allowance=0.25)
    assert limits == {"wide": {"shrunk_gap": 3.0}, "narrow": {"shrunk_gap": 0.35}}
    assert thresholds_above(summary, "absent", split="test", ratio=1.5, allowance=0.25) == {}


def test_thresholds_are_read_as_ratios() -> None:
    read = parse_thresholds(["0.5", "repo.relative_gap=0.009", "mae_ratio=0.8", "repo.shrunk_gap=inf"])
    assert read == {
        "*": {"shrunk_gap": 0.5, "mae_ratio": 0.8},
        "repo": {"relative_gap": 0.009, "shrunk_gap": float("inf")},
    }
    for wrong in ("0.9%", "nan", "-0.1", "repo.luck=1", "repo=0.1", ""):
        with pytest.raises(ValueError, match="is not of the form"):
            parse_thresholds([wrong])
