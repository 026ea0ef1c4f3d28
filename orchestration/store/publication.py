"""Publishing: the file that users read is replaced as a whole. No table has a meaning here."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from ml.store.files import move_into_place
from orchestration.store.warehouse import open_pipeline_database, quoted, transaction
from orchestration.views import View

logger = logging.getLogger(__name__)


def publish(
    pipeline_database: Path,
    published_database: Path,
    schemas: Sequence[str],
    domains: Sequence[str] | None = None,
    tables: Sequence[str] = (),
    descriptions: Mapping[str, tuple[str, Mapping[str, str]]] | None = None,
    views: Sequence[View] = (),
) -> dict[str, int]:
    """Replace the published database by a copy of the pipeline's user-facing schemas, in one step.

    Readers of the published file are never in the way and never see half of it: those that have it open keep
    what they opened, those that open it get the old or the new one. Views are published as tables. What lies
    there is never read, since anybody may have written it: the pipeline's database knows what it published.

    Parameters
    ----------
    pipeline_database, published_database : Path
        The pipeline's own file, and the file that users read.
    schemas : sequence of str
        The schemas to copy; those that do not exist yet are left out.
    domains : sequence of str, optional
        The domains whose results are ready. In tables with a column `domain` the rows of every other one stay
        as they are published: a run of theirs may be under way, or refused. All domains if left out.
    tables : sequence of str
        Tables of other schemas (`schema.table`) to copy, too: those of the domains alone. What was published
        of such tables by others stays as it is.
    descriptions : mapping, optional
        By `schema.table`, what the table is and what each of its columns: written beside them as comments.
    views : sequence of View
        Those whose tables are published are made beside them.

    Returns
    -------
    dict of str to int
        Rows per published table, by `schema.table`.

    Raises
    ------
    ValueError
        If there is no table in any of the schemas: an empty file would replace a good one.
    WarehouseBusyError
        If another process holds the pipeline's database.
    """
    # A fixed name, so that what a killed run left behind is found and removed.
    temporary = published_database.with_name(f".{published_database.name}.publishing")
    published_database.parent.mkdir(parents=True, exist_ok=True)
    try:
        # Holding the pipeline's database also keeps two processes from publishing at once.
        with open_pipeline_database(pipeline_database) as connection:
            _remove_database(temporary)
            copied = _tables(connection, schemas, tables)
            if not copied:
                raise ValueError(
                    f"There is nothing to publish: {pipeline_database} has no table in"
                    f" {', '.join(schemas)}; run the pipeline first."
                )
            rows = _copy_tables(connection, copied, temporary, domains, tables, descriptions or {})
        with duckdb.connect(str(temporary)) as publication:
            _make_views(publication, views, descriptions or {})
        _remove_foreign_log(published_database)
        move_into_place(temporary, published_database)
        # Of a client that wrote in between.
        _remove_foreign_log(published_database)
    finally:
        _remove_database(temporary)
    return rows


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


def _copy_tables(
    connection: duckdb.DuckDBPyConnection,
    tables: Sequence[tuple[str, str]],
    target: Path,
    domains: Sequence[str] | None,
    own_tables: Sequence[str],
    descriptions: Mapping[str, tuple[str, Mapping[str, str]]],
) -> dict[str, int]:
    connection.execute(
        f"attach '{_escaped(str(target))}' as publication; create schema if not exists published"
    )
    columns_of, rows = _columns(connection), {}
    for schema, table in tables:
        name = f"{quoted(schema)}.{quoted(table)}"
        columns = columns_of[schema, table]
        is_split = "domain" in columns
        own = f"domain in ({_literals(domains)})" if is_split and domains is not None else "true"
        connection.execute(f"create schema if not exists publication.{quoted(schema)}")
        connection.execute(f"create table publication.{name} as from {name} where {own}")
        if is_split:
            memory = f"{schema}.{table}"
            known = columns_of.get(("published", memory), [])
            common = ", ".join(quoted(column) for column in columns if column in known)
            memory = f"published.{quoted(memory)}"
            if "domain" in known:
                kept = f"select {common} from {memory} where not {own}"  # noqa: S608 - our own names
                connection.execute(f"insert into publication.{name} by name {kept}")
        if is_split or f"{schema}.{table}" in own_tables:
            memory = f"published.{quoted(f'{schema}.{table}')}"
            connection.execute(f"create or replace table {memory} as from publication.{name}")
        counted = connection.execute(f"select count(*) from publication.{name}").fetchall()  # noqa: S608
        rows[f"{schema}.{table}"] = int(counted[0][0])
    for memory in own_tables and _others(connection, tables):
        schema, table = memory.split(".", 1)
        connection.execute(f"create schema if not exists publication.{quoted(schema)}")
        connection.execute(
            f"create table publication.{quoted(schema)}.{quoted(table)} as from published.{quoted(memory)}"
        )
    _describe(connection, descriptions)
    # The write-ahead log must be empty: only the database file itself is moved.
    connection.execute("checkpoint publication; detach publication")
    return rows


def _others(connection: duckdb.DuckDBPyConnection, copied: Sequence[tuple[str, str]]) -> list[str]:
    """What was published before and was not copied anew, without what has a column `domain`."""
    remembered = connection.execute(
        """
        select table_name from duckdb_columns()
        where database_name = current_database() and schema_name = 'published'
        group by table_name having not bool_or(column_name = 'domain') order by table_name
        """
    ).fetchall()
    return [name for (name,) in remembered if tuple(name.split(".", 1)) not in copied]


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


def _columns(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], list[str]]:
    """Names of the columns of every table in the pipeline's database."""
    found = connection.execute(
        """
        select schema_name, table_name, list(column_name order by column_index)
        from duckdb_columns() where database_name = current_database() group by all
        """
    ).fetchall()
    return {(schema, table): columns for schema, table, columns in found}


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
