"""DataSlicer, BiasAnalyzer and BiasMitigator: known answers, and the defects that the earlier toolkit had."""

import math

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame
from sklearn.metrics import ndcg_score

from ml.bias import BiasAnalyzer, BiasMitigator, DataSlicer, encode_dimension
from ml.bias.judge.plain import ndcg, reciprocal_rank
from ml.bias.slices.groups import group_names


@pytest.fixture
def tickets():
    return pd.DataFrame(
        {
            "repo": ["terraform", "terraform", "ansible", "ansible", None, "prometheus"],
            "seniority": ["junior", "mid", "mid", "senior", "senior", "junior"],
            "labels": ["bug,crash", "debugging", "bug", None, "enhancement, bug", "c++"],
            "keywords": [["aws", "Docker"], ["c++"], ["kubernetes"], [], ["c"], None],
            "completion_hours_business": [4.99, 5.0, 8.0, 48.0, 24.0, None],
        }
    )


def sizes(slices):
    return {name: len(frame) for name, frame in slices.items()}


def test_slices_by_value_keep_rows_without_one(tickets):
    slicer = DataSlicer(tickets)
    assert sizes(slicer.slice_by_repo()) == {"(missing)": 1, "ansible": 2, "prometheus": 1, "terraform": 2}
    assert sizes(slicer.slice_by_seniority()) == {"junior": 2, "mid": 2, "senior": 2}


def test_completion_time_has_its_borders_and_the_unknown(tickets):
    assert sizes(DataSlicer(tickets).slice_by_completion_time()) == {
        "fast": 1,
        "medium": 2,
        "slow": 2,
        "unknown": 1,
    }


def test_a_label_is_matched_as_a_whole_and_not_as_a_pattern(tickets):
    slicer = DataSlicer(tickets)
    assert sizes(slicer.slice_by_label("bug")) == {"has_bug": 3, "no_bug": 3}
    assert sizes(slicer.slice_by_label("c++")) == {"has_c++": 1, "no_c++": 5}
    assert sizes(slicer.slice_by_label(".*")) == {"has_.*": 0, "no_.*": 6}


def test_labels_in_lists_may_hold_commas():
    slicer = DataSlicer(pd.DataFrame({"slice_label": [["a,b"], ["a"], None, ["b", "a"]]}))
    assert sizes(slicer.slice_by_label("a")) == {"has_a": 2, "no_a": 2}
    assert sizes(slicer.slice_by_label("a,b")) == {"has_a,b": 1, "no_a,b": 3}


def test_keywords_are_whole_tokens_in_any_case(tickets):
    slices = DataSlicer(tickets).slice_by_keywords(["docker", "c"])
    assert sizes(slices) == {"has_docker": 1, "no_docker": 5, "has_c": 1, "no_c": 5}
    texts = pd.DataFrame({"title": ["C++ crash", "in C.", None], "body": ["go home", "", "c#"]})
    assert sizes(DataSlicer(texts).slice_by_keywords("c")) == {"has_c": 1, "no_c": 2}


def test_slicing_conserves_rows(tickets):
    slicer = DataSlicer(tickets)
    for slices in (slicer.slice_by_repo(), slicer.slice_by_completion_time(), slicer.slice_by_label("bug")):
        assert sorted(i for frame in slices.values() for i in frame.index) == list(range(6))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: DataSlicer(pd.DataFrame({"repo": []})), r"df is empty \(shape \(0, 1\)\)"),
        (
            lambda: DataSlicer(pd.DataFrame({"x": [1]})).slice_by_repo(),
            "df has no column 'repo' or 'repository'",
        ),
        (lambda: DataSlicer(pd.DataFrame({"x": [1]})).slice_by_label("a"), "df has no column 'labels'"),
        (lambda: DataSlicer(pd.DataFrame({"x": [1]})).slice_by_keywords("a"), "df has no column 'keywords'"),
    ],
)
def test_the_slicer_names_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# --- BiasAnalyzer ---

TRUTH, GOOD, BAD = [10.0, 20, 30], [11.0, 21, 31], [20.0, 30, 40]


def frame(predicted, truth=TRUTH):
    return pd.DataFrame({"y": truth, "p": predicted})


