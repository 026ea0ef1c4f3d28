"""Publishing: the file that users read is replaced as a whole. No table has a meaning here.

What is ready to be read waits in the schema `published` of the pipeline's database until the file is written:
domains become ready at different times, and the file is written once for several.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from ml.store.files import move_into_place
from orchestration.store.warehouse import quoted, transaction
from orchestration.views import View

logger = logging.getLogger(__name__)

Columns = Mapping[tuple[str, str], Mapping[str, str]]


def make_ready(
    database: duckdb.DuckDBPyConnection,
    schemas: Sequence[str],
    domains: Sequence[str] | None = None,
    tables: Sequence[str] = (),
) -> dict[str, int]:
    """Let the next published file hold the user-facing schemas as they are now; all of it, or nothing.

    Parameters
    ----------
    schemas : sequence of str
        The schemas to copy, views as tables; those that do not exist yet are left out.
    domains : sequence of str, optional
        The domains whose results are ready. In tables with a column `domain` the rows of every other one stay
        as they were: a run of theirs may be under way, or refused. All domains if left out.
    tables : sequence of str
        Tables of other schemas (`schema.table`) to copy, too: those of the domains alone. What was ready of
        such tables by others stays as it is.

    Returns
    -------
    dict of str to int
        Rows per table that is ready, by `schema.table`.

    Raises
    ------
    ValueError
        If there is no table in any of the schemas: an empty file would replace a good one.
    """
    copied = _tables(database, schemas, tables)
    if not copied:
        raise ValueError(
            f"There is nothing to publish: the pipeline's database has no table in {', '.join(schemas)};"
            " run the pipeline first."
        )
    with transaction(database):
        database.execute("create schema if not exists published")
        columns = _columns(database)
        for name in _ready(columns):
            schema, table = name.split(".", 1)
            if schema in schemas and (schema, table) not in copied:
                database.execute(f"drop table published.{quoted(name)}")
        for schema, table in copied:
            _copy(database, schema, table, columns, domains)
        return {name: _count(database, name) for name in _ready(_columns(database))}


def publish(
    database: duckdb.DuckDBPyConnection,
    published_database: Path,
    descriptions: Mapping[str, tuple[str, Mapping[str, str]]] | None = None,
    views: Sequence[View] = (),
) -> None:
    """Replace the published database by what is ready, in one step.

    Readers of the published file are never in the way and never see half of it: those that have it open keep
    what they opened, those that open it get the old or the new one. What lies there is never read, since
    anybody may have written it.

    Parameters
    ----------
    database : connection
        The pipeline's database; who holds it is alone in publishing.
    published_database : Path
        The file that users read.
    descriptions : mapping, optional
        By `schema.table`, what the table is and what each of its columns: written beside them as comments.
    views : sequence of View
        Those whose tables are published are made beside them.
    """
    # A fixed name, so that what a killed run left behind is found and removed.
    temporary = published_database.with_name(f".{published_database.name}.publishing")
    published_database.parent.mkdir(parents=True, exist_ok=True)
    try:
        _remove_database(temporary)
        database.execute(f"attach '{_escaped(str(temporary))}' as publication")
        for name in _ready(_columns(database)):
            schema, table = map(quoted, name.split(".", 1))
            database.execute(f"create schema if not exists publication.{schema}")
            database.execute(f"create table publication.{schema}.{table} as from published.{quoted(name)}")
        _describe(database, descriptions or {})
        # The write-ahead log must be empty: only the database file itself is moved.
        database.execute("checkpoint publication; detach publication")
        with duckdb.connect(str(temporary)) as publication:
            _make_views(publication, views, descriptions or {})
        _remove_foreign_log(published_database)
        move_into_place(temporary, published_database)
        # Of a client that wrote in between.
        _remove_foreign_log(published_database)
    finally:
        _remove_database(temporary)


def _tables(
    connection: duckdb.DuckDBPyConnection, schemas: Sequence[str], tables: Sequence[str]
) -> list[tuple[str, str]]:
    return connection.execute(
        """
        select table_schema, table_name
        from information_schema.tables
        where
            table_catalog = current_database()
            and (
                list_contains($schemas, table_schema)
                or list_contains($tables, table_schema || '.' || table_name)
            )
        order by all
        """,
        {"schemas": list(schemas), "tables": list(tables)},
    ).fetchall()


def _copy(
    database: duckdb.DuckDBPyConnection,
    schema: str,
    table: str,
    columns: Columns,
    domains: Sequence[str] | None,
) -> None:
    """Put what some domains have in a table in the place of what was ready of them."""
    now, before = columns[schema, table], columns.get(("published", f"{schema}.{table}"), {})
    source, ready = f"{quoted(schema)}.{quoted(table)}", f"published.{quoted(f'{schema}.{table}')}"
    own = f"domain in ({_literals(domains)})" if "domain" in now and domains is not None else "true"
    if "domain" not in now or "domain" not in before:
        database.execute(f"create or replace table {ready} as from {source} where {own}")
        return
    if now != before:
        # What was made by another version of the code.
        common = ", ".join(map(quoted, now.keys() & before.keys()))
        database.execute(f"alter table {ready} rename to earlier")
        database.execute(f"create table {ready} as from {source} limit 0")
        kept = f"select {common} from published.earlier"  # noqa: S608 - our own names
        database.execute(f"insert into {ready} by name {kept}; drop table published.earlier")
    database.execute(f"delete from {ready} where {own}")  # noqa: S608
    database.execute(f"insert into {ready} by name from {source} where {own}")


def _ready(columns: Columns) -> list[str]:
    return sorted(name for schema, name in columns if schema == "published")


def _count(database: duckdb.DuckDBPyConnection, name: str) -> int:
    counted = database.execute(f"select count(*) from published.{quoted(name)}").fetchall()  # noqa: S608
    return int(counted[0][0])


def _columns(database: duckdb.DuckDBPyConnection) -> Columns:
    """Types of the columns of every table in the pipeline's database, by name."""
    found = database.execute(
        """
        select schema_name, table_name, list(column_name), list(data_type)
        from duckdb_columns() where database_name = current_database() group by all
        """
    ).fetchall()
    return {(schema, table): dict(zip(names, types, strict=True)) for schema, table, names, types in found}


