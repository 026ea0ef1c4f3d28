"""The choice of the best model: by validation only, with reasons for every refusal."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from ml.runs.card import leaderboard_text, model_card
from ml.runs.select import Gate, choose_best, gate_of, is_better, leaderboard, ranked
from ml.stats.figure import Figure
from ml.store.record import Evaluation


def evaluation(
    model: str, validation: float, test: float = 1.0, floor: float = 2.0, weighted: float = 1.0
) -> Evaluation:
    figures = [
        Figure("validation", "mae_log", validation, validation - 0.1, validation + 0.1, 10),
        Figure("validation", "mae_log_median", floor, None, None, 10),
        Figure("validation", "mae_log_censoring_weighted", weighted, None, None, 10),
        Figure("test", "mae_log", test, None, None, 20),
        Figure("test", "auc_7d", 0.7, 0.6, 0.8, 20),
    ]
    return Evaluation(
        run_id="r", domain="d", task="regression", model=model, snapshot_id="s" * 64, key="k", seed=0,
        settings={}, params={}, feature_list=["f"], best_iteration=None, metrics=figures, seconds={},
        started_at="", finished_at="", model_version="v",
    )  # fmt: skip


def rolling(model: str, *at: float) -> Evaluation:
    """An evaluation with a figure at each origin, the validation part last."""
    own = evaluation(model, at[-1], floor=9.0)
    earlier = [Figure(f"origin_{k}", "mae_log", v, None, None, 10) for k, v in enumerate(at[:-1], start=1)]
    mean = Figure("origins", "mae_log", sum(at) / len(at), None, None, 40)
    return replace(own, metrics=[*own.metrics, *earlier, mean])


def summary(flagged: bool = True, **gaps: float) -> pd.DataFrame:
    common = {"split": "validation", "n_assessable": 2, "flagged": flagged, "flagged_slices": "north"}
    rows = [
        common
        | {"model": m, "dimension": "depot", "relative_gap": 2 * g, "shrunk_gap": g, "is_outcome": False}
        for m, g in gaps.items()
    ]
    outcome = {"model": "a", "dimension": "speed", "relative_gap": 99.0, "shrunk_gap": 99.0}
    return pd.DataFrame([*rows, common | outcome | {"is_outcome": True, "n_assessable": 0}])


def test_validation_decides_and_the_test_part_has_no_say() -> None:
    choice = choose_best([evaluation("a", 1.5, test=0.1), evaluation("b", 1.4, test=9.0)])
    assert choice.model == "b" and "1.4000" in choice.reason and choice.refused == {}


def test_origins_outvote_one_of_them() -> None:
    lucky, steady = rolling("linear", 2.6, 2.5, 2.7, 1.4), rolling("xgboost", 2.0, 2.1, 2.0, 1.5)
    choice = choose_best([lucky, steady])
    assert choice.model == "xgboost" and "4 rolling origins" in choice.reason
    assert [e.model for e in ranked([lucky, steady])] == ["xgboost", "linear"]
    assert leaderboard([lucky, steady])["model"].iloc[0] == "xgboost"


def test_the_simpler_model_is_chosen_within_one_standard_error_and_not_beyond() -> None:
    best = rolling("xgboost", 2.0, 2.1, 2.0, 1.9)
    # Differences +.1, -.1, +.1, -.06: mean .01, standard error sqrt(.0332 / 3 / 4) = .0526.
    equal = rolling("forest", 2.1, 2.0, 2.1, 1.84)
    choice = choose_best([best, equal])
    assert choice.model == "forest"
    assert "0.0100 ± 0.0526 above xgboost" in choice.reason
    # The same mean difference, and always there.
    worse = rolling("forest", 2.01, 2.11, 2.011, 1.909)
    assert choose_best([best, worse]).model == "xgboost"
    # A more complex one never takes the place of the lowest.
    assert choose_best(
        [rolling("linear", 2.0, 2.1, 2.0, 1.9), rolling("svm", 2.1, 2.0, 2.1, 1.84)]
    ).model == ("linear")


def test_a_simpler_model_with_worse_chances_is_not_chosen() -> None:
    def with_chances(one: Evaluation, *brier: float) -> Evaluation:
        splits = ("origin_1", "origin_2", "origin_3", "validation")
        figures = [Figure(s, "brier_7d", v, None, None, 10) for s, v in zip(splits, brier, strict=True)]
        return replace(one, metrics=[*one.metrics, *figures])

    best = with_chances(rolling("xgboost", 2.0, 2.1, 2.0, 1.9), 0.20, 0.21, 0.22, 0.20)
    equal = rolling("forest", 2.1, 2.0, 2.1, 1.84)
    assert choose_best([best, with_chances(equal, 0.21, 0.23, 0.23, 0.21)]).model == "xgboost"
    assert choose_best([best, with_chances(equal, 0.21, 0.20, 0.23, 0.19)]).model == "forest"


def test_two_runs_are_compared_at_the_origins_that_both_have() -> None:
    full, short = rolling("linear", 2.6, 2.5, 2.7, 1.4), evaluation("linear", 1.5)
    assert is_better(full, short) and not is_better(short, full)
    assert is_better(evaluation("linear", 1.3), full)
    assert is_better(rolling("linear", 2.0, 2.5, 2.7, 1.5), full)


def test_a_mitigated_model_stands_beside_its_original_at_the_origins_that_it_was_not_fitted_for() -> None:
    original = rolling("forest", 2.6, 2.5, 2.7, 1.5)
    mitigated = evaluation("forest+reweighing", 1.4, floor=9.0)
    other = rolling("xgboost", 2.0, 2.1, 2.0, 1.5)
    assert choose_best([original, mitigated, other]).model == "xgboost"
    assert choose_best([original, mitigated]).model == "forest+reweighing"


def test_the_deciding_figure_can_be_changed() -> None:
    both = [evaluation("a", 1.5, weighted=0.9), evaluation("b", 1.4, weighted=1.1)]
    assert choose_best(both, gate=Gate(deciding="mae_log_censoring_weighted")).model == "a"
    with pytest.raises(ValueError, match="no validation figure 'luck'"):
        choose_best(both, gate=Gate(deciding="luck"))


def test_what_does_not_beat_the_median_is_refused() -> None:
    choice = choose_best([evaluation("a", 2.0), evaluation("b", 2.5), evaluation("c", 1.9)])
    assert choice.model == "c"
    assert set(choice.refused) == {"a", "b"} and "does not beat the median" in choice.refused["a"]


def test_a_gap_is_judged_by_what_the_model_adds_to_the_medians_own() -> None:
    both = [evaluation("median", 1.9), evaluation("a", 1.1), evaluation("b", 1.2)]
    gaps = summary(median=0.5, a=1.1, b=0.9)
    choice = choose_best(both, gaps)
    assert choice.model == "b" and set(choice.refused) == {"a"}
    assert "depot: shrunk_gap expected at most 1, actual 1.1" in choice.refused["a"]
    assert choose_best(both, gaps, Gate(ratio_to_baseline=2.5)).model == "a"
    assert choose_best(both, gaps, Gate(allowance=0.7)).model == "a"
    assert choose_best(both, summary(flagged=False, median=0.5, a=1.1, b=0.9)).model == "a"


def test_a_limit_that_is_given_replaces_the_medians() -> None:
    both = [evaluation("median", 1.9), evaluation("a", 1.1), evaluation("b", 1.2)]
    gaps = summary(median=0.5, a=1.1, b=0.9)
    assert choose_best(both, gaps, Gate(thresholds={"depot": {"relative_gap": 2.3}})).model == "a"
    strict = choose_best(both, gaps, Gate(thresholds={"*": {"shrunk_gap": 0.6}}))
    assert strict.model == "median" and "expected at most 0.6" in strict.refused["b"]
    assert choose_best(both, gaps, Gate(judge_others=False)).model == "a"
    with pytest.raises(ValueError, match="dimension 'colour'"):
        choose_best(both, gaps, Gate(thresholds={"colour": {"shrunk_gap": 1.0}}))


def test_the_gate_is_a_table_of_expected_and_actual() -> None:
    table = gate_of("a", summary(median=0.5, a=1.1), Gate(), "validation").table()
    assert table.to_dict("records") == [
        {"dimension": "depot", "metric": "shrunk_gap", "expected": 1.0, "actual": 1.1, "flagged": True}
        | {"verdict": "failed"}
    ]
    quiet = gate_of("a", summary(flagged=False, median=0.5, a=1.1), Gate(), "validation").table()
    assert quiet["verdict"].tolist() == ["within noise"]


@pytest.mark.parametrize(
    "gaps",
    [summary(a=9.0, b=0.1), summary(median=float("nan"), a=9.0), summary(median=float("inf"), a=9.0)],
    ids=["baseline not trained", "baseline without a gap", "baseline with a gap without end"],
)
def test_without_the_baselines_gap_nothing_is_judged_and_nothing_passes(gaps: pd.DataFrame) -> None:
    choice = choose_best([evaluation("a", 1.1)], gaps)
    assert choice.model is None and "a, depot: the bias cannot be judged" in choice.refused["a"]
    result = gate_of("a", gaps, Gate(), "validation")
    assert not result.passed and result.verdict == "cannot be judged" and "'median'" in str(result)
    table = gate_of("a", gaps, Gate(), "validation").table()
    assert table["verdict"].tolist() == ["cannot be judged"] and table["expected"].isna().all()
    given = Gate(thresholds={"depot": {"shrunk_gap": 10.0}})
    assert choose_best([evaluation("a", 1.1)], gaps, given).model == "a"
    assert gate_of("a", gaps, Gate(judge_others=False), "validation").passed


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
