"""Tables that remember what another one said on each day: the days before are never written again."""

from datetime import date

import duckdb

from orchestration.tables import Table


def remember_day(
    database: duckdb.DuckDBPyConnection, history: Table, said: Table, day: date, days_kept: int
) -> None:
    """Add what a table says now to its history, in place of what the history has of the same day.

    Inside the caller's transaction, so that a killed run leaves both as they were.

    Parameters
    ----------
    database : DuckDBPyConnection
    history : Table
        A column ``said_on``, and columns of ``said``; later versions' are added, null for older days.
    said : Table
    day : date
    days_kept : int
        What is older than so many days before ``day`` goes.
    """
    database.execute(history.ddl)
    for name, (dtype, _) in history.columns.items():
        database.execute(f'alter table {history.name} add column if not exists "{name}" {dtype}')
    database.execute(
        f"delete from {history.name} where said_on = $day or said_on <= $day - $kept",  # noqa: S608 - our names
        {"day": day, "kept": days_kept},
    )
    columns = ", ".join(f'"{name}"' for name in history.columns if name != "said_on")
    database.execute(
        f"insert into {history.name} by name select $day as said_on, {columns} from {said.name}",  # noqa: S608
        {"day": day},
    )
