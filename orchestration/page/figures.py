"""The figures of the README: read from a published file, kept as JSON, and written into one block of it.

Nothing of them is typed: the words are a template, and what they claim follows from the numbers.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from textwrap import fill
from typing import Any

from ml.store.files import json_text, write_atomically
from orchestration.page.published import Published, open_published

BEGIN, END = "<!-- written by `python -m orchestration figures` -->", "<!-- until here -->"
_HERE = Path(__file__).parent
FIGURES = _HERE / "figures.json"
Figures = dict[str, dict[str, Any]]

# What the README says of each model on the test part, or in the mean over rolling origins (`origins_…`).
_QUOTED: Mapping[str, str] = {
    "hours": "mae_log mae_log_median mae_log_group_median mae_log_gain_vs_median "
    "mae_log_gain_vs_group_median auc_1d auc_7d auc_30d auc_1d_group_rate auc_7d_group_rate "
    "auc_30d_group_rate",
    "late_scorer": "auc auc_repository auc_gain_vs_repository",
    "triage_ranker": "ndcg@10 ndcg@10_author ndcg@10_words ndcg@10_gain_vs_author ndcg@10_gain_vs_words",
    "remaining": "mean_auc remaining_coverage_80",
    "response_1d": "auc auc_repository brier",
    "response_2d": "auc auc_repository brier",
    "response_7d": "auc auc_repository brier",
    "assignee_ranker": "top@1 top@3 top@3_most_active top@3_last_assigned mrr mrr_most_active "
    "mrr_last_assigned proposed_share proposed_precision",
    "alert_scorer": "auc auc_baseline origins_auc origins_average_precision",
    "alert_ranker": "ndcg@10 ndcg@10_baseline origins_ndcg@10 origins_average_precision",
}

# A table and one row from it, whose columns join the model's figures.
_COUNTS: Mapping[str, tuple[str, str]] = {
    "issues": (
        "feature_store.training_snapshots",
        """
        select max(rows) as rows, (select count(*) from tickets.repositories) as repositories
        from feature_store.training_snapshots where domain = 'tickets'
    """,
    ),
    "hours": (
        "ml.predictions",
        """
        select exp(median(abs(ln((1 + y_true) / (1 + y_pred))))) as factor
        from ml.predictions inner join ml.models using (run_id, domain, task, model)
        where domain = 'tickets' and task = 'regression' and alias = 'champion' and split = 'test'
    """,
    ),
    "remaining": (
        "ml.horizon_metrics",
        """
        select
            count(*) filter (metric = 'auc') as pairs,
            avg(value) filter (metric = 'auc_group_rate') as mean_auc_group_rate,
            count(*) filter (metric = 'auc_gain_vs_group_rate' and ci_low > 0) as sorts_better,
            count(*) filter (metric = 'brier_gain_vs_group_rate' and ci_low > 0) as nearer,
            (
                select any_value(value) from ml.model_metrics
                where domain = 'remaining' and split = 'validation' and metric = 'remaining_coverage_80'
            ) as validation_coverage
        from ml.horizon_metrics where split = 'test'
    """,
    ),
    "response_7d": (
        "ml.predictions",
        """
        select count(distinct regexp_replace(item_id, '#[^#]*$', '')) as repositories
        from ml.predictions where model = 'response_7d'
    """,
    ),
    "newcomers": (
        "tickets.response_gaps",
        """
        select
            any_value(share_waiting_newcomers) as waiting, any_value(share_waiting_regulars) as regulars,
            any_value(adjusted_difference) as difference, any_value(ci_low) as low, any_value(ci_high) as high
        from tickets.response_gaps where repository = '(all)' and horizon_days = 7
    """,
    ),
}


def read_figures(published: Published) -> Figures:
    """By model and metric the value, and its interval where there is one; beside them some counts.

    Raises
    ------
    ValueError
        A figure that the README quotes is not there.
    """
    rows = published.rows(
        """
        select
            if(domain = 'tickets' and task = 'regression', 'hours', model) as name, model,
            if(split = 'origins', 'origins_' || metric, metric) as metric, value, ci_low, ci_high
        from ml.model_metrics inner join ml.models using (run_id, domain, task, model)
        where alias = 'champion' and split in ('test', 'origins')
        """
    )
    known = {(row["name"], row["metric"]): row for row in rows}
    found: Figures = {
        name: {metric: _figure(known.get((name, metric))) for metric in metrics.split()}
        for name, metrics in _QUOTED.items()
    }
    found["hours"] |= next(({"model": row["model"]} for row in rows if row["name"] == "hours"), {})
    for name, (table, query) in _COUNTS.items():
        counts = published.rows_of(table, query) or [{f"a row in {table}": None}]
        found[name] = found.get(name, {}) | {key: _short(value) for key, value in counts[0].items()}
    absent = [f"{m} of {name}" for name, own in found.items() for m, value in own.items() if value is None]
    if absent:
        raise ValueError(
            f"The README quotes what is not published: {', '.join(absent)}. Run the whole pipeline first."
        )
    return found


def say(figures: Mapping[str, Any]) -> str:
    """The block of the README."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(undefined=StrictUndefined, trim_blocks=True)
    environment.filters |= FILTERS
    text = environment.from_string((_HERE / "figures.md.j2").read_text(encoding="utf-8")).render(figures)
    wrapped = (fill(one, 116, break_long_words=False, break_on_hyphens=False) for one in text.split("\n\n"))
    return "\n".join([BEGIN, "\n\n".join(wrapped), END])


