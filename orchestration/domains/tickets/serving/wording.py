"""What a feature says of a ticket, in words that need no dictionary: the reasons of `tickets.predictions`."""

from collections.abc import Mapping, Sequence
from math import expm1
from typing import Any

import pandas as pd

from orchestration.facts import FACTS

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

PLURALS = {"person": "people", "other person": "other people", "name in code": "names in code"}
FAMILIES = (
    "language", "failure", "concurrency", "performance", "security",
    "network", "build", "platform", "writing",
)  # fmt: skip
# Counted things, in the singular, with what follows them.
COUNTS = {
    "n_comments_author": ("comment", "by the author"),
    "n_comments_member": ("comment", "by people with rights here"),
    "n_comments_other": ("comment", "by others"),
    "n_comments_bot": ("comment", "by programs"),
    "n_people": ("other person", "took part"),
    "n_pull_requests": ("pull request", "linked"),
    "n_open_pull_requests": ("open pull request", "linked"),
    "n_reopenings": ("reopening", ""),
    "n_labels": ("label", ""),
    "assignee_open_load": ("open ticket", "assigned to the assignee"),
    "assignee_tickets_closed": ("ticket", "closed by the assignee before"),
    "title_length": ("character", "in the title"),
    "title_words": ("word", "in the title"),
    "body_length": ("character", "of text"),
    "body_words": ("word", "of text"),
    "n_code_blocks": ("code block", ""),
    "n_inline_code": ("name in code", "in the text"),
    "n_indented_lines": ("indented line", ""),
    "n_links": ("web link", ""),
    "n_issue_references": ("reference", "to other tickets"),
    "n_mentions": ("person", "mentioned"),
    "n_checklist_items": ("checklist item", ""),
    "n_list_items": ("list item", ""),
    "n_questions": ("question", "in the text"),
    "n_exclamations": ("exclamation mark", ""),
    "n_headings": ("heading", "in the text"),
    "n_quoted_lines": ("quoted line", ""),
    "n_images": ("image", ""),
    "n_versions": ("version number", "named"),
    "n_keywords": ("technical word", ""),
    **{f"n_keywords_{family}": ("word", f"about {family}") for family in FAMILIES},
    "author_issues_opened": ("ticket", "opened by the author before, anywhere"),
    "author_issues_closed": ("ticket", "of the author closed before, anywhere"),
    "author_pull_requests_opened": ("pull request", "opened by the author, anywhere"),
    "author_comments": ("comment", "written by the author, anywhere"),
    "contributor_issues_opened": ("ticket", "opened by the author here before"),
    "contributor_issues_closed": ("ticket", "of the author closed here before"),
    "contributor_pull_requests_opened": ("pull request", "opened by the author here"),
    "contributor_comments": ("comment", "written by the author here"),
    "repository_open_backlog": ("open ticket", "in the repository"),
    **{
        f"repository_{done}_{window}d": ("ticket", f"{done} here in the last {window} days")
        for done in ("opened", "closed")
        for window in (7, 30, 90)
    },
    "repository_active_people_30d": ("person", "active here in the last 30 days"),
    "topic_issues_opened": ("ticket", "opened before with such a title"),
    "topic_issues_resolved": ("ticket", "resolved before with such a title"),
}
# Durations in days, and as ln(1 + hours).
DAYS = {
    "age_days": "open for {}",
    "waiting_days": "the author has waited for {}",
    "days_since_comment": "no comment for {}",
    "days_since_answer": "no answer for {}",
    "days_since_event": "nothing happened for {}",
    "days_since_pull_request": "a pull request was linked {} ago",
    "author_days_since_first_seen": "the author was first seen {} ago, anywhere",
    "author_days_since_last_seen": "the author was last seen {} ago, anywhere",
    "author_days_since_last_issue": "the author's last ticket was {} ago, anywhere",
    "contributor_days_since_first_seen": "the author was first seen here {} ago",
    "contributor_days_since_last_seen": "the author was last seen here {} ago",
    "repository_age_days": "the repository has had tickets for {}",
}
# What some took longer than, and the others less.
LOG_HOURS = {
    "assignee_median_log_hours": "half of the assignee's tickets took {}",
    "author_median_log_hours": "half of the author's tickets took {}, anywhere",
    "contributor_median_log_hours": "half of the author's tickets here took {}",
    "repository_median_log_hours_90d": "half of the tickets closed here lately took {}",
    "repository_p90_log_hours_90d": "a tenth of the tickets closed here lately took {}",
}
SHARES = {
    "title_uppercase_share": "{} of the title in capitals",
    "body_code_share": "{} of the text is code",
    "author_share_closed": "{} of the author's tickets were closed, anywhere",
    "author_share_resolved_7d": "{} of the author's tickets were closed within a week, anywhere",
    "contributor_share_closed": "{} of the author's tickets here were closed",
    "contributor_share_resolved_7d": "{} of the author's tickets here were closed within a week",
    **{
        f"repository_share_resolved_{days}d": f"{{}} of recent tickets here were closed within {time}"
        for days in FACTS["horizons_days"]
        for time in ("1 day" if days == 1 else f"{days} days",)
    },
    "topic_share_resolved_7d": "{} of the tickets with such a title were closed within a week",
}
FLAGS = {
    "is_answered_last": ("the author does not have the last word", "the author has the last word"),
    "has_milestone": ("it has a milestone", "it has no milestone"),
    "was_called_severe": ("a label called it severe", "no label called it severe"),
    "is_assigned": ("somebody is assigned", "nobody is known to be assigned"),
    "title_has_question": ("the title asks something", "the title asks nothing"),
    "has_stack_trace": ("the text shows a stack trace", "the text shows no stack trace"),
    "author_is_bot": ("a program opened it", "a person opened it"),
    "has_topic": ("the title begins with a topic", "the title begins with no topic"),
    "is_weekend": ("looked at on a weekend", "looked at on a weekday"),
}
OTHERS = {
    "topic_mean_log_hours": lambda value: f"tickets with such a title took about {_time(value)}",
    "text": lambda _: "what title and body say",
    "repository": lambda value: f"the ways of {value}",
    "tenure_class": lambda value: f"an author whose standing here is {value}",
    "observed_hour": lambda value: f"looked at around {round(value)}:00 UTC",
    "observed_weekday": lambda value: f"looked at on a {WEEKDAYS[round(value) - 1]}",
    "observed_month": lambda value: f"looked at in {MONTHS[round(value) - 1]}",
}
# Where there is no value because there is nothing of the kind.
NOTHING_OF_IT = {
    "waiting_days": "no answer is owed, as far as is known",
    "days_since_pull_request": "no pull request linked",
}
# Where there is no value.
MISSING = {
    **NOTHING_OF_IT,
    **dict.fromkeys(("days_since_comment", "days_since_answer", "days_since_event"), "no comments are known"),
}

