"""The choice of the best model: by validation only, with reasons for every refusal."""

from __future__ import annotations

import pandas as pd
import pytest

from ml.evaluation import Evaluation, Metric
from ml.model_card import leaderboard_text, model_card
from ml.selection import Gate, choose_best, leaderboard


def evaluation(
    model: str, validation: float, test: float = 1.0, floor: float = 2.0, weighted: float = 1.0
) -> Evaluation:
    figures = [
        Metric("validation", "mae_log", validation, validation - 0.1, validation + 0.1, 10),
        Metric("validation", "mae_log_median", floor, None, None, 10),
        Metric("validation", "mae_log_censoring_weighted", weighted, None, None, 10),
        Metric("test", "mae_log", test, None, None, 20),
        Metric("test", "auc_7d", 0.7, 0.6, 0.8, 20),
    ]
    return Evaluation("v", "r", "d", "regression", model, "s" * 64, "c", 0, {}, ["f"], None, figures)


def summary(**gaps: float) -> pd.DataFrame:
    rows = [
        {"model": m, "split": "validation", "dimension": "depot", "relative_gap": g} for m, g in gaps.items()
    ]
    return pd.DataFrame(
        [*rows, {"model": "a", "split": "validation", "dimension": "speed", "relative_gap": 99.0}]
    )


def test_validation_decides_and_the_test_part_has_no_say() -> None:
    choice = choose_best([evaluation("a", 1.5, test=0.1), evaluation("b", 1.4, test=9.0)])
    assert choice.model == "b" and "1.4000" in choice.reason and choice.refused == {}


def test_the_deciding_figure_can_be_changed() -> None:
    both = [evaluation("a", 1.5, weighted=0.9), evaluation("b", 1.4, weighted=1.1)]
    assert choose_best(both, gate=Gate(deciding="mae_log_censoring_weighted")).model == "a"
    with pytest.raises(ValueError, match="no validation figure 'luck'"):
        choose_best(both, gate=Gate(deciding="luck"))


def test_what_does_not_beat_the_median_is_refused() -> None:
    choice = choose_best([evaluation("a", 2.0), evaluation("b", 2.5), evaluation("c", 1.9)])
    assert choice.model == "c"
    assert set(choice.refused) == {"a", "b"} and "does not beat the median" in choice.refused["a"]


def test_the_gate_refuses_by_limit_and_by_ratio() -> None:
    both = [evaluation("median", 1.9), evaluation("a", 1.1), evaluation("b", 1.2)]
    gaps = summary(median=0.5, a=1.2, b=0.9)
    gate = Gate(ignored=("speed",))
    choice = choose_best(both, gaps, gate)
    assert choice.model == "b" and "over 2 times the median's 0.50" in choice.refused["a"]
    assert choose_best(both, gaps, Gate(ignored=("speed",), max_ratio_to_baseline=None)).model == "a"
    strict = choose_best(both, gaps, Gate(ignored=("speed",), max_relative_gap=0.8))
    assert strict.model == "median" and "above the limit of 0.80" in strict.refused["b"]
    assert "speed" in choose_best(both, gaps, Gate(max_relative_gap=10.0, dimensions=("speed",))).refused["a"]
    assert choose_best(both, gaps, Gate(dimensions=("colour",))).model == "a"


def test_none_is_chosen_when_all_are_refused() -> None:
    refused = [evaluation("a", 2.0), evaluation("b", 2.5)]
    choice = choose_best(refused)
    assert choice.model is None and len(choice.refused) == 2
    assert "# Model card: none" in model_card(refused, choice)
    with pytest.raises(ValueError, match="no evaluated model"):
        choose_best([])


def test_leaderboard_and_card() -> None:
    both = [evaluation("a", 1.5), evaluation("b", 1.4)]
    table = leaderboard(both)
    assert table["model"].tolist() == ["b", "b", "a", "a"]
    assert table["split"].tolist() == ["validation", "test"] * 2
    assert "auc_7d" in table.columns
    text = leaderboard_text(both)
    assert text.splitlines()[0].startswith("model") and len(text.splitlines()) == 5
    card = model_card(both, choose_best(both))
    assert "# Model card: b (d)" in card and "| test | auc_7d | 0.700 | 0.600 to 0.800 | 20 |" in card
    assert leaderboard([]).empty
