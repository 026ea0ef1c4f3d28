"""The text reports say what the figures say."""

import numpy as np
import pandas as pd
import pytest

from ml.bias import BiasAnalyzer, BiasReport
from ml.bias.config import BiasConfig
from ml.bias.measure import measure_bias
from ml.bias.report.words import percent
from ml.bias.slices.distribution import measure_distribution


def frame(error, n=4):
    truth = np.arange(1.0, n + 1)
    return pd.DataFrame({"y": truth, "p": truth + error})


def test_a_report_names_dimensions_and_every_slice_with_its_figures():
    analysis = BiasAnalyzer().detect_bias_multiple_dimensions(
        {
            "by_repo": {"terraform": frame(2.5), "ansible": frame(5.0)},
            "by_label": {"has_bug": frame(1.0), "no_bug": frame(1.0)},
            "by_seniority": {"mid": frame(1.0)},
        },
        "y",
        "p",
    )
    report = BiasReport.generate_text_report(analysis)
    head, by_repo, by_label, by_seniority = report.split("\n--- ")
    assert "BIAS DETECTION REPORT" in head and "Bias detected: YES" in head
    assert "by_repo" in by_repo and "Bias detected: YES" in by_repo and "relative gap: 100.0 %" in by_repo
    assert "terraform: n 4  mae 2.5" in by_repo and "ansible: n 4  mae 5" in by_repo
    assert "Bias detected: NO\n" in by_label and "has_bug: n 4  mae 1" in by_label
    assert "Bias detected: NOT ASSESSABLE" in by_seniority and "mid: n 4" in by_seniority


def test_the_report_of_a_fairlearn_comparison_lists_its_groups():
    truth = np.arange(6.0)
    analysis = BiasAnalyzer().detect_bias_fairlearn(truth, truth + np.repeat([1, 1.05], 3), list("AAABBB"))
    report = BiasReport.generate_text_report(analysis)
    assert "Bias detected: NO" in report and "YES" not in report
    assert "A: n 3  mae 1 " in report and "B: n 3  mae 1.05 " in report


def test_a_report_of_something_else_is_refused():
    with pytest.raises(ValueError, match=r"analysis is no result of BiasAnalyzer: it has the keys \['x'\]"):
        BiasReport.generate_text_report({"x": 1})


def test_save_report_writes_the_text_and_its_folder(tmp_path):
    analysis = BiasAnalyzer().compare_slices({"a": frame(1.0), "b": frame(2.0)}, "y", "p")
    BiasReport.save_report(analysis, tmp_path / "new" / "report.txt")
    saved = (tmp_path / "new" / "report.txt").read_text(encoding="utf-8")
    assert saved == BiasReport.generate_text_report(analysis)


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(0.009, "0.9 %"), (0.9, "90.0 %"), (12.5, "1,250.0 %"), (float("inf"), "infinite"), (None, "-")],
)
def test_a_ratio_is_never_read_as_a_percentage(ratio, text):
    assert percent(ratio).startswith(text)


@pytest.fixture(scope="module")
def tables():
    rng = np.random.default_rng(0)
    truth = np.exp(rng.normal(3, 1.5, 900))
    repo = np.array(["a", "b", "unfair/repo"])[np.arange(900) % 3]
    log_error = rng.normal(0, 1, 900) * np.where(repo == "unfair/repo", 2, 1)
    items = [f"i{i}" for i in range(900)]
    predictions = pd.DataFrame(
        {
            "item_id": items,
            "split": "test",
            "model": "forest",
            "y_true": truth,
            "y_pred": truth * np.exp(log_error),
        }
    )
    slices = pd.DataFrame(
        {
            "item_id": items,
            "slice_repo": repo,
            "slice_seniority": "mid",
            "slice_completion_time": np.where(truth < 24, "quick", "slow"),
        }
    )
    return measure_bias(predictions, slices, BiasConfig(outcome_slices=("slice_completion_time",)))


def dimension_report(tables, dimension):
    return BiasReport.generate_dimension_report(tables, "forest", dimension)


def test_dimension_reports_of_the_tables(tables):
    report = dimension_report(tables, "repo")
    assert "Bias detected: YES" in report and "worse beyond threshold and noise: unfair/repo" in report
    line = next(line for line in report.splitlines() if "unfair/repo" in line and "300" in line)
    assert line.strip().startswith("!")
    for name in ("a", "b"):
        assert f" {name} 300 " in report
    assert "Bias detected: NOT ASSESSABLE" in dimension_report(tables, "seniority")
    assert "regression to the mean" in dimension_report(tables, "completion_time")


def test_summary_report_of_the_tables(tables):
    report = BiasReport.generate_summary_report(tables["summary"], "forest")
    assert "Bias detected: YES" in report and "Dimensions checked: 3, of which assessable: 1" in report
    for dimension in ("repo", "seniority", "completion_time"):
        assert f"--- {dimension} ---" in report


def test_distribution_report():
    slices = pd.DataFrame({"slice_repo": ["a"] * 6 + ["b"] * 3 + ["c"], "slice_seniority": "mid"})
    report = BiasReport.generate_distribution_report(measure_distribution(slices), largest=2)
    assert "--- repo: 3 slices ---" in report and "a: n 6  share 60.0 %  weight 0.556" in report
    assert "and 1 smaller slices of at most 1 rows each" in report and "mid: n 10  share 100.0 %" in report
    with pytest.raises(ValueError, match="slices is empty"):
        measure_distribution(slices[:0])


def test_reports_of_what_was_not_measured_are_refused(tables):
    with pytest.raises(ValueError, match="summary has no row with model 'svm'"):
        BiasReport.generate_summary_report(tables["summary"], "svm")
    with pytest.raises(ValueError, match="metrics has no row with dimension 'moon'"):
        dimension_report(tables, "moon")