def _describe(
    connection: duckdb.DuckDBPyConnection, descriptions: Mapping[str, tuple[str, Mapping[str, str]]]
) -> None:
    found = connection.execute(
        """
        select schema_name, table_name, list(column_name order by column_index)
        from duckdb_columns() where database_name = 'publication' group by all order by all
        """
    ).fetchall()
    # One transaction: on its own, each of the hundreds of comments would wait for the disk.
    with transaction(connection):
        for schema, table, columns in found:
            described, meanings = descriptions.get(f"{schema}.{table}", ("", {}))
            name = f"publication.{quoted(schema)}.{quoted(table)}"
            connection.execute(f"comment on table {name} is '{_escaped(described)}'")
            for column in filter(meanings.__contains__, columns):
                meaning = _escaped(meanings[column])
                connection.execute(f"comment on column {name}.{quoted(column)} is '{meaning}'")


def _make_views(
    publication: duckdb.DuckDBPyConnection,
    views: Sequence[View],
    descriptions: Mapping[str, tuple[str, Mapping[str, str]]],
) -> None:
    """In a connection of its own: a view keeps the name of the database that it was made in."""
    there = set(
        publication.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
    )
    schemas = {name.split(".")[0] for (name,) in there}
    for view in views:
        # Tables of results are every domain's: a file without the view's own domain has no use for it.
        if {(name,) for name in view.needs} <= there and view.name.split(".")[0] in schemas:
            try:
                publication.execute(f"create view {view.name} as {view.query}")
            except duckdb.BinderException:
                logger.info("%s waits until %s are made by this version.", view.name, ", ".join(view.needs))
                continue
            publication.execute(f"comment on view {view.name} is '{_escaped(view.meaning)}'")
            columns = _view_columns(publication, view.name)
            meanings: dict[str, str] = {}
            for table in view.needs:
                meanings |= descriptions.get(table, ("", {}))[1]
            for column, meaning in {**meanings, **view.columns}.items():
                if column in columns:
                    publication.execute(
                        f"comment on column {view.name}.{quoted(column)} is '{_escaped(meaning)}'"
                    )
    # Only the database file itself is moved.
    publication.execute("checkpoint")


def _view_columns(publication: duckdb.DuckDBPyConnection, view: str) -> list[str]:
    return [name for name, *_ in publication.execute(f"describe {view}").fetchall()]


def _literals(values: Sequence[str]) -> str:
    return ", ".join(f"'{_escaped(value)}'" for value in values)


def _escaped(text: str) -> str:
    return text.replace("'", "''")


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.wal")


def _remove_foreign_log(published_database: Path) -> None:
    """A client that opened the file for writing left its log: beside a new file every reader fails."""
    log = _log_of(published_database)
    if log.exists():
        logger.warning(
            "Removed %s, which a client left that opened the published file for writing: its changes are"
            " gone; open the file read-only.",
            log,
        )
        log.unlink(missing_ok=True)


def _remove_database(path: Path) -> None:
    for file in (path, _log_of(path)):
        file.unlink(missing_ok=True)