# The other side of what is not a half.
SHORTER = {"repository_p90_log_hours_90d": "nine tenths of the tickets closed here lately took {}"}

# The instant at which all are looked at is a reason of none of them. What the age says is spread over all
# that grows with it, and its own part says nothing of whether an old ticket closes sooner.
UNSAID = ("observed_hour", "observed_weekday", "observed_month", "is_weekend", "age_days")
# Of a ticket in which nothing has happened these say one thing.
WAITING = ("waiting_days", "days_since_comment", "days_since_answer", "days_since_event")
# One of each is enough: the others say the same of another time.
ALIKE = (
    tuple(f"repository_share_resolved_{days}d" for days in FACTS["horizons_days"]),
    ("n_pull_requests", "n_open_pull_requests", "days_since_pull_request"),
    ("repository_closed_7d", "repository_closed_30d", "repository_closed_90d"),
    ("repository_opened_7d", "repository_opened_30d", "repository_opened_90d"),
)


def say_reasons(
    reasons: Sequence[Mapping[str, Any]], values: Mapping[Any, Any], most: int = 5
) -> list[dict[str, str]]:
    """Put a ticket's reasons into words.

    Parameters
    ----------
    reasons : sequence of mapping
        ``feature`` and ``contribution``, above 0 where it makes the ticket end sooner; strongest first.
    values : mapping
        The ticket's features.
    most : int

    Returns
    -------
    list of dict
        ``effect`` (sooner or later) and ``reason``, in the same order; what was said already is left out, and
        what is not known, unless that tells something.
    """
    told: dict[Any, dict[str, str]] = {}
    for one in reasons:
        feature, effect = one["feature"], "sooner" if one["contribution"] > 0 else "later"
        value = values[feature]
        if feature in UNSAID or not (_is_known(value) or feature in NOTHING_OF_IT):
            continue
        words = say(feature, value)
        if feature in LOG_HOURS and is_about_shorter(effect, value, values):
            words = SHORTER.get(feature, LOG_HOURS[feature]).format(f"under {_time(value)}")
        elif feature in WAITING and effect == "sooner" and _is_known(value):
            words = DAYS[feature].format(f"only {duration(value)}")
        fact: Any = next(((effect, kind) for kind in ALIKE if feature in kind), words)
        if feature in WAITING and _is_known(value):
            fact = (effect, duration(value))
        told.setdefault(fact, {"effect": effect, "reason": words})
    return list(told.values())[:most]


def say(feature: str, value: Any) -> str:
    """Put a feature's value into words: "no answer for 12 days"."""
    if not _is_known(value):
        return MISSING.get(feature, f"not known: {_named(feature)}")
    if feature in COUNTS:
        noun, rest = COUNTS[feature]
        return f"{_counted(round(value), noun)} {rest}".rstrip()
    if feature in DAYS:
        return DAYS[feature].format(duration(value))
    if feature in LOG_HOURS:
        return LOG_HOURS[feature].format(f"over {_time(value)}")
    if feature in SHARES:
        return SHARES[feature].format(f"{value:.0%}")
    if feature in FLAGS:
        return FLAGS[feature][0 if value else 1]
    return OTHERS[feature](value) if feature in OTHERS else f"{_named(feature)} is {value}"


def is_about_shorter(effect: str, log_hours: float, values: Mapping[Any, Any]) -> bool:
    """Whether such a time is a reason because others took less than it, and not because some took more.

    Where some take longer a young ticket may take long, too, and one that is older than that may have its
    turn; where others take less it is the other way round.
    """
    is_younger = values.get("age_days", 0.0) < expm1(log_hours) / 24
    return (effect == "sooner") == is_younger


def duration(days: float) -> str:
    """Say a time in its largest unit of which there are two or more: "26 hours", "12 days", "3 years"."""
    for unit, length in (("year", 365.25), ("month", 30.44), ("day", 1.0), ("hour", 1 / 24)):
        if round(days / length) >= 2:
            return _counted(round(days / length), unit)
    return "an hour" if days * 24 >= 0.5 else "less than an hour"


def _time(log_hours: float) -> str:
    return duration(expm1(log_hours) / 24)


def _counted(count: int, noun: str) -> str:
    plural = PLURALS.get(noun, f"{noun}s")
    return f"{count:,} {noun if count == 1 else plural}" if count else f"no {noun}"


def _is_known(value: Any) -> bool:
    return isinstance(value, str) or not (value is None or pd.isna(value))


def _named(feature: str) -> str:
    return feature.replace("_", " ")