def put(readme: str, block: str) -> str:
    """The README with another block; ValueError when it has none."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"README.md has no block between {BEGIN} and {END}.")
    return f"{before}{block}{after}"


def write_figures(published_database: Path, readme: Path, figures: Path = FIGURES) -> Figures:
    """Take the figures of a published file over into the JSON and the README.

    Raises
    ------
    ValueError
        Nothing is published, it is synthetic, or a figure is missing: then nothing is written.
    """
    with open_published(published_database) as published:
        if published.rows_of(
            "tickets.repositories", "from tickets.repositories where is_synthetic", "is_synthetic"
        ):
            raise ValueError(
                f"The README speaks of real issues: those of {published_database} are synthetic."
            )
        found = read_figures(published)
    text = put(readme.read_text(encoding="utf-8"), say(found))
    write_atomically(figures, json_text(found))
    write_atomically(readme, text)
    return found


def read_kept(figures: Path = FIGURES) -> Figures:
    """The figures that the README was written from."""
    known: Figures = json.loads(figures.read_text(encoding="utf-8"))
    return known


def _figure(row: Mapping[str, Any] | None) -> list[Any] | None:
    """Value and interval; None where there is no value."""
    if row is None or row["value"] is None:
        return None
    return [_short(row[name]) for name in ("value", "ci_low", "ci_high")]


def _short(value: Any) -> Any:
    # More digits than anybody reads, and few enough that a library's last one does not change the file.
    return round(value, 4) if isinstance(value, float) else value


def _two(value: float) -> str:
    return f"{value:.2f}"


def _share(value: float) -> str:
    return _two(value).removeprefix("0")


def _points(value: float) -> str:
    return f"{100 * value:.0f}"


def _within(form: Callable[[float], str], unit: str = "") -> Callable[[list[Any]], str]:
    """A figure with its interval, where it has one."""
    return lambda one: form(one[0]) + unit + ("" if None in one else f" [{form(one[1])}, {form(one[2])}]")


def _above_zero(figures: Iterable[list[Any]]) -> bool:
    return all(low is not None and low > 0 for _, low, _ in figures)


FILTERS = {
    "two": _two,
    "share": _share,
    "points": _points,
    "two_within": _within(_two),
    "share_within": _within(_share),
    "percent_within": _within(_points, " %"),
    "above_zero": _above_zero,
}
