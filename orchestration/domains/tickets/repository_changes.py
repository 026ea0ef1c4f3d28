"""What happens to repositories and issues beside new records: names change, and issues go away."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import duckdb

from orchestration.store.warehouse import transaction

_RENAMED = """
create or replace temp table renamed as
select * replace ($new as repository) from raw.issues where repository in ($old, $new)
qualify row_number() over (
    partition by number
    order by updated_at desc nulls last, fetched_at desc, file desc, line desc
) = 1
"""


def rename_repositories(connection: duckdb.DuckDBPyConnection, renames: Mapping[str, str]) -> int:
    """Put the rows of renamed repositories under their present names, within the caller's transaction.

    Where both names have a record of an issue, the newer one stays, as in loading.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        As `open_pipeline_database` gives it.
    renames : mapping
        Former name -> present name.

    Returns
    -------
    int
        Rows renamed.
    """
    count = 0
    for old, new in renames.items():
        found = connection.execute("select count(*) from raw.issues where repository = ?", [old]).fetchone()
        if not found or not found[0]:
            continue
        connection.execute(_RENAMED, {"old": old, "new": new})
        connection.execute("delete from raw.issues where repository in (?, ?)", [old, new])
        connection.execute("insert into raw.issues by name from renamed")
        connection.execute("drop table temp.renamed")
        count += int(found[0])
    return count


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
                unnest($repository::varchar[]) as repository, unnest($number::bigint[]) as number,
                unnest($reason::varchar[]) as reason, unnest($seen_at::timestamp[]) as seen_at
            """,
            {name: list(column) for name, column in zip(names, columns, strict=True)},
        )
    return len(rows)
