"""The gate reads figures as they are, and rankings are compared by group."""

import numpy as np
import pandas as pd
import pytest

from ml.bias.gate import evaluate_gate, parse_thresholds, thresholds_above
from ml.bias.ranking import exposure_by_group, exposures, gini, ranking_by_group


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


def rankings(noise, lists=60, seed=0):
    """Lists of six items with graded relevance, ranked by relevance and the group's noise."""
    rng = np.random.default_rng(seed)
    frames = []
    for group, sigma in noise.items():
        for number in range(lists):
            relevance = rng.permutation([3, 2, 1, 0, 0, 0])
            frames.append(
                pd.DataFrame(
                    {
                        "list_id": f"{group}-{number}",
                        "relevance": relevance,
                        "score": relevance + rng.normal(0, sigma, 6),
                        "repo": group,
                        "person": [f"p{i}" for i in range(6)],
                    }
                )
            )
    return pd.concat(frames, ignore_index=True)


def test_ranking_quality_by_group_has_intervals_that_separate():
    table = ranking_by_group(rankings({"good": 0.1, "bad": 3.0}), group="repo").set_index("group")
    assert table.loc["bad", "ndcg_ci_high"] < table.loc["good", "ndcg_ci_low"]
    assert table.loc["good", "mrr"] > table.loc["bad", "mrr"] and table["assessable"].all()
    assert table.loc["good", "relative_gap"] == 0
    expected = 1 - table.loc["bad", "ndcg"] / table.loc["good", "ndcg"]
    assert table.loc["bad", "relative_gap"] == pytest.approx(expected)


def test_few_lists_and_lists_without_relevance_are_not_assessed():
    frame = rankings({"good": 0.1, "few": 0.1})
    frame = frame[~((frame["repo"] == "few") & (frame["list_id"] > "few-2"))]
    frame.loc[frame["list_id"] == "few-1", "relevance"] = 0
    table = ranking_by_group(frame, group="repo").set_index("group")
    assert not table["assessable"].any()
    assert table.loc["few", "n_relevant"] == table.loc["few", "n_lists"] - 1


def test_exposure_sums_to_one_and_ties_share():
    frame = pd.DataFrame(
        {
            "list_id": [1, 1, 2, 2],
            "score": [2.0, 1.0, 5.0, 5.0],
            "relevance": [1, 1, 1, 1],
            "who": list("abab"),
        }
    )
    second = 1 / np.log2(3)
    assert exposures(frame) == pytest.approx([1, second, (1 + second) / 2, (1 + second) / 2])
    table = exposure_by_group(frame, group="who").set_index("group")
    assert table["exposure_share"].sum() == pytest.approx(1) and table["relevance_share"].tolist() == [
        0.5,
        0.5,
    ]
    assert table.loc["a", "ratio"] == pytest.approx(2 * (1 + (1 + second) / 2) / (2 + 2 * second))
    assert (table["ci_low"] <= table["exposure_share"]).all() and (
        table["exposure_share"] <= table["ci_high"]
    ).all()


@pytest.mark.parametrize(
    ("values", "expected"), [([5, 5, 5], 0), ([0, 0, 0, 8], 0.75), ([0, 0], 0), ([1, 3], 0.25)]
)
def test_gini(values, expected):
    assert gini(values) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f: ranking_by_group(f, group="team"), "rankings has no column 'team'"),
        (lambda f: ranking_by_group(f, group="person"), "person must be the same in a list, got 6"),
        (
            lambda f: exposure_by_group(f.assign(score=np.nan), group="repo"),
            "must be finite, got nan in row 0",
        ),
        (lambda f: exposure_by_group(f.assign(relevance=-1), group="repo"), "must not be negative, got -1"),
        (lambda f: gini([-1.0]), "values must not be negative, got -1"),
    ],
)
def test_ranking_names_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call(rankings({"good": 0.1}, lists=2))


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