def test_regression_metrics():
    metrics = BiasAnalyzer().analyze_regression_metrics(TRUTH, [12, 18, 33])
    assert metrics == pytest.approx({"mae": 7 / 3, "rmse": math.sqrt(17 / 3), "r2": 1 - 17 / 200, "count": 3})


def test_the_primary_metric_follows_the_model_type():
    assert BiasAnalyzer()._primary_metric == "mae"
    assert BiasAnalyzer(model_type="recommendation")._primary_metric == "ndcg"
    with pytest.raises(ValueError, match=r"model_type must be one of .*, got 'oracle'"):
        BiasAnalyzer(model_type="oracle")


def test_the_gap_is_relative_to_the_best_slice():
    result = BiasAnalyzer().compare_slices({"good": frame(GOOD), "bad": frame(BAD)}, "y", "p")
    assert result["best_slice"]["name"] == "good" and result["worst_slice"]["name"] == "bad"
    assert result["relative_gap"] == 9 and result["bias_detected"] is True and result["mae_gap"] == 9


@pytest.mark.parametrize(("worst", "flagged"), [(1.5, False), (1.5000001, True)])
def test_a_gap_is_flagged_strictly_above_the_threshold(worst, flagged):
    slices = {"a": frame([1.0, 1], [0.0, 0]), "b": frame([worst, worst], [0.0, 0])}
    assert BiasAnalyzer(threshold=0.5).compare_slices(slices, "y", "p")["bias_detected"] is flagged


def test_a_perfect_best_slice_is_the_largest_bias_and_not_none():
    result = BiasAnalyzer().compare_slices({"a": frame(TRUTH), "b": frame(GOOD)}, "y", "p")
    assert result["relative_gap"] == math.inf and result["bias_detected"] is True
    fair = BiasAnalyzer().compare_slices({"a": frame(TRUTH), "b": frame(TRUTH)}, "y", "p")
    assert fair["relative_gap"] == 0 and fair["bias_detected"] is False


def test_one_slice_is_not_assessable_and_an_empty_one_is_listed():
    result = BiasAnalyzer().compare_slices({"mid": frame(GOOD), "senior": frame(GOOD)[:0]}, "y", "p")
    assert (
        result["assessable"] is False and result["bias_detected"] is False and result["relative_gap"] is None
    )
    assert result["metrics_by_slice"]["senior"] == {"count": 0}
    summary = BiasAnalyzer().detect_bias_multiple_dimensions(
        {"seniority": {"mid": frame(GOOD)}, "repo": {"a": frame(GOOD), "b": frame(BAD)}}, "y", "p"
    )["summary"]
    assert summary == {
        "total_dimensions_checked": 2,
        "biased_dimensions": ["repo"],
        "not_assessable_dimensions": ["seniority"],
        "bias_count": 1,
        "overall_bias_detected": True,
    }


def test_fairlearn_comparison_lists_every_group():
    result = BiasAnalyzer().detect_bias_fairlearn(TRUTH * 2, GOOD + BAD, ["A"] * 3 + ["B"] * 3)
    assert isinstance(result["metric_frame"], MetricFrame)
    assert result["best_group"]["name"] == "A" and result["worst_group"]["name"] == "B"
    assert result["mae_difference"] == 9 and result["relative_gap"] == 9 and result["bias_detected"] is True
    assert list(result["metrics_by_slice"]) == ["A", "B"] and result["metrics_by_slice"]["B"]["count"] == 3
    assert (result["model_type"], result["primary_metric"]) == ("regressor", "mae")


def test_fairlearn_comparison_takes_missing_values_and_two_attributes():
    missing = BiasAnalyzer().detect_bias_fairlearn(TRUTH * 2, GOOD + BAD, ["A"] * 3 + [None] * 3)
    assert missing["worst_group"]["name"] == "(missing)"
    both = pd.DataFrame({"x": list("aabbaabb"), "y": list("ccddddcc")})
    result = BiasAnalyzer().detect_bias_fairlearn(np.zeros(8), [1, 1, 2, 2, 3, 3, 4, 4], both)
    assert result["best_group"]["name"] == "a, c" and result["worst_group"]["name"] == "b, c"


