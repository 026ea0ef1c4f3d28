"""Differences between groups: intervals, tests and one false-discovery rate per period."""

import pandas as pd
import pytest
from scipy import stats

from orchestration.domains.tickets.service.levels import judge
from orchestration.tables import SERVICE_DIFFERENCES


def compared(rows: list[tuple[str, float, float, int]]) -> pd.DataFrame:
    """Rows as dbt makes them: period, difference, standard error, authors."""
    frame = pd.DataFrame(rows, columns=["period", "value", "standard_error", "n_authors"])
    frame = frame.astype({"value": float, "standard_error": float, "n_authors": int})
    frame[["repository", "group_name", "reference"]] = ["o/r", "newcomer", "regular"]
    return frame.assign(metric=[f"answered_within_{k}d" for k in range(len(frame))], n=40, n_reference=50)


def test_a_difference_has_its_interval_and_its_p_value() -> None:
    (row,) = judge(compared([("all", -0.2, 0.1, 30)])).to_dict("records")
    assert list(row) == list(SERVICE_DIFFERENCES.columns)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((-0.395996, -0.004004), abs=1e-6)
    assert row["p_value"] == row["q_value"] == pytest.approx(2 * stats.norm.cdf(-2))


def test_the_rate_is_that_of_a_period_and_holds_whatever_hangs_together() -> None:
    alone = [("2020", 0.3, 0.1, 9), ("2020", 0.1, 0.1, 9), ("2020", 0.0, 0.1, 9)]
    judged = judge(compared([*alone, ("2021", 0.3, 0.1, 9)]))
    p_values = [2 * stats.norm.cdf(-z) for z in (3, 1, 0)]
    # Benjamini and Yekutieli: the rate of Benjamini and Hochberg, times the sum of 1 / k.
    rate = [p * 3 / rank * (1 + 1 / 2 + 1 / 3) for rank, p in enumerate(p_values, start=1)]
    assert judged["q_value"].tolist() == pytest.approx([rate[0], min(rate[1], 1), 1, p_values[0]])


def test_too_few_authors_and_no_error_are_not_judged_and_count_for_no_other() -> None:
    judged = judge(
        compared(
            [("all", 0.3, 0.1, 4), ("all", 0.3, float("nan"), 9), ("all", 0.3, 0.0, 9), ("all", 0.3, 0.1, 5)]
        )
    )
    assert judged.loc[:2, ["ci_low", "ci_high", "p_value", "q_value"]].isna().all(axis=None)
    assert judged["value"].tolist() == [0.3] * 4
    assert judged["q_value"][3] == judged["p_value"][3] == pytest.approx(2 * stats.norm.cdf(-3))


def test_nothing_to_compare_gives_no_rows() -> None:
    judged = judge(compared([]))
    assert judged.empty
    assert list(judged.columns) == list(SERVICE_DIFFERENCES.columns)
