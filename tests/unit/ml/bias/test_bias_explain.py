"""Planted causes are found where they were planted: intersections, mix, model and time."""

import numpy as np
import pandas as pd
import pytest

from ml.bias.config import BiasConfig
from ml.bias.explain.composition import adjusted_difference
from ml.bias.explain.explanation import explain_bias
from ml.bias.measure import measure_bias

CONFIG = BiasConfig(replicates=2, mix_slices=("slice_repo",))


def explained(scale, slices, seed=0, config=CONFIG, **columns):
    rng = np.random.default_rng(seed)
    n = len(scale)
    log_truth = rng.normal(4, 1, n).clip(0)
    predictions = pd.DataFrame(
        {
            "item_id": np.arange(n),
            "split": "test",
            "y_true": np.expm1(log_truth),
            "y_pred": np.expm1(log_truth + scale * rng.normal(0, 0.5, n)),
            **columns,
        }
    )
    frame = pd.DataFrame({"item_id": np.arange(n), **slices})
    tables = measure_bias(predictions, frame, config)
    return tables, explain_bias(predictions, frame, tables["slice_metrics"], config)


def attributes(n, seed=1):
    rng = np.random.default_rng(seed)
    return {
        "slice_a": rng.choice(["a0", "a1"], n),
        "slice_b": rng.choice(["b0", "b1"], n),
        "slice_c": rng.choice(["c0", "c1", "c2"], n),
    }


def test_an_intersection_is_found_when_neither_attribute_shows_it():
    slices = attributes(8000)
    diagonal = (slices["slice_a"] == "a1") == (slices["slice_b"] == "b1")
    tables, causes = explained(np.where(diagonal, 1.3, 0.7), slices)
    assert not tables["summary"]["flagged"].any()
    assert set(causes["intersections"]["intersection"]) == {"a=a0 & b=b0", "a=a1 & b=b1"}
    found = causes["intersections"].iloc[0]
    assert found["ci_low"] < 0.44 < found["ci_high"] and found["q_value"] < 0.001 and found["excess"] > 0.2


def test_a_bad_slice_is_not_reported_again_as_its_intersections():
    slices = attributes(8000)
    tables, causes = explained(np.where(slices["slice_a"] == "a1", 1.5, 1.0), slices)
    assert tables["summary"].set_index("dimension").loc["a", "flagged"]
    assert causes["intersections"].empty


def test_intersections_of_nothing_are_rarely_found():
    slices = attributes(3000)
    found = [len(explained(np.ones(3000), slices, seed)[1]["intersections"]) for seed in range(20)]
    assert sum(count > 0 for count in found) <= 1


def test_overlapping_findings_are_merged():
    slices = attributes(6000)
    slices["slice_d"] = np.where(slices["slice_b"] == "b1", "d1", "d0")  # another name for b
    both = (slices["slice_a"] == "a1") & (slices["slice_b"] == "b1")
    _, causes = explained(np.where(both, 2.0, 1.0), slices)
    assert len(causes["intersections"]) == 1
    line = causes["intersections"].iloc[0]
    assert "a=a1" in line["intersection"] and "a=a1" in line["merged"]


def mixed(n=12_000, seed=2):
    """Label "old" is mostly in the hard repository: 80 % of its rows, and 20 % of the others."""
    rng = np.random.default_rng(seed)
    old = rng.random(n) < 0.3
    hard = rng.random(n) < np.where(old, 0.8, 0.2)
    return np.where(old, "old", "new"), np.where(hard, "hard", "easy")


def test_a_difference_of_the_mix_alone_is_attributed_to_the_mix():
    label, repo = mixed()
    tables, causes = explained(np.where(repo == "hard", 2.0, 1.0), {"slice_repo": repo, "slice_label": label})
    assert tables["slice_metrics"].set_index("slice").loc["old", "flagged"]
    line = causes["composition"].set_index("slice").loc["old"]
    assert line["cause"] == "mix" and line["raw_effect"] > 0.4 and line["held_equal"] == "repo"
    assert line["ci_low"] < 0 < line["ci_high"] and line["overlap"] == 1


def test_a_difference_at_equal_mix_is_attributed_to_the_model():
    label, repo = mixed()
    _, causes = explained(np.where(label == "old", 1.5, 1.0), {"slice_repo": repo, "slice_label": label})
    line = causes["composition"].set_index("slice").loc["old"]
    assert line["cause"] == "model" and line["ci_low"] < 0.5 < line["ci_high"]


def test_what_cannot_be_separated_is_said_to_be_so():
    label, _ = mixed()
    _, causes = explained(np.where(label == "old", 1.5, 1.0), {"slice_repo": label, "slice_label": label})
    line = causes["composition"].set_index(["dimension", "slice"]).loc["label", "old"]
    assert line["cause"] == "not separable" and line["overlap"] == 0 and np.isnan(line["adjusted_effect"])


def test_the_adjusted_difference_equals_a_regression_with_fixed_effects():
    rng = np.random.default_rng(0)
    strata, inside = rng.integers(0, 5, 300), rng.random(300) < 0.4
    values = rng.normal(size=300) + strata + 0.5 * inside
    design = np.column_stack([inside, np.eye(5)[strata]])
    expected = np.linalg.lstsq(design, values, rcond=None)[0][0]
    adjusted = adjusted_difference(values, inside, strata, np.arange(300))
    assert adjusted["difference"] == pytest.approx(expected)
    residual = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
    assert adjusted["standard_error"] == pytest.approx(residual.std() / np.sqrt(300 * 0.4 * 0.6), rel=0.15)


def test_the_gap_over_time_shows_when_it_began():
    n = 9000
    rng = np.random.default_rng(0)
    month = rng.integers(1, 7, n)
    slices = {
        "slice_repo": rng.choice(["a", "b", "c"], n),
        "slice_rare": np.where(np.arange(n) < 90, "r", "s"),
    }
    began = (slices["slice_repo"] == "a") & (month >= 4)
    event_at = pd.to_datetime([f"2024-{m:02d}-03" for m in month])
    _, causes = explained(np.where(began, 2.0, 1.0), slices, event_at=event_at)
    table = causes["over_time"].set_index(["slice", "month"])
    for name in ("2024-01", "2024-02", "2024-03"):
        assert table.loc[("a", name), "ci_low"] < 0.15
    for name in ("2024-04", "2024-05", "2024-06"):
        assert table.loc[("a", name), "ci_low"] > 0.5 and table.loc[("a", name), "assessable"]
    rare = table.loc["r"] if "r" in table.index else table.loc["s"]
    assert set(causes["over_time"]["dimension"]) == {"repo", "rare"} and len(rare) >= 6
    assert (~causes["over_time"]["assessable"] == causes["over_time"]["ci_low"].isna()).all()


def test_without_time_or_mix_there_are_empty_tables_with_their_columns():
    _, causes = explained(np.ones(400), attributes(400), config=BiasConfig(replicates=2))
    assert causes["over_time"].empty and "month" in causes["over_time"] and causes["composition"].empty


def test_an_absent_split_is_named():
    frame = pd.DataFrame({"item_id": [1], "split": "test", "y_true": [1.0], "y_pred": [1.0]})
    with pytest.raises(ValueError, match=r"split 'dev' is not in predictions; it has \['test'\]"):
        explain_bias(frame, pd.DataFrame({"item_id": [1], "slice_a": "x"}), pd.DataFrame(), split="dev")
