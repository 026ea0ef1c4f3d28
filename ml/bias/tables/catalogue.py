"""All published bias tables, by name: for the types of their files and the comments on them."""

from __future__ import annotations

from ml.bias.metrics.declared import MetricSet
from ml.bias.tables.column import RUN, Column
from ml.bias.tables.fixed import FIXED
from ml.bias.tables.measured import MEASURED

MEANINGS = {
    "slice_metrics": "Error of each model in each slice",
    "summary": "Best and worst slice and the gap of each model and dimension",
    "distribution": "How the training relation is spread over the slices",
    "composition": "Whether a slice's gap is the model's or the mix's",
    "intersections": "Combinations of slices that are worse than each of their parts",
    "over_time": "The gap of the flagged and the worst slices, month by month",
    "mitigation": "What each method of mitigation changed in the worst slice",
    "score_metrics": "Metrics of each scorer in each slice",
    "ranking_metrics": "Metrics of each ranking over the lists of one slice",
    "ranking_exposure": "How much attention each slice gets in the first places, and what its grades deserve",
    "ranking_concentration": "How unevenly the first place falls to people, beside how it truly fell",
}


def columns(table: str, metrics: MetricSet | None = None) -> list[Column]:
    """The columns of a published bias table, ``run_id`` and ``domain`` first.

    Parameters
    ----------
    table : str
        Without its schema, such as "slice_metrics".
    metrics : MetricSet, optional
        Whose columns or names the table has; default the project's own of that table.

    Raises
    ------
    ValueError
        There is no such table.
    """
    if table in FIXED:
        return [*RUN, *FIXED[table]]
    if table not in MEASURED:
        raise ValueError(f"There is no bias table {table!r}: choose from {', '.join(table_names())}.")
    return [*RUN, *MEASURED[table](metrics)]


def names(table: str, metrics: MetricSet | None = None) -> list[str]:
    """Names of the columns, without ``run_id`` and ``domain``."""
    return [column.name for column in columns(table, metrics)[len(RUN) :]]


def table_names() -> tuple[str, ...]:
    """All published bias tables."""
    return (*MEASURED, *FIXED)
