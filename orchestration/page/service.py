"""How repositories serve those who open tickets: waits, curves, and whether newcomers wait longer."""

from orchestration.page.published import Published, Row

PERIOD = "last 365 days"
_WAITS = {"answer": "time_to_first_response_median", "close": "time_to_close_final_median"}
_METRICS = ("repository", "period", "group", "metric", "n", "value", "ci_low", "ci_high", "reason")
_BEYOND_CHANCE = 0.05


def waits(published: Published) -> dict[str, dict[str, Row]]:
    """Per repository the median hours to the first answer and to the end, each with its interval."""
    rows = published.rows_of(
        "tickets.service_metrics",
        f"""
        select repository, metric, value, ci_low, ci_high, reason from tickets.service_metrics
        where period = '{PERIOD}' and "group" = 'all'
        """,  # noqa: S608 - our own words
        *_METRICS,
    )
    names = {metric: name for name, metric in _WAITS.items()}
    found: dict[str, dict[str, Row]] = {}
    for row in rows:
        if row["metric"] in names:
            found.setdefault(row["repository"], {})[names[row["metric"]]] = row
    return found


def survival(published: Published) -> dict[str, list[tuple[float, float]]]:
    """Per repository, the one with most tickets first, the share that is still open after some days."""
    curves: dict[str, list[tuple[float, float]]] = {}
    rows = published.rows_of(
        "tickets.service_metrics",
        f"""
        select repository, regexp_extract(metric, '([0-9]+)d$', 1)::int as days, value
        from tickets.service_metrics
        where
            regexp_matches(metric, '^closed_within_[0-9]+d$') and value is not null
            and period = '{PERIOD}' and "group" = 'all'
        order by max(n) over (partition by repository) desc, repository, days
        """,  # noqa: S608
        *_METRICS,
    )
    for row in rows:
        curves.setdefault(row["repository"], [(0.0, 1.0)]).append((float(row["days"]), 1 - row["value"]))
    return curves


def newcomers(published: Published) -> list[str]:
    """Whether newcomers wait longer for an answer, and whether their tickets end later, in sentences."""
    return [*_answers(published), *_endings(published)]


def _answers(published: Published) -> list[str]:
    rows = published.rows_of(
        "tickets.response_gaps",
        """
        from tickets.response_gaps
        where horizon_days = (select max(horizon_days) from tickets.response_gaps where repository = '(all)')
        order by repository
        """,
        "repository", "horizon_days", "share_waiting_newcomers", "share_waiting_regulars",
        "adjusted_difference", "ci_low", "ci_high", "overlap", "q_value",
    )  # fmt: skip
    told = []
    for row in rows:
        if row["repository"] == "(all)":
            new, old = (f"{row[f'share_waiting_{who}']:.0%}" for who in ("newcomers", "regulars"))
            told.append(
                f"For an answer, {_verdict(row['q_value'], row['adjusted_difference'])}: "
                f"{_days(row['horizon_days'])} after the creation {new} of newcomers' tickets have no "
                f"answer, and {old} of regulars'."
            )
            if None not in (row["adjusted_difference"], row["ci_low"], row["ci_high"], row["overlap"]):
                told.append(
                    f"Among tickets of the same repository and label the difference is "
                    f"{_points(row['adjusted_difference'])} points "
                    f"[{_points(row['ci_low'])}, {_points(row['ci_high'])}]; "
                    f"{row['overlap']:.0%} of newcomers' tickets have such a counterpart."
                )
    named = _named(rows, "adjusted_difference")
    return [*told, f"Beyond chance, in points: {named}."] if named else told


def _endings(published: Published) -> list[str]:
    rows = published.rows_of(
        "tickets.service_differences",
        f"""
        from tickets.service_differences
        where
            period = '{PERIOD}' and metric = 'closed_within_30d'
            and "group" = 'newcomer' and reference = 'regular'
        order by repository
        """,
        "repository", "period", "metric", "group", "reference", "value", "q_value",
    )  # fmt: skip
    if not any(row["q_value"] is not None for row in rows):
        return []
    named = _named(rows, "value")
    return [
        f"Share of tickets closed within 30 days, newcomers' less regulars' ({PERIOD}): "
        + (f"beyond chance, in points: {named}." if named else "nowhere beyond chance.")
    ]


def _verdict(q_value: float | None, difference: float | None) -> str:
    if q_value is None or difference is None:
        return "it cannot be tested"
    if q_value >= _BEYOND_CHANCE:
        return "not beyond chance"
    return "yes" if difference > 0 else "no, regulars do"


def _named(rows: list[Row], column: str) -> str:
    """The repositories whose difference is beyond chance, with it."""
    return ", ".join(
        f"{row['repository']} {_points(row[column])}"
        for row in rows
        if row["repository"] != "(all)"
        and None not in (row["q_value"], row[column])
        and row["q_value"] < _BEYOND_CHANCE
    )


def _points(share: float) -> str:
    return f"{100 * share:+.1f}".replace("-", "−")


def _days(count: int) -> str:
    return f"{count} day{'' if count == 1 else 's'}"
