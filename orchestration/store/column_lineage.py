"""Which columns of other tables each column that dbt makes is made of, kept beside the tables."""

from collections.abc import Mapping, Sequence

import duckdb

from orchestration.store.warehouse import transaction
from orchestration.tables import COLUMN_LINEAGE, MODEL_BUILDS

# By column of a table, the columns that it is made of, each as `schema.table` and its name there.
Lineage = Mapping[str, Sequence[tuple[str, str]]]


def recorded_lineage(database: duckdb.DuckDBPyConnection) -> dict[str, Lineage]:
    """What is known, by `schema.table`."""
    database.execute(COLUMN_LINEAGE.ddl)
    lineage: dict[str, dict[str, list[tuple[str, str]]]] = {}
    for relation, column, *read in database.execute(f"from {COLUMN_LINEAGE.name} order by all").fetchall():
        lineage.setdefault(relation, {}).setdefault(column, []).append((read[0], read[1]))
    return dict(lineage)


def record_lineage(database: duckdb.DuckDBPyConnection, lineage: Mapping[str, Lineage]) -> None:
    """Keep what is known of these tables now, and forget those that are not up to date."""
    rows = [
        (relation, column, *read)
        for relation, columns in lineage.items()
        for column, reads in columns.items()
        for read in reads
    ]
    with transaction(database):
        database.execute(COLUMN_LINEAGE.ddl + MODEL_BUILDS.ddl)
        database.execute(
            f"""
            delete from {COLUMN_LINEAGE.name} where relation in ? or relation not in (
                select schema_name || '.' || relation from {MODEL_BUILDS.name}
            )
            """,  # noqa: S608
            [list(lineage)],
        )
        if rows:
            # One statement: a row at a time takes a second for as many as these.
            database.execute(
                f"insert into {COLUMN_LINEAGE.name} select {', '.join(['unnest(?)'] * 4)}",
                [list(values) for values in zip(*rows, strict=True)],
            )
