"""The published views: a question of the README each, answered in one line of SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from orchestration.facts import FACTS


@dataclass(frozen=True)
class View:
    """A view `schema.view` over published tables; without one of these there is no view.

    A column means what it means in these tables, or what `columns` says of it.
    """

    name: str
    meaning: str
    needs: Sequence[str]
    query: str
    columns: Mapping[str, str] = field(default_factory=dict)


def _figure(metric: str) -> str:
    return f"any_value(value) filter (where metric = '{metric}') as {metric}"


HORIZONS = FACTS["horizons_days"]
_AREAS = {f"auc_{days}d": days for days in HORIZONS}
_SCORES = {f"brier_{days}d": days for days in HORIZONS}

VIEWS = (
    View(
        "tickets.likely_late",
        "What is likely to be late? The open tickets, the likeliest to be still open in a week first, with "
        "the reasons.",
        ("tickets.predictions",),
        """
        select
            repository, number, title, url, labels, age_days, 1 - p_within_7d as p_open_in_7d,
            1 - p_within_30d as p_open_in_30d, remaining_hours / 24 as remaining_days, is_overdue,
            waiting_days, reasons
        from tickets.predictions
        where p_within_7d is not null
        order by p_within_7d, repository, number
        """,
        {
            "p_open_in_7d": "Probability of being still open 7 days after the last look.",
            "p_open_in_30d": "Probability of being still open 30 days after the last look.",
            "remaining_days": "Median of the days that it will stay open from the last look on.",
        },
    ),
    View(
        "tickets.leaderboard",
        "Which model says best, at a ticket's creation, how long it will take? Those of the hours and, of "
        "the same tickets, that of the remaining time.",
        ("ml.model_metrics", "ml.models"),
        f"""
        select
            split, model, alias,
            {", ".join(map(_figure, ("mae_log", "concordance", *_AREAS, *_SCORES)))}
        from ml.model_metrics inner join ml.models using (run_id, domain, task, model)
        where task = 'regression' and domain in ('tickets', 'remaining') and split in ('validation', 'test')
        group by split, model, alias
        order by split, concordance desc, model
        """,  # noqa: S608
        {
            "mae_log": "Mean absolute error of ln(1 + hours) where the end is known.",
            "concordance": "Share of pairs of tickets, with open ones among them, in the right order.",
            **{name: f"AUC of the chance to be closed within {days} days." for name, days in _AREAS.items()},
            **{
                name: f"Brier score of the chance to be closed within {days} days."
                for name, days in _SCORES.items()
            },
        },
    ),
    View(
        "bias.worst_slices",
        "Whom does the champion serve worse than the rest, and how sure is that? Its slices on the test part "
        "that are large enough to judge, the flagged ones first.",
        ("bias.slice_metrics", "ml.models"),
        """
        select domain, model, dimension, slice, n, mae_log, ci_low, ci_high, effect, q_value, flagged
        from bias.slice_metrics inner join ml.models using (run_id, domain, task, model)
        where task = 'regression' and alias = 'champion' and split = 'test' and assessable
        order by flagged desc, q_value, dimension, slice
        """,
    ),
    View(
        "bias.gaps",
        "Does the better model treat people more equally? Of every model of hours the gap between its best "
        "and worst slice on the test part, per dimension.",
        ("bias.summary",),
        """
        select
            domain, model, dimension, n_assessable, best_slice, worst_slice,
            round(relative_gap, 3) as relative_gap, flagged
        from bias.summary
        where task = 'regression' and split = 'test'
        order by domain, dimension, relative_gap
        """,
    ),
    View(
        "bias.promises",
        "Does a model promise too early (negative) or too late (positive), and for whom? On the test part.",
        ("bias.slice_metrics",),
        """
        select
            domain, model, dimension, slice, n, round(mean_error / 24, 1) as mean_error_days,
            round(skill, 3) as skill, flagged
        from bias.slice_metrics
        where task = 'regression' and split = 'test'
        order by domain, model, dimension, slice
        """,
        {"mean_error_days": "Mean of predicted - true, in days; negative promises too early an end."},
    ),
    View(
        "bias.misses",
        "Whose positives does a scorer miss, and whom does it wrongly flag? On the test part, what can be "
        "judged and is least due to chance first.",
        ("bias.score_metrics",),
        """
        select
            domain, model, dimension, slice, metric, n, n_positive, round(value, 3) as value,
            round(ci_low, 3) as ci_low, round(ci_high, 3) as ci_high, round(rest_value, 3) as rest_value,
            round(q_value, 3) as q_value, assessable, flagged
        from bias.score_metrics
        where split = 'test' and metric in ('recall', 'false_positive_rate')
        order by assessable desc, q_value, domain, model, dimension, slice, metric
        """,
    ),
    View(
        "tickets.time_to_close",
        "How long does a ticket take, and how sure is that? Per repository, with the tickets that are open.",
        ("tickets.service_metrics",),
        """
        select
            repository, n, round(value / 24, 1) as median_days, round(ci_low / 24, 1) as low_days,
            round(ci_high / 24, 1) as high_days, n_censored, reason
        from tickets.service_metrics
        where metric = 'time_to_close_final_median' and period = 'all' and "group" = 'all'
        order by value desc nulls first, repository
        """,
        {
            "median_days": "Median of the days from the creation to the final close (Kaplan and Meier).",
            "low_days": "Lower end of its 95 % interval.",
            "high_days": "Upper end of its 95 % interval.",
        },
    ),
)
