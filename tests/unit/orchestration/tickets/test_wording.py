"""Reasons in words: every feature has some, and none shows the name of a column."""

from math import log1p
from typing import Any

import pytest
import yaml

from ml.data.contract import is_feature
from orchestration.domains.tickets.serving.wording import duration, say, say_reasons
from orchestration.settings import DBT_PROJECT_DIR

VALUES = {
    "integer": (0, 1, 2, 1234),
    "double": (0.0, 0.25, 1.0, 400.0),
    "boolean": (False, True),
    "varchar": ("some text",),
}
# Numbers that stand for something else.
RANGES = {"observed_weekday": (1, 7), "observed_month": (1, 12), "observed_hour": (0, 23)}


def features() -> dict[str, str]:
    content = yaml.safe_load((DBT_PROJECT_DIR / "models" / "training" / "tickets" / "train.yml").read_text())
    (columns,) = (one["columns"] for one in content["models"] if one["name"] == "train_remaining")
    return {one["name"]: one["data_type"] for one in columns if is_feature(one["name"])}


def test_every_feature_has_words_and_no_column_shows() -> None:
    types = features()
    assert len(types) > 100
    said = {
        name: [say(name, value) for value in (*RANGES.get(name, VALUES[dtype]), None, float("nan"))]
        for name, dtype in types.items()
    }
    assert [(name, words) for name, phrases in said.items() for words in phrases if "_" in words] == []
    # What is made of the column's name for want of words.
    plain = {name: f"{name.replace('_', ' ')} is" for name in types}
    assert [name for name, phrases in said.items() if phrases[0].startswith(plain[name])] == []


@pytest.mark.parametrize(
    ("feature", "value", "words"),
    [
        ("days_since_answer", 12.3, "no answer for 12 days"),
        ("n_comments_other", 1, "1 comment by others"),
        ("n_comments_other", 0, "no comment by others"),
        ("n_people", 3, "3 other people took part"),
        (
            "repository_median_log_hours_90d",
            log1p(72),
            "half of the tickets closed here lately took over 3 days",
        ),
        ("repository_share_resolved_30d", 0.424, "42% of recent tickets here were closed within 30 days"),
        ("waiting_days", None, "no answer is owed, as far as is known"),
        ("repository_share_resolved_1d", 0.3, "30% of recent tickets here were closed within 1 day"),
        ("is_assigned", False, "nobody is known to be assigned"),
        ("observed_month", 2, "looked at in February"),
    ],
)
def test_what_is_said(feature: str, value: Any, words: str) -> None:
    assert say(feature, value) == words


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (0.0, "less than an hour"), (1 / 24, "an hour"), (1.0, "24 hours"), (2, "2 days"), (45, "45 days"),
        (61, "2 months"), (500, "16 months"), (1099, "3 years"),
    ],
)  # fmt: skip
def test_times_are_said_in_their_largest_unit(days: float, words: str) -> None:
    assert duration(days) == words


def test_a_reason_says_which_way_it_moves_the_closing() -> None:
    reasons = [
        {"feature": "age_days", "contribution": 0.9},
        {"feature": "days_since_answer", "contribution": -0.8},
        {"feature": "n_open_pull_requests", "contribution": 0.3},
    ]
    values = {"age_days": 400.0, "days_since_answer": 400.0, "n_open_pull_requests": 1}
    assert say_reasons(reasons, values) == [
        {"effect": "later", "reason": "no answer for 13 months"},
        {"effect": "sooner", "reason": "1 open pull request linked"},
    ]


def test_nothing_is_said_twice_and_the_calendar_is_no_reason() -> None:
    values = {"age_days": 12.1, "days_since_answer": 12.0, "days_since_comment": 3.0, "observed_month": 2}
    reasons = [
        {"feature": "observed_month", "contribution": -2.0},
        {"feature": "days_since_answer", "contribution": -0.9},
        {"feature": "age_days", "contribution": -0.8},
        {"feature": "days_since_comment", "contribution": 0.7},
    ]
    assert [one["reason"] for one in say_reasons(reasons, values)] == [
        "no answer for 12 days",
        # A wait brings no closing nearer: it may be a short one.
        "no comment for only 3 days",
    ]
    assert len(say_reasons(reasons, values, most=1)) == 1


def test_the_same_of_another_time_and_what_is_not_known_are_no_more_reasons() -> None:
    values = {
        "repository_share_resolved_7d": 0.5,
        "repository_share_resolved_30d": 0.6,
        "repository_share_resolved_90d": 0.7,
        "repository_share_resolved_365d": 0.95,
        "n_pull_requests": 1,
        "n_open_pull_requests": 1,
        "author_share_closed": None,
        "days_since_answer": None,
        "waiting_days": None,
    }
    signs = {"repository_share_resolved_365d": -1.0}
    reasons = [{"feature": name, "contribution": signs.get(name, 1.0)} for name in values]
    assert [(one["effect"], one["reason"]) for one in say_reasons(reasons, values)] == [
        ("sooner", "50% of recent tickets here were closed within 7 days"),
        ("later", "95% of recent tickets here were closed within 365 days"),
        ("sooner", "1 pull request linked"),
        ("sooner", "no answer is owed, as far as is known"),
    ]


@pytest.mark.parametrize(
    ("age", "effect", "half", "most"),
    [
        (1.0, 1, "half of the tickets closed here lately took under 3 days", "nine tenths"),
        (1.0, -1, "half of the tickets closed here lately took over 3 days", "a tenth"),
        (400.0, 1, "half of the tickets closed here lately took over 3 days", "a tenth"),
        (400.0, -1, "half of the tickets closed here lately took under 3 days", "nine tenths"),
    ],
)
def test_how_long_others_took_is_said_so_that_it_is_a_reason_at_the_age(
    age: float, effect: int, half: str, most: str
) -> None:
    values = {
        "age_days": age,
        "repository_median_log_hours_90d": log1p(72),
        "repository_p90_log_hours_90d": log1p(7200),
    }
    names = [name for name in values if name != "age_days"]
    reasons = [{"feature": name, "contribution": effect} for name in names]
    told = [one["reason"] for one in say_reasons(reasons, values)]
    assert told[0] == half
    # At 400 days the ticket is older than a tenth, too.
    assert told[1].startswith(most)
