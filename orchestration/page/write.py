"""The page, its CSV and what the next page must know, written as one folder per run."""

import base64
import csv
import hashlib
import io
import json
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ml.store.files import json_text, move_folder_into_place, write_atomically
from ml.store.run_folder import BIAS_DOCUMENT, BIAS_PAGE, RunFolder
from orchestration.page import service, trust
from orchestration.page import tickets as about_tickets
from orchestration.page.curves import survival_plot
from orchestration.page.published import Published, Row, open_published

PAGE, TABLE, MEMORY = "report.html", "tickets.csv", "summary.json"
LATEST = "latest"
_WAY_BACK = f'<body>\n<nav><a href="{PAGE}">The open tickets</a></nav>'
_HERE = Path(__file__).parent
_SHOWN = 200
_TEN_YEARS = 10 * 365 * 24.0
# Median and interval, the first that any ticket has: seen from today, or from the creation.
_HOURS = (("remaining_hours", "remaining_p10", "remaining_p90"), ("predicted_hours", "p10", "p90"))


def write_page(published_database: Path, runs_dir: Path, reports_dir: Path) -> Path:
    """Write the page of what is published now into a folder of its own, and let `latest` point at it.

    Returns
    -------
    Path
        ``{reports_dir}/{time}/report.html``; beside it are ``tickets.csv`` and, where the champion has one,
        ``bias.html``.

    Raises
    ------
    ValueError
        Nothing has been published yet.
    """
    now = datetime.now(UTC)
    with open_published(published_database) as published:
        tickets = about_tickets.open_tickets(published)
        champion = trust.champion(published)
        memory = _memory(tickets, champion, now)
        before = _read_memory(reports_dir)
        home = RunFolder(runs_dir / champion["run_id"]) if champion else None
        bias = {name: home.read(name) for name in (BIAS_PAGE, BIAS_DOCUMENT)} if home else {}
        text = render(published, tickets, champion, before, memory, now, bool(bias.get(BIAS_PAGE)))
    target = reports_dir / f"{now:%Y%m%d-%H%M%S}"
    temporary = reports_dir / f".{target.name}"
    try:
        write_atomically(temporary / PAGE, text)
        write_atomically(temporary / TABLE, tickets_csv(tickets))
        write_atomically(temporary / MEMORY, json_text(memory))
        for name, content in bias.items():
            if content:
                write_atomically(temporary / name, content.replace("<body>", _WAY_BACK, 1))
        move_folder_into_place(temporary, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    pointer = reports_dir / f".{LATEST}"
    pointer.unlink(missing_ok=True)
    pointer.symlink_to(target.name)
    if not (reports_dir / LATEST).is_symlink():
        # A copy of the folder has a folder in its place.
        shutil.rmtree(reports_dir / LATEST, ignore_errors=True)
    pointer.replace(reports_dir / LATEST)
    return target / PAGE


def render(
    published: Published,
    tickets: Sequence[Row],
    champion: Row | None,
    before: Mapping[str, Any] | None,
    memory: Mapping[str, Any],
    now: datetime,
    has_bias_page: bool,
) -> str:
    """The page as HTML text; its only script is its own, and nothing is loaded from anywhere."""
    from jinja2 import Environment

    names = next((one for one in _HOURS if any(row.get(one[0]) is not None for row in tickets)), ())
    for ticket in tickets:
        ticket["hours"] = [ticket.get(name) for name in names]
    repositories = about_tickets.repositories(published, tickets, service.waits(published))
    proposals = about_tickets.candidates(published)
    bias = trust.bias(published)
    script = (_HERE / "page.js").read_text(encoding="utf-8")
    board = trust.leaderboard(published)
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= FILTERS
    context = {
        "as_of": now,
        "tickets": tickets,
        "some": _SHOWN,
        "has": _present(tickets, repositories),
        "is_remaining": names == _HOURS[0],
        "repositories": repositories,
        "sources": sorted({row["source"] for row in repositories if row.get("source")}),
        "observed_until": about_tickets.newest(repositories, "observed_until"),
        "scored_at": about_tickets.newest(tickets, "scored_at"),
        "is_synthetic": any(row.get("is_synthetic") for row in repositories),
        "curves": survival_plot(service.survival(published)),
        "newcomers": service.newcomers(published),
        "period": service.PERIOD,
        "load": about_tickets.load_per_person(tickets, proposals),
        "concentration": trust.concentration(published),
        "board": _board(board),
        "calibration": trust.calibration(published),
        "by_age": trust.calibration_by_age(published),
        "examples": trust.examples(published),
        "bias": bias,
        "bias_lines": bias_lines(bias),
        "bias_page": has_bias_page,
        "changes": changes(before, memory, trust.promotions(published)),
        "champion": champion,
    }
    sections = [("tickets", "Tickets"), ("repositories", "Repositories")]
    sections += [("people", "People")] if context["load"] else []
    sections += [("trust", "How far to trust it")]
    sections += [("bias", "For whom it is wrong")] if bias else []
    sections += [("changes", "What changed"), ("again", "How to get it again")]
    return environment.from_string((_HERE / "page.html.j2").read_text(encoding="utf-8")).render(
        **context,
        sections=sections,
        css=(_HERE / "page.css").read_text(encoding="utf-8"),
        js=script,
        # Browsers run this script and no other one, whatever a title says.
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def bias_lines(bias: Sequence[Row]) -> list[str]:
    """The verdicts in at most three sentences."""
    lines = []
    flagged = [row for row in bias if row["flagged"]]
    if flagged:
        named = ", ".join(f"{row['dimension']} (worst: {row['worst_slice']})" for row in flagged)
        lines.append(f"Worse for some, beyond noise: {named}.")
    for verdict, words in (("no bias found", "No bias found"), ("not assessable", "Too little data to say")):
        dimensions = [row["dimension"] for row in bias if row["verdict"] == verdict]
        if dimensions:
            lines.append(f"{words}: {', '.join(dimensions)}.")
    return lines


def changes(before: Mapping[str, Any] | None, now: Mapping[str, Any], promotions: Sequence[Row]) -> list[str]:
    """What is different from the page before, in sentences."""
    if before is None:
        return []
    old, new = set(before["open"]), set(now["open"])
    told = [
        f"{len(new - old):,} tickets came or were opened again and {len(old - new):,} are no longer open "
        f"since the page of {_moment(datetime.fromisoformat(before['at']))}."
    ]
    if before["champion"] != now["champion"]:
        why = next((one["why"] for one in promotions if one["to_version"] == now["champion"]), "")
        told.append(
            f"The champion is {now['champion'] or 'nobody'}, before {before['champion'] or 'nobody'}. {why}"
        )
    else:
        told.append(f"The champion is the same: {now['champion'] or 'nobody'}.")
    return told


def tickets_csv(tickets: Sequence[Row]) -> str:
    """One line per ticket: every published column, and the likeliest people."""
    names = [name for name in (tickets[0] if tickets else {}) if name not in ("people", "similar", "hours")]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*names, "people"])
    for ticket in tickets:
        people = " ".join(one["login"] for one in ticket["people"])
        writer.writerow([*(_cell(ticket[name]) for name in names), _cell(people)])
    return stream.getvalue()


