"""All published bias tables, by name: for the types of their files and the comments on their columns."""

from __future__ import annotations

from ml.bias.metrics.declared import MetricSet
from ml.bias.tables.column import RUN, Column
from ml.bias.tables.fixed import FIXED
from ml.bias.tables.measured import MEASURED


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
