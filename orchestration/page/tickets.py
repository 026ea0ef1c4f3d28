"""The open tickets, who could take them, what was like them, and how it looks per repository and person."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from orchestration.page.published import Published, Row

PREDICTIONS = "tickets.predictions"
PEOPLE = 3
SIMILAR = 5
_REASONS = 3


def open_tickets(published: Published) -> list[Row]:
    """The open tickets, the likeliest to be still open in a week first, with people and similar tickets.

    Each row has every column of `tickets.predictions` and, where they can be told, ``age_days``,
    ``p_open_7d`` and ``p_open_30d``, ``people``, ``similar`` and ``plain_reasons``.
    """
    if not published.has(PREDICTIONS, "item_id", "repository", "number"):
        return []
    people = _by_ticket(candidates(published), PEOPLE)
    similar = _by_ticket(similar_tickets(published), SIMILAR)
    rows = published.rows(f"from {PREDICTIONS} order by repository, number")
    for row in rows:
        for days in (7, 30):
            chance = row.get(f"p_within_{days}d")
            row[f"p_open_{days}d"] = None if chance is None else 1 - chance
        row["url"] = _link(row.get("url"))
        row["people"], row["similar"] = people.get(row["item_id"], []), similar.get(row["item_id"], [])
        row["plain_reasons"] = _plain(row.get("reasons"), {})
    return sorted(rows, key=lambda row: (row["p_open_7d"] is None, -(row["p_open_7d"] or 0)))


def candidates(published: Published) -> list[Row]:
    """Who is likely to take each ticket, with the reasons in the words of the feature registry."""
    words = feature_words(published)
    rows = published.rows_of(
        "tickets.assignee_candidates",
        "from tickets.assignee_candidates order by item_id, rank",
        "item_id", "login", "rank", "probability",
    )  # fmt: skip
    for row in rows:
        row.setdefault("current_load", None)
        row["plain_reasons"] = [row["why"]] if row.get("why") else _plain(row.get("reasons"), words)
    return rows


def similar_tickets(published: Published) -> list[Row]:
    """Earlier tickets that are like an open one, the likest first."""
    rows = published.rows_of(
        "tickets.similar",
        "from tickets.similar order by item_id, rank",
        "item_id", "rank", "similar_item_id", "title", "url", "state", "resolution_kind", "resolution_hours",
    )  # fmt: skip
    for row in rows:
        row["url"] = _link(row.get("url"))
        row["name"] = row["title"] or row["similar_item_id"]
        kind = (row["resolution_kind"] or "unknown").replace("_", " ")
        row["end"] = f"{row['state']}, {kind}" if kind not in ("unknown", "completed") else row["state"]
    return rows


def feature_words(published: Published) -> dict[str, str]:
    """What each feature is, in a sentence."""
    rows = published.rows_of(
        "feature_store.feature_registry",
        "select distinct feature, description from feature_store.feature_registry",
        "feature", "description",
    )  # fmt: skip
    return {row["feature"]: str(row["description"]).split(". ")[0].rstrip(".") for row in rows}


def repositories(
    published: Published, tickets: Sequence[Row], waits: Mapping[str, Mapping[str, Row]]
) -> list[Row]:
    """Per repository: open, overdue, expected to close within a week, its waits, and its source."""
    known = {
        row["repository"]: row
        for row in published.rows_of(
            "tickets.repositories", "from tickets.repositories", "repository", "source", "observed_until"
        )
    }
    grouped: dict[str, list[Row]] = defaultdict(list)
    for ticket in tickets:
        grouped[ticket["repository"]].append(ticket)
    rows = []
    for repository in sorted({*known, *grouped}, key=lambda name: (-len(grouped[name]), name)):
        own = grouped[repository]
        chances = [one["p_within_7d"] for one in own if one.get("p_within_7d") is not None]
        waiting = [not one["is_answered"] for one in own if one.get("is_answered") is not None]
        overdue = [one["is_overdue"] for one in own if one.get("is_overdue") is not None]
        rows.append(
            {
                **known.get(repository, {}),
                "repository": repository,
                "open": len(own),
                "overdue": sum(overdue) if overdue else None,
                "closing": sum(chances) if chances else None,
                "n_chances": len(chances),
                "waiting": sum(waiting) if waiting else None,
                **{name: waits.get(repository, {}).get(name) for name in ("answer", "close")},
            }
        )
    return rows


def load_per_person(tickets: Sequence[Row], rows: Iterable[Row], most: int = 25) -> list[Row]:
    """What each person has now, how many tickets they are the likeliest to take, how many are expected."""
    first: dict[tuple[str, str], int] = defaultdict(int)
    expected: dict[tuple[str, str], float] = defaultdict(float)
    has: dict[tuple[str, str], int | None] = {}
    names = {one["item_id"]: one["repository"] for one in tickets}
    for row in rows:
        if row["item_id"] not in names:
            continue
        who = (names[row["item_id"]], row["login"])
        first[who] += row["rank"] == 1
        expected[who] += row["probability"] or 0.0
        has[who] = row["current_load"]
    ordered = sorted(expected, key=lambda who: (-first[who], -expected[who], who))[:most]
    return [
        {
            "repository": who[0],
            "login": who[1],
            "has": has[who],
            "first": first[who],
            "expected": expected[who],
        }
        for who in ordered
    ]


def _by_ticket(rows: Iterable[Row], most: int) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if len(grouped[row["item_id"]]) < most:
            grouped[row["item_id"]].append(row)
    return grouped


def _plain(reasons: Any, words: dict[str, str]) -> list[str]:
    """Reasons as sentences: those that are written so already, else the feature's with its direction."""
    told = []
    for one in list(reasons or [])[:_REASONS]:
        if isinstance(one, dict) and "feature" in one:
            sign = "+" if (one.get("contribution") or 0) >= 0 else "−"
            told.append(f"{sign} {words.get(one['feature'], one['feature'].replace('_', ' '))}")
        elif isinstance(one, dict):
            told.append(f"{one.get('effect')}: {one.get('reason')}")
        else:
            told.append(str(one))
    return told


def _link(url: Any) -> str | None:
    """An address that a browser may open; nobody's script."""
    return str(url) if str(url or "").startswith(("https://", "http://")) else None


def newest(rows: Iterable[Row], column: str) -> datetime | None:
    """The latest time of a column; None where there is none."""
    return max((row[column] for row in rows if row.get(column) is not None), default=None)
