"""The most similar earlier texts: against a naive BM25, never a later one, and as if the future were not."""

import math
import re
from collections import Counter
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from ml.encoding.neighbours import SimilarityConfig, earlier_neighbours

WORDS = ("crash", "parser", "lifetime", "build", "window", "slow", "unicode", "socket", "panic", "docs")


def texts(n: int = 120, seed: int = 0) -> pd.DataFrame:
    """Rows of two groups, some of the same time, some without a text."""
    rng = np.random.default_rng(seed)
    days = np.sort(rng.integers(0, 90, n))
    return pd.DataFrame(
        {
            "head": [" ".join(rng.choice(WORDS, 3)) for _ in range(n)],
            "body": [None if rng.random() < 0.2 else " ".join(rng.choice(WORDS, 8)) for _ in range(n)],
            "group": rng.choice(["a", "b"], n),
            "at": pd.Timestamp("2020-01-01") + pd.to_timedelta(days, unit="D"),
        }
    )


def found(frame: pd.DataFrame, most: int = 5, **settings: float) -> pd.DataFrame:
    return earlier_neighbours(
        frame["head"],
        frame["body"],
        frame["group"],
        frame["at"],
        most=most,
        config=SimilarityConfig(**settings),  # type: ignore[arg-type]
    )


def terms(head: str, body: str | None, config: SimilarityConfig) -> Counter[str]:
    counts: Counter[str] = Counter()
    for text, weight in ((head, config.head_weight), (body if isinstance(body, str) else "", 1)):
        for word in re.findall(r"\w+", text[: config.characters].lower()):
            padded = f" {word} "
            grams = [padded[k : k + config.gram] for k in range(len(padded) - config.gram + 1)]
            for term in (word, *(f"gram:{gram}" for gram in grams)):
                counts[term] += weight
    return counts


def naive(frame: pd.DataFrame, config: SimilarityConfig) -> dict[tuple[int, int], float]:
    """Score of every pair of a group, by the formulas of the docstrings, one term at a time."""
    scores = {}
    for _, group in frame.groupby("group"):
        rows = group.sort_values("at", kind="stable").index.to_list()
        bags = [terms(frame["head"][row], frame["body"][row], config) for row in rows]
        lengths = [sum(bag.values()) for bag in bags]
        starts = [0]
        while starts[-1] < len(rows):
            starts.append(min(len(rows), starts[-1] + config.block, max(16, 2 * starts[-1])))

        def weight(k: int, term: str, bags=bags, lengths=lengths) -> float:
            usual = sum(lengths[: k + 1]) / (k + 1)
            part = 1 - config.length_share + config.length_share * lengths[k] / usual
            return bags[k][term] * (config.saturation + 1) / (bags[k][term] + config.saturation * part)

        for start, stop in pairwise(starts):
            seen = Counter(term for bag in bags[:start] for term in bag)
            for i in range(start, stop):
                asked = {
                    term: n * math.log(1 + (start - seen[term] + 0.5) / (seen[term] + 0.5))
                    for term, n in bags[i].items()
                    if seen[term] <= max(1, config.common_share * start)
                }
                own = sum(n * weight(i, term) for term, n in asked.items())
                for j in range(i):
                    days = (frame["at"][rows[i]] - frame["at"][rows[j]]).days
                    score = sum(n * weight(j, term) for term, n in asked.items() if term in bags[j])
                    if days > 0 and score > 0:
                        fading = 1 + config.recency * math.exp(-days / config.recency_days)
                        scores[rows[i], rows[j]] = score / own * fading / (1 + config.recency)
    return scores


@pytest.mark.parametrize("settings", [{}, {"block": 20}, {"common_share": 1.0, "gram": 3}, {"recency": 0.0}])
def test_it_is_bm25_of_words_and_their_grams(settings: dict[str, float]) -> None:
    frame = texts()
    expected = naive(frame, SimilarityConfig(**settings))  # type: ignore[arg-type]
    table = found(frame, most=len(frame), **settings)
    actual = {(row.row, row.other): row.score for row in table.itertuples()}
    assert actual.keys() == expected.keys()
    assert actual == pytest.approx(expected, rel=1e-4)


def test_the_best_come_first_and_no_more_than_asked_for() -> None:
    frame = texts()
    everything = found(frame, most=len(frame))
    best = found(frame, most=3)
    pd.testing.assert_frame_equal(best, everything[everything["rank"] <= 3].reset_index(drop=True))
    assert (best.groupby("row")["score"].diff().dropna() <= 0).all()


def test_only_strictly_earlier_rows_of_the_group_are_neighbours() -> None:
    frame = texts()
    table = found(frame, most=10)
    mine, theirs = frame.loc[table["row"]], frame.loc[table["other"]]
    assert (mine["at"].to_numpy() > theirs["at"].to_numpy()).all()
    assert (mine["group"].to_numpy() == theirs["group"].to_numpy()).all()


@pytest.mark.parametrize("day", [10, 45, 80])
def test_without_the_future_neighbours_and_scores_are_the_same(day: int) -> None:
    frame = texts(200)
    cut = pd.Timestamp("2020-01-01") + pd.Timedelta(days=day)
    past = frame[frame["at"] <= cut]
    whole = found(frame)
    before = whole[whole["row"].isin(past.index)].reset_index(drop=True)
    assert len(before) > 20
    pd.testing.assert_frame_equal(found(past), before, check_exact=True)


def test_only_rows_that_are_asked_for_have_neighbours_and_the_same_ones() -> None:
    frame = texts()
    asked = np.arange(len(frame)) % 3 == 0
    some = earlier_neighbours(frame["head"], frame["body"], frame["group"], frame["at"], asked=asked)
    whole = found(frame)
    pd.testing.assert_frame_equal(some, whole[whole["row"] % 3 == 0].reset_index(drop=True))


def test_another_form_of_a_word_is_found_by_its_letters() -> None:
    fillers = [f"{word} {word}ing" for word in ("alpha", "bravo", "delta", "gamma", "omega", "sigma")]
    heads = pd.Series(["segmentation fault", *fillers, "segmentations"])
    times = pd.Series(pd.date_range("2020-01-01", periods=len(heads)))
    same = pd.Series(["a"] * len(heads))
    table = earlier_neighbours(heads, pd.Series([""] * len(heads)), same, times)
    last = table[table["row"] == len(heads) - 1]
    assert last["other"].tolist() == [0]


@pytest.mark.parametrize("head", [None, "", "?!", "\n\t"])
def test_texts_without_words_have_no_neighbours(head: str | None) -> None:
    frame = texts(6).assign(head=head, body=None, group="a")
    assert found(frame).empty


def test_no_rows_have_no_neighbours() -> None:
    assert found(texts(0)).columns.tolist() == ["row", "other", "score", "rank"]


def test_a_row_without_a_group_has_no_neighbours() -> None:
    frame = texts().assign(group=None)
    frame.loc[:40, "group"] = "a"
    table = found(frame)
    assert len(table) and table[["row", "other"]].max().max() <= 40


def test_a_row_without_a_time_is_refused() -> None:
    frame = texts()
    frame.loc[3, "at"] = pd.NaT
    with pytest.raises(ValueError, match=r"Row 3 has no time"):
        found(frame)
