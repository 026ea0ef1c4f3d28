"""Issues that are gone from a source that can know it."""

from collections.abc import Iterable
from datetime import datetime

import duckdb

from orchestration.store.warehouse import transaction


def replace_tombstones(
    connection: duckdb.DuckDBPyConnection, tombstones: Iterable[tuple[str, int, str, datetime]]
) -> int:
    """Write the issues that are gone: (repository, number, reason, seen_at); all of them, each time.

    Their records stay in `raw.issues`: what happened to them until then is history that features count.
    """
    rows = list(tombstones)
    columns = zip(*rows, strict=True) if rows else ([], [], [], [])
    names = ("repository", "number", "reason", "seen_at")
    with transaction(connection):
        connection.execute("delete from raw.tombstones")
        connection.execute(
            """
            insert into raw.tombstones by name
            select
                -- As raw.issues spells it.
                coalesce(
                    (select max(repository) from raw.issues where lower(repository) = lower(gone.repository)),
                    repository
                ) as repository,
                number, reason, seen_at
            from (
                select
                    unnest($repository::varchar[]) as repository, unnest($number::bigint[]) as number,
                    unnest($reason::varchar[]) as reason, unnest($seen_at::timestamp[]) as seen_at
            ) as gone
            """,
            {name: list(column) for name, column in zip(names, columns, strict=True)},
        )
    return len(rows)
