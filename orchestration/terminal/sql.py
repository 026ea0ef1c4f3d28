"""`python -m orchestration sql "…"`: a question to the published file, answered as a table."""

import argparse
import csv
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
_WIDEST = 60


def register(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser("sql", help="ask the published file, which stays as it is")
    command.add_argument("query", nargs="?", default=_TABLES, help="SQL; what can be asked about if left out")
    command.add_argument("--csv", action="store_true", help="as CSV, whole cells")
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    names, rows = ask(Settings.from_environment().published_database, options.query)
    if options.csv:
        csv.writer(sys.stdout, lineterminator="\n").writerows([names, *rows])
    else:
        print(table(names, rows))


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


def table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Rows as a table for the eye."""
    cells = [list(names), *([_shown(value) for value in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(names))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def _shown(value: Any) -> str:
    """A value in one line; numbers with three decimals, text cut where it is long."""
    if isinstance(value, float):
        return f"{value:,.3f}"
    if isinstance(value, list):
        value = "; ".join(
            " ".join(map(str, one.values())) if isinstance(one, dict) else str(one) for one in value
        )
    text = "" if value is None else " ".join(str(value).split())
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"
