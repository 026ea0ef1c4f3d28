"""Columns of the tables that are made of metrics: from the metrics' own declarations."""

from __future__ import annotations

from ml.bias.metrics.declared import Metric, MetricSet
from ml.bias.metrics.hours import HOUR_METRICS
from ml.bias.metrics.orders import RankingConfig, exposure_metrics, list_metrics
from ml.bias.metrics.scores import SCORE_METRICS
from ml.bias.tables.column import (
    DIMENSION,
    IS_OUTCOME,
    JUDGED,
    KEYS,
    POOLED,
    RATIO,
    SHARE,
    SLICE,
    Column,
    count,
    number,
    text,
    truth,
)

_WORSE = {
    "smaller": "a smaller one than the rest",
    "larger": "a larger one than the rest",
    "different": "another one than the rest, either way",
    "either": "a deviation from zero, either way",
    "negative": "a loss",
}


def _slice_metrics(metrics: MetricSet | None) -> list[Column]:
    """One row per slice, one column per metric; the unprefixed verdict is that of the leading metric.

    The columns are those of the models for hours; a scorer fills the ones that it has, too.
    """
    own = metrics if metrics is not None and metrics.leading else HOUR_METRICS
    leading = next(metric for metric in own.metrics if metric.name == own.leading)
    others = [metric for metric in own.metrics if metric is not leading]
    return [
        *KEYS,
        DIMENSION,
        SLICE,
        count("n", "Items of the slice with a known outcome."),
        number(
            "share",
            "n relative to all items with a known outcome; overlapping slices add up to more than 1.",
            SHARE,
        ),
        *(_value(metric) for metric in own.metrics if metric.place == "first"),
        *_interval("", leading.name, leading.unit),
        number(
            "q_value",
            f"False-discovery rate of a disadvantage in {leading.name}; null: not tested. Of a scorer, the "
            "smallest one of the tested metrics in score_metrics.",
        ),
        truth(
            "assessable",
            "Large enough, with a complement and a second slice to compare with; never an outcome.",
        ),
        truth(
            "flagged",
            f"Worse than all other items in {leading.name}: effect above the threshold and q_value below "
            "alpha; of a scorer, in any tested metric (see findings).",
        ),
        count("n_censored", "Items whose outcome is unknown; in no other figure."),
        count("n_clusters", "Independent groups (group_id) among the n items.", "groups"),
        POOLED,
        IS_OUTCOME,
        number("effect", f"{leading.name} relative to that of all other items, minus 1.", RATIO),
        number("effect_ci_low", "Lower end of the closed-form interval of effect.", RATIO),
        number("effect_ci_high", "Upper end of the closed-form interval of effect.", RATIO),
        number(
            f"shrunk_{leading.name}",
            f"{leading.name} shrunk towards the other slices of the dimension (empirical Bayes).",
            leading.unit,
        ),
        *(_value(metric) for metric in own.metrics if metric.place == "later"),
        text(
            "findings",
            "All metrics, comma-separated, in which the slice differs beyond threshold and noise.",
        ),
        *(
            column
            for metric in others
            if metric.estimate.is_compared
            for column in _interval(f"{metric.name}_", metric.name, metric.unit)
        ),
        *(
            number(f"q_{metric.name}", f"False-discovery rate of {_disadvantage(metric)}.")
            for metric in others
            if metric.worse
        ),
        *(_value(metric) for metric in own.metrics if metric.place == "last"),
    ]


def _disadvantage(metric: Metric) -> str:
    return f"{metric.name}: {_WORSE[metric.worse or 'different']}"


def _value(metric: Metric) -> Column:
    of_scorers = {own.name: own for own in SCORE_METRICS.every}.get(metric.name)
    also = f"; of a scorer, {of_scorers.description}" if of_scorers else ""
    return number(metric.name, f"{metric.description}{also}.", metric.unit)


def _interval(prefix: str, name: str, unit: str) -> list[Column]:
    return [
        number(f"{prefix}ci_{end}", f"{word} end of the bootstrap interval of {name}, over clusters.", unit)
        for end, word in (("low", "Lower"), ("high", "Upper"))
    ]


def _listed(metrics: MetricSet) -> str:
    """What is tested and what is only shown, with the meaning of each."""
    parts = {
        "Tested": [m for m in metrics.metrics if m.worse],
        "Shown": [m for m in metrics.metrics if not m.worse],
    }
    return " ".join(
        f"{word}: {'; '.join(f'{metric.name} ({metric.description})' for metric in own)}."
        for word, own in parts.items()
        if own
    )


