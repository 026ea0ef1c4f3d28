"""The published file as the page reads it: rows of tables that may be absent, columns that may be, too."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

Row = dict[str, Any]


class Published:
    """The published tables; `open_published` makes one."""

    def __init__(self, database: duckdb.DuckDBPyConnection) -> None:
        self._database = database
        found = database.execute(
            "select schema_name || '.' || table_name, list(column_name order by column_index) "
            # Of tables alone: a view is not what was published.
            "from duckdb_columns() semi join duckdb_tables() using (schema_name, table_name) group by all"
        ).fetchall()
        self._columns: dict[str, list[str]] = dict(found)

    def has(self, table: str, *columns: str) -> bool:
        """Whether a table is there with all of some columns."""
        return table in self._columns and set(columns) <= set(self._columns[table])

    def columns(self, table: str) -> list[str]:
        """The columns of a table; none if it is absent."""
        return self._columns.get(table, [])

    def rows(self, query: str, parameters: Sequence[Any] | dict[str, Any] | None = None) -> list[Row]:
        """The rows of a query, each by the names of its columns; what is not a number is not known."""
        answer = self._database.execute(query, parameters)
        names = [column[0] for column in answer.description or ()]
        # Only not-a-number differs from itself.
        rows = [[None if value != value else value for value in row] for row in answer.fetchall()]
        return [dict(zip(names, row, strict=True)) for row in rows]

    def rows_of(self, table: str, query: str, *columns: str) -> list[Row]:
        """The rows of a query about a table; none where it lacks one of some columns."""
        return self.rows(query) if self.has(table, *columns) else []


@contextmanager
def open_published(path: Path) -> Iterator[Published]:
    """The published file, read-only: whatever others wrote into it cannot reach the rest of the machine.

    Raises
    ------
    ValueError
        Nothing has been published there yet.
    """
    if not path.is_file():
        raise ValueError(f"Nothing is published at {path} yet: run the pipeline first (`make run`).")
    with duckdb.connect(str(path), read_only=True, config={"enable_external_access": "false"}) as database:
        yield Published(database)
