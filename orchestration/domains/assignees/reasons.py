"""Why a person is put forward, in plain words with the person's own numbers."""

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

MOST = 3
# What is told where a feature speaks for a person: the column that counts, a noun to count by, and the words.
_TOPIC = ("topic_handled", "ticket", "handled {} of its topic")
_AUTHOR = ("author_handled", "ticket", "handled {} of its author")
_WORDS = ("words_shared", "word", "handled tickets that share {} with it")
_HANDLED = ("handled_180d", "ticket", "handled {} in the last 180 days")
_HANDLED_EVER = ("handled_ever", "ticket", "handled {} here before")
_LATELY = ("handled_30d", "ticket", "handled {} in the last 30 days")
_COMMENTS = ("comments_180d", "comment", "wrote {} in the last 180 days")
_REQUESTS = ("pull_requests_180d", "pull request", "opened {} in the last 180 days")
_ACTS = ("acts_180d", "contribution", "made {} in the last 180 days")
_ACTS_LATELY = ("acts_30d", "contribution", "made {} in the last 30 days")
_ACTS_EVER = ("acts_ever", "contribution", "made {} here before")
_SAID = {
    "is_author": ("is_author", "", "opened the ticket"),
    "is_mentioned": ("is_mentioned", "", "is named in it"),
    **dict.fromkeys(("author_handled", "author_handled_share"), _AUTHOR),
    **dict.fromkeys(("topic_handled", "topic_handled_share", "topic_median_log_hours"), _TOPIC),
    **dict.fromkeys(
        ("word_affinity", "word_affinity_max", "word_affinity_share", "word_affinity_place", "words_shared"),
        _WORDS,
    ),
    **dict.fromkeys(("handled_30d", "handled_share_30d"), _LATELY),
    **dict.fromkeys(
        ("handled_180d", "handled_share_90d", "handled_share_180d", "handled_place_180d"), _HANDLED
    ),
    **dict.fromkeys(("handled_ever", "median_log_hours"), _HANDLED_EVER),
    **dict.fromkeys(("comments_180d", "comments_share_180d"), _COMMENTS),
    **dict.fromkeys(("pull_requests_180d", "pull_requests_share_180d"), _REQUESTS),
    **dict.fromkeys(("acts_180d", "acts_share_180d", "acts_place_180d"), _ACTS),
    **dict.fromkeys(("acts_30d", "acts_share_30d"), _ACTS_LATELY),
    "acts_ever": _ACTS_EVER,
    "days_since_handled": ("days_since_handled", "day", "had a ticket closed {} before"),
    "days_since_last_seen": ("days_since_last_seen", "day", "was seen here {} before"),
    "open_involved": ("open_involved", "open ticket", "takes part in {}"),
    "open_assigned": ("open_assigned", "open ticket", "has {} already"),
}


def in_words(reasons: Sequence[Mapping[str, Any]], values: Mapping[Hashable, Any]) -> str:
    """Say the strongest reasons that speak for a person.

    Parameters
    ----------
    reasons : sequence of {"feature", "contribution"}
        Strongest first; what speaks against the person is left out.
    values : mapping
        The person's features.
    """
    said = []
    for reason in reasons:
        if reason["contribution"] > 0 and reason["feature"] in _SAID:
            column, noun, words = _SAID[reason["feature"]]
            number = values.get(column)
            if pd.isna(number) or (not number and noun != "day"):
                continue  # unknown, or none of it: no reason that anybody could follow
            count = math.floor(number)
            said.append(words.format(f"{count} {noun}{'' if count == 1 else 's'}"))
    return "; ".join(list(dict.fromkeys(said))[:MOST]) or "was seen here lately"