def test_recommendations_are_better_the_higher():
    analyzer = BiasAnalyzer(model_type="recommendation")
    relevance = [3.0, 2, 1]
    result = analyzer.compare_slices(
        {"good": frame([3.0, 2, 1], relevance), "bad": frame([1.0, 2, 3], relevance)}, "y", "p"
    )
    assert result["best_slice"]["name"] == "good" and result["best_slice"]["ndcg"] == 1
    assert result["bias_detected"] is True and result["primary_metric"] == "ndcg"


def test_ndcg_equals_scikit_learn_and_ties_share_their_gain():
    rng = np.random.default_rng(0)
    for _ in range(20):
        relevance, score = rng.integers(0, 4, 12).astype(float), rng.integers(0, 5, 12).astype(float)
        for k in (None, 5):
            assert ndcg(relevance, score, k) == pytest.approx(ndcg_score([relevance], [score], k=k))
    assert ndcg([0, 0], [1, 2]) == 0


def test_reciprocal_rank():
    assert reciprocal_rank([0, 1, 1], [3, 2, 1]) == 0.5
    assert reciprocal_rank([0, 0], [1, 2]) == 0
    assert reciprocal_rank([0, 1], [1, 1]) == pytest.approx((1 + 1 / 2) / 2)
    assert BiasAnalyzer(model_type="recommendation").analyze_recommendation_metrics([1, 0], [2, 1]) == {
        "ndcg": 1,
        "mrr": 1,
        "mae": 1,
        "count": 2,
    }


NAN = float("nan")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a: a.analyze_regression_metrics([1, 2], [1]), "y_pred has length 1, but y_true has length 2"),
        (
            lambda a: a.analyze_regression_metrics([1, np.inf], [1, 2]),
            "y_true must be finite, got inf in row 1",
        ),
        (lambda a: a.analyze_regression_metrics([1, 2], [-np.inf, 2]), "y_pred must be finite, got -inf"),
        (lambda a: a.analyze_regression_metrics([1, NAN], [NAN, 2]), "have no row with both"),
        (lambda a: a.analyze_regression_metrics(["much"], [2]), "y_true must hold numbers"),
        (lambda a: a.analyze_regression_metrics([], []), "y_true is empty"),
        (lambda a: a.compare_slices({}, "y", "p"), "slices is empty"),
        (lambda a: a.compare_slices({"a": frame(GOOD)}, "y", "q"), r"slices\['a'\] has no column 'q'"),
        (
            lambda a: a.compare_slices({"a": frame([1, np.inf, 3])}, "y", "p"),
            r"slices\['a'\]\['p'\] must be finite",
        ),
        (lambda a: a.detect_bias_multiple_dimensions({}, "y", "p"), "slices_by_dimension is empty"),
        (lambda a: a.detect_bias_fairlearn(TRUTH, GOOD, ["a"] * 2), "sensitive_features has length 2"),
        (lambda a: a.detect_bias_fairlearn(TRUTH, GOOD, ["a"] * 3), "at least two groups, got only 'a'"),
        (
            lambda a: a.detect_bias_fairlearn(TRUTH, GOOD, list("aab")),
            "at least 2 rows of each group, got 1 of 'b'",
        ),
    ],
)
def test_the_analyzer_names_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call(BiasAnalyzer())


# --- BiasMitigator ---


@pytest.fixture(scope="module")
def many():
    counts = {"terraform": 33_286, "ansible": 21_611, "prometheus": 6_374}
    return pd.DataFrame({"repo": np.repeat(list(counts), list(counts.values())), "row": range(61_271)})


def test_sample_weights_of_the_known_tickets(many):
    shuffled = many.sample(frac=1, random_state=0)
    weights = BiasMitigator.compute_sample_weights(shuffled, "repo")
    assert weights.index.equals(shuffled.index) and weights.sum() == pytest.approx(len(many))
    found = weights.groupby(shuffled["repo"]).first().round(4).to_dict()
    assert found == {"ansible": 0.9451, "prometheus": 3.2042, "terraform": 0.6136}


def test_resampling_of_the_known_tickets_keeps_every_row(many):
    balanced = BiasMitigator.resample_underrepresented(many, "repo")
    assert len(balanced) == 99_858 and set(balanced["repo"].value_counts()) == {33_286}
    assert set(balanced["row"]) == set(range(61_271))
    again = BiasMitigator.resample_underrepresented(many, "repo")
    pd.testing.assert_frame_equal(balanced, again)