def _score_metrics(metrics: MetricSet | None) -> list[Column]:
    return [
        *KEYS,
        DIMENSION,
        SLICE,
        text("metric", _listed(metrics or SCORE_METRICS)),
        count("n", "Rows of the slice with a known outcome.", "rows"),
        count("n_positive", "Positive rows among them.", "rows"),
        count("n_clusters", "Independent groups among them.", "groups"),
        *JUDGED,
    ]


def _ranking_metrics(metrics: MetricSet | None) -> list[Column]:
    return [
        *KEYS,
        DIMENSION,
        SLICE,
        text("metric", _listed(metrics or list_metrics(RankingConfig(), ("{baseline}",)))),
        count("n_lists", "Lists of the slice.", "lists"),
        count(
            "n_relevant",
            "Lists among them with a relevant row; the others are in no figure, or count as missed where "
            "every list has an answer.",
            "lists",
        ),
        count("n_clusters", "Independent groups of lists.", "groups"),
        number("relative_gap", "(best - value) / best among the assessable slices of the dimension.", RATIO),
        *JUDGED,
    ]


def _gap_metrics() -> str:
    """For the description of the summary: the metrics of each task that have a line."""
    sets = (
        HOUR_METRICS,
        SCORE_METRICS,
        list_metrics(RankingConfig(), ()),
        exposure_metrics(RankingConfig().places),
    )
    of_hours, of_scores, *of_orders = (", ".join(m.name for m in own.gaps) for own in sets)
    return f"of hours {of_hours}; of a scorer {of_scores}; of a ranker {' or '.join(of_orders)}"


def _summary(metrics: MetricSet | None) -> list[Column]:
    return [
        *KEYS,
        DIMENSION,
        count("n_slices", "Slices listed, without (small slices).", "slices"),
        count("n_assessable", "Assessable slices; below 2 the dimension is not assessable.", "slices"),
        text("best_slice", "Assessable slice at the least disadvantage in gap_metric."),
        text("worst_slice", "Assessable slice at the greatest disadvantage in gap_metric."),
        number(
            "mae_difference",
            "Largest minus smallest MAE of the assessable slices; null for a ranker.",
            "hours, or probability",
        ),
        number("mae_ratio", "Smallest by largest MAE of the assessable slices; null for a ranker.", RATIO),
        number(
            "relative_gap",
            "|worst - best| / best of gap_metric; infinite when only the best is 0. Of a scorer's "
            "mean_error, |worst - best| / share of positives.",
            RATIO,
        ),
        number("threshold", "Gap above which (strictly) a difference matters.", RATIO),
        truth("flagged", "relative_gap is above the threshold and at least one slice is flagged."),
        text("verdict", "biased, no bias found, not assessable, or descriptive only (outcome slices)."),
        text("gap_metric", f"Metric of the gap, a line for each: {_gap_metrics()}."),
        number(
            "shrunk_gap",
            "relative_gap of the shrunken estimates: what is left of it without the noise.",
            RATIO,
        ),
        IS_OUTCOME,
        count("n_flagged", "Number of flagged slices.", "slices"),
        text("flagged_slices", "Names of the flagged slices, separated by semicolons."),
    ]


def _exposure(metrics: MetricSet | None) -> list[Column]:
    judged = {column.name: column for column in JUDGED}
    return [
        *KEYS,
        DIMENSION,
        SLICE,
        count("n", "Ranked rows of the slice.", "rows"),
        count("n_relevant", "Relevant rows among them.", "rows"),
        count("n_clusters", "Independent groups of lists in which the slice is ranked.", "groups"),
        number(
            "exposure_share",
            "Share of all attention, 1 / log2(1 + rank) within the first places of a list.",
            SHARE,
        ),
        *_interval("", "exposure_share", SHARE),
        number(
            "target_share",
            "The same if every list were in the order of its grades, equal grades alike.",
            SHARE,
        ),
        number("relevance_share", "Share of all relevance (sum of grades).", SHARE),
        number(
            RATIO,
            "exposure_share / relevance_share; below 1 even in a perfect order where much is relevant.",
            RATIO,
        ),
        number("received", "exposure_share / target_share: attention received of that deserved.", RATIO),
        *_interval("received_", "received", RATIO),
        number("rest_received", "received of all other rows.", RATIO),
        number("effect", "1 - received / rest_received; positive is to the slice's disadvantage.", RATIO),
        number(
            "q_value", "False-discovery rate of 'a smaller received than all other rows'; null: not tested."
        ),
        number(
            "shrunk_received",
            "received shrunk towards the other slices of the dimension (empirical Bayes).",
            RATIO,
        ),
        *(judged[name] for name in ("assessable", "flagged", "pooled", "is_outcome")),
    ]


MEASURED = {
    "slice_metrics": _slice_metrics,
    "summary": _summary,
    "score_metrics": _score_metrics,
    "ranking_metrics": _ranking_metrics,
    "ranking_exposure": _exposure,
}
