"""`python -m orchestration sql "…"`: a question to the published file, answered as a table."""

import argparse
import csv
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from orchestration.settings import Settings

_TABLES = """
    select schema_name || '.' || table_name as name, comment from duckdb_tables()
    union all
    select schema_name || '.' || view_name, comment from duckdb_views() where not internal
    order by name
"""
_COLUMNS = """
    select column_name as name, data_type as type, comment from duckdb_columns()
    where schema_name || '.' || table_name = '{}' order by column_index
"""
_WIDEST = 60


def register(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser("sql", help="ask the published file, which stays as it is")
    command.add_argument(
        "query",
        nargs="?",
        default=_TABLES,
        help="SQL, or a table: what its columns mean; all of them if left out",
    )
    command.add_argument("--csv", action="store_true", help="as CSV, whole cells")
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    query, is_name = options.query, re.fullmatch(r"\w+\.\w+", options.query)
    names, rows = ask(
        Settings.from_environment().published_database, _COLUMNS.format(query) if is_name else query
    )
    if is_name and not rows:
        raise ValueError(f"Nothing named {query} is published: `python -m orchestration sql` lists what is.")
    if options.csv:
        csv.writer(sys.stdout, lineterminator="\n").writerows([names, *rows])
    else:
        # What tables and columns mean is to be read to its end.
        print(table(names, rows, widest=None if is_name or query is _TABLES else _WIDEST))


def ask(published: Path, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The columns and rows that answer a query; ValueError when nothing is published, or it is no query."""
    if not published.is_file():
        raise ValueError(f"Nothing is published at {published} yet: run the pipeline first (`make run`).")
    # Others may have written into this file: nothing in it may reach for the rest of the machine.
    with duckdb.connect(
        str(published), read_only=True, config={"enable_external_access": "false"}
    ) as database:
        try:
            answer = database.execute(query)
            return [column[0] for column in answer.description or ()], answer.fetchall()
        except duckdb.Error as error:
            raise ValueError(str(error).split("\n\n")[0]) from None


def table(names: Sequence[str], rows: Sequence[Sequence[Any]], widest: int | None = _WIDEST) -> str:
    """Rows as a table for the eye; a cell has no more characters than `widest`."""
    cells = [list(names), *([_shown(value, widest) for value in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(names))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def _shown(value: Any, widest: int | None) -> str:
    """A value in one line; numbers with three decimals, text cut where it is long."""
    if isinstance(value, float):
        return f"{value:,.3f}"
    if isinstance(value, list):
        value = "; ".join(
            " ".join(map(str, one.values())) if isinstance(one, dict) else str(one) for one in value
        )
    text = "" if value is None else " ".join(str(value).split())
    return text if widest is None or len(text) <= widest else f"{text[: widest - 1]}…"