def _cell(value: Any) -> Any:
    """A value as a spreadsheet takes it: lists joined, and no text that it would run as a formula."""
    if isinstance(value, list):
        value = "; ".join(str(one) for one in value)
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t")) else value


def _memory(tickets: Sequence[Row], champion: Row | None, now: datetime) -> dict[str, Any]:
    return {
        "at": now.isoformat(),
        "champion": champion["model_version"] if champion else None,
        "open": [ticket["item_id"] for ticket in tickets],
    }


def _read_memory(reports_dir: Path) -> dict[str, Any] | None:
    """What the newest page left for this one; nothing where it cannot be read."""
    try:
        known: dict[str, Any] = json.loads((reports_dir / LATEST / MEMORY).read_text(encoding="utf-8"))
        return known if {"at", "champion", "open"} <= set(known) else None
    except (OSError, ValueError, TypeError):
        return None


def _present(tickets: Sequence[Row], repositories: Sequence[Row]) -> dict[str, bool]:
    """Which columns have anything to show."""
    columns = (
        "age_days", "p_open_7d", "p_open_30d", "hours", "triage_rank", "plain_reasons", "people", "similar",
        "is_overdue",
    )  # fmt: skip
    known = {name: any(ticket.get(name) not in (None, []) for ticket in tickets) for name in columns}
    told = {
        name: any(row[name] and row[name]["value"] is not None for row in repositories)
        for name in ("answer", "close")
    }
    return known | told | {"waiting": any(row["waiting"] is not None for row in repositories)}


def _board(rows: Sequence[Row]) -> str:
    from ml.bias.report.plots import Mark, interval_plot

    def number(value: float | None) -> float:
        return float("nan") if value is None else value

    marks = [
        Mark(
            label=f"{row['model']}{' (champion)' if row['alias'] == 'champion' else ''}",
            value=row["value"],
            low=number(row["ci_low"]),
            high=number(row["ci_high"]),
            kind="flagged" if row["alias"] == "champion" else "usual",
            note=f"{row['value']:.2f}",
        )
        for row in rows
    ]
    return interval_plot(marks, "mean absolute error of log hours") if marks else ""


def _moment(value: datetime) -> str:
    return f"{value:%Y-%m-%d %H:%M} UTC"


def _chance(value: float) -> str:
    """A chance is never certain, whatever rounding makes of it."""
    return ">99%" if value > 0.995 else "<1%" if value < 0.005 else f"{value:.0%}"


def _days(hours: float) -> str:
    if hours > _TEN_YEARS:
        return "over 10 years"
    return f"{hours / 24:,.1f}" if hours < 2400 else f"{hours / 24:,.0f}"


def _wait(hours: float) -> str:
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:,.1f} d"


def _or_dash(form: Any) -> Any:
    return lambda value: "–" if value is None else form(value)


FILTERS = {
    "day": _or_dash(lambda value: f"{value:%Y-%m-%d}"),
    "moment": _or_dash(_moment),
    "percent": _or_dash(lambda value: f"{value:.0%}"),
    "chance": _or_dash(_chance),
    "count": _or_dash(lambda value: f"{value:,.0f}"),
    "one": _or_dash(lambda value: f"{value:,.1f}"),
    "two": _or_dash(lambda value: f"{value:.2f}"),
    "days": _or_dash(_days),
    "wait": _or_dash(_wait),
}
