"""Newcomers against regulars: the mix is held equal, what is not known yet counts for nobody."""

import numpy as np
import pandas as pd
import pytest

from orchestration.domains.tickets.service.waiting import EVERYWHERE, waiting_gaps

START = pd.Timestamp("2020-01-06")


def tickets(repository: str, seniority: str, n: int, n_waiting: int, label: str = "bug") -> pd.DataFrame:
    """The first wait for ever, the others have their answer after an hour; ten weeks take turns."""
    weeks = np.arange(n) % 10
    return pd.DataFrame(
        {
            "event_at": START + pd.to_timedelta(7 * weeks, unit="D"),
            "group_id": [f"{repository}|{week}" for week in weeks],
            "slice_repo": repository,
            "slice_seniority": seniority,
            "slice_label": [[label]] * n,
            "y": np.where(np.arange(n) < n_waiting, np.nan, 1.0),
            "observed_until": START + pd.Timedelta(days=365),
        }
    )


def everywhere(frames: list[pd.DataFrame]) -> pd.Series:
    table = waiting_gaps(pd.concat(frames, ignore_index=True), [7])
    (row,) = (row for _, row in table.iterrows() if row["repository"] == EVERYWHERE)
    return row


def test_a_difference_that_is_the_mix_vanishes_at_equal_mix() -> None:
    """Newcomers go where everybody waits: they wait no longer than others there."""
    row = everywhere(
        [
            tickets("a/slow", "junior", 300, 180),
            tickets("a/slow", "senior", 100, 60),
            tickets("a/fast", "junior", 100, 10),
            tickets("a/fast", "senior", 300, 30),
        ]
    )
    assert row["share_waiting_newcomers"] == pytest.approx(190 / 400)
    assert row["raw_difference"] == pytest.approx(190 / 400 - 90 / 400)
    assert row["adjusted_difference"] == pytest.approx(0)
    assert row["ci_low"] < 0 < row["ci_high"]
    assert row["overlap"] == 1


def test_a_difference_within_repository_and_label_stays() -> None:
    parts = [("bug", 200, 120, 80), ("question", 100, 50, 30)]
    frames = []
    for label, n, waiting_new, waiting_old in parts:
        frames += [
            tickets("a/a", "junior", n, waiting_new, label),
            tickets("a/a", "mid", n, waiting_old, label),
        ]
    row = everywhere(frames)
    # Strata of n against n weigh n / 2.
    naive = sum(n / 2 * (new - old) / n for _, n, new, old in parts) / sum(n / 2 for _, n, _, _ in parts)
    assert row["adjusted_difference"] == pytest.approx(naive)
    assert 0 < row["ci_low"] < naive < row["ci_high"]
    assert row["q_value"] < 0.05


def test_who_cannot_be_told_or_is_not_settled_counts_for_nobody() -> None:
    young = tickets("a/a", "junior", 50, 50).assign(observed_until=START)
    nobody = tickets("a/a", "unknown", 50, 50)
    sides = [tickets("a/a", "junior", 40, 10), tickets("a/a", "senior", 40, 10)]
    row = everywhere([*sides, young, nobody])
    assert (row["n_newcomers"], row["n_regulars"]) == (40, 40)
    assert row["raw_difference"] == 0


def test_small_repositories_have_no_row_and_nothing_has_none() -> None:
    frames = [tickets("a/a", "junior", 100, 10), tickets("a/a", "mid", 100, 10), tickets("b/b", "mid", 9, 1)]
    table = waiting_gaps(pd.concat(frames, ignore_index=True), [1, 7])
    assert sorted(zip(table["repository"], table["horizon_days"], strict=True)) == [
        (EVERYWHERE, 1),
        (EVERYWHERE, 7),
        ("a/a", 1),
        ("a/a", 7),
    ]
    assert waiting_gaps(frames[2], [1, 7]).empty
