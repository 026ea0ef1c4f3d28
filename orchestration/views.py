"""The published views: a question of the README each, answered in one line of SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


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
)