def test_resampling_to_a_target_leaves_larger_groups_alone():
    data = pd.DataFrame({"repo": ["A"] * 7 + ["B"] * 2 + ["C"]})
    counts = BiasMitigator.resample_underrepresented(data, "repo", target_size=5)["repo"].value_counts()
    assert counts.to_dict() == {"A": 7, "B": 5, "C": 5}


def test_resampling_refuses_rows_that_are_held_out():
    data = pd.DataFrame({"repo": ["A", "A", "B"], "split": ["train", "train", "test"]})
    with pytest.raises(ValueError, match="data holds rows of split 'test': resample training rows only"):
        BiasMitigator.resample_underrepresented(data, "repo")
    assert len(BiasMitigator.resample_underrepresented(data[:2].assign(repo=["A", "B"]), "repo")) == 2


def test_adjustments_keep_the_index_and_do_what_they_say():
    predictions = pd.Series([10.0, 20, 30, 40, 60, 80], index=list("uvwxyz"))
    groups = pd.Series(["A"] * 3 + ["B"] * 3)
    equal = BiasMitigator.adjust_predictions_for_fairness(predictions, groups, method="equalize_mean")
    assert equal.index.equals(predictions.index)
    assert equal[:3].mean() == pytest.approx(40) and equal[3:].mean() == pytest.approx(40)
    scaled = BiasMitigator.adjust_predictions_for_fairness(predictions, groups, method="scale_variance")
    assert scaled[:3].std() == pytest.approx(predictions.std()) and scaled[3:].mean() == pytest.approx(60)
    flat = BiasMitigator.adjust_predictions_for_fairness(
        [1.0, 1, 2, 4], list("aabb"), method="scale_variance"
    )
    assert list(flat[:2]) == [1, 1]


@pytest.mark.parametrize("method", ["equalize_mean", "scale_variance"])
def test_adjusted_hours_are_never_negative(method):
    hours = pd.Series([10.0, 20, 30, 40, 5, 15, 60, 90])
    groups = list("aaaabbbb")
    adjusted = BiasMitigator.adjust_predictions_for_fairness(hours, groups, method)
    assert (adjusted >= 0).all() and (adjusted == 0).any()
    for name in "ab":
        before, after = (values[np.array(groups) == name] for values in (hours, adjusted))
        assert after.rank().corr(before.rank()) > 0.5
        if method == "equalize_mean":
            assert after.mean() == pytest.approx(hours.mean())
        else:
            assert after.mean() == pytest.approx(before.mean())
            assert after.std() == pytest.approx(hours.std())


def test_a_spread_that_hours_cannot_have_is_refused():
    with pytest.raises(ValueError, match=r"cannot give hours with the mean 0\.5 the standard deviation"):
        BiasMitigator.adjust_predictions_for_fairness([0.0, 1, 100, 900], list("aabb"), "scale_variance")


def test_group_statistics():
    statistics = BiasMitigator.compute_group_statistics([10.0, 20, 30, 5], ["A", "A", "A", None])
    assert statistics["A"] == {"mean": 20, "std": 10, "min": 10, "max": 30, "count": 3}
    assert statistics["(missing)"]["count"] == 1 and math.isnan(statistics["(missing)"]["std"])


def test_metricframe_summary():
    metric_frame = BiasAnalyzer().analyze_with_metricframe(TRUTH * 2, GOOD + BAD, list("AAABBB"))
    assert BiasMitigator.get_fairlearn_metrics_summary(metric_frame, "mae") == pytest.approx(
        {"mae_difference": 9, "mae_ratio": 0.1, "group_min_mae": 1, "group_max_mae": 10}
    )
    with pytest.raises(ValueError, match="frame has no metric 'f1'"):
        BiasMitigator.get_fairlearn_metrics_summary(metric_frame, "f1")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.compute_sample_weights(pd.DataFrame({"x": [1]}), "repo"), "data has no column 'repo'"),
        (lambda m: m.compute_sample_weights(pd.DataFrame({"x": []}), "x"), "data is empty"),
        (
            lambda m: m.resample_underrepresented(pd.DataFrame({"x": [1]}), "x", 0),
            "target_size must be .*, got 0",
        ),
        (
            lambda m: m.adjust_predictions_for_fairness([1.0], ["a"], "magic"),
            "method must be one of .*, got 'magic'",
        ),
        (lambda m: m.adjust_predictions_for_fairness([1.0, 2], ["a"] * 2, "equalize_mean"), "got only 'a'"),
        (lambda m: m.adjust_predictions_for_fairness([1.0, 2], ["a"], "equalize_mean"), "has length 1"),
        (
            lambda m: m.adjust_predictions_for_fairness([1.0, np.inf], list("ab"), "equalize_mean"),
            "got inf in row 1",
        ),
    ],
)
def test_the_mitigator_names_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call(BiasMitigator)


def test_rows_without_truth_or_prediction_are_left_out_and_counted():
    analyzer = BiasAnalyzer()
    truth, predicted = [1.0, NAN, 3, 4, None, 6], [2.0, 2, NAN, 4, 5, 7]
    found = analyzer.analyze_regression_metrics(truth, predicted)
    assert found == {**analyzer.analyze_regression_metrics([1, 4, 6], [2, 4, 7]), "n_missing": 3}
    ranked = BiasAnalyzer(model_type="recommendation").analyze_recommendation_metrics([1, NAN, 0], [2, 9, 1])
    assert ranked == {"ndcg": 1, "mrr": 1, "mae": 1, "count": 2, "n_missing": 1}
    table = pd.DataFrame({"y": pd.array([1, 2, None, 4], dtype="Int64"), "p": [1.0, NAN, 3, 5]})
    compared = analyzer.compare_slices({"a": table, "b": table[1:3], "c": table[3:]}, "y", "p")
    metrics = compared["metrics_by_slice"]
    assert metrics["a"]["count"] == 2 and metrics["a"]["n_missing"] == 2
    assert metrics["b"] == {"count": 0, "n_missing": 2} and "n_missing" not in metrics["c"]
    assert compared["worst_slice"]["name"] == "c"
    groups = list("aabbab")
    fair = analyzer.detect_bias_fairlearn([1, 2, 3, 4, NAN, 6], [1, 3, 3, 6, 5, NAN], groups)
    assert fair["n_missing"] == 2 and fair["worst_group"]["count"] == 2
    statistics = BiasMitigator.compute_group_statistics([1.0, NAN, 3, 4], list("aaab"))
    assert (
        statistics["a"]["count"] == 2 and statistics["a"]["n_missing"] == 1 and statistics["a"]["mean"] == 2
    )
    adjusted = BiasMitigator.adjust_predictions_for_fairness([10.0, NAN, 20, 40, 50], list("aaabb"))
    assert np.isnan(adjusted[1]) and adjusted[[0, 2]].mean() == pytest.approx(30)


def test_combinations_of_attributes_never_share_a_name():
    features = pd.DataFrame({"x": ["a, b", "a", 'a", "b', "a"], "y": ["c", "b, c", "c", 'b", "c']})
    assert len(set(group_names(features))) == 4
    assert list(group_names(pd.DataFrame({"x": ["a"], "y": [None]}))) == ["a, (missing)"]


def test_a_value_that_reads_like_our_own_name_is_another_slice():
    values = ["(missing)", None, "(small slices)", '"(missing)"', "plain"]
    slices = DataSlicer(pd.DataFrame({"repo": values})).slice_by_repo()
    assert set(slices) == {'"(missing)"', "(missing)", '"(small slices)"', '""(missing)""', "plain"}
    assert slices["(missing)"]["repo"].isna().all() and len(slices['"(missing)"']) == 1
    assert len(set(group_names(values))) == 5
    dimension = encode_dimension(pd.Series(values, name="slice_repo"))
    assert set(dimension.categories[dimension.matrix.sum(axis=0) > 0]) == set(slices)


@pytest.mark.parametrize("blank", ["", "  "])
def test_a_blank_label_or_keyword_is_refused(tickets, blank):
    slicer = DataSlicer(tickets)
    for call in (
        slicer.slice_by_label,
        slicer.slice_by_keywords,
        lambda text: slicer.slice_by_keywords(["c", text]),
    ):
        with pytest.raises(ValueError, match="is empty: every row"):
            call(blank)
