"""Landed alert batches into the raw tables, set-based and in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from orchestration.domains.alerts.checking import find_problem, read_as, repeated_alerts, required_columns
from orchestration.domains.alerts.sources.batches import FILES, SAMPLE, Delivery, LandedBatch
from orchestration.store.landing import LandedFile, SourceError
from orchestration.store.warehouse import transaction

_RAW_TABLES = Path(__file__).resolve().parents[3] / "warehouse" / "raw_alerts.sql"


@dataclass(frozen=True)
class AlertLoadReport:
    """What one call of `load_alert_batches` did.

    Parameters
    ----------
    loaded : tuple of str
        The batches loaded now.
    unchanged : int
        Batches whose content had been loaded before.
    refused : dict of str to str
        Batches refused now, with file and reason.
    rows : dict of str to int
        Rows loaded now, by raw table.
    synthetic_removed : int
        Synthetic alerts removed to make room for real ones.
    """

    loaded: tuple[str, ...]
    unchanged: int
    refused: dict[str, str]
    rows: dict[str, int]
    synthetic_removed: int


def create_alert_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the raw tables of the alerts where they do not exist."""
    connection.execute(_RAW_TABLES.read_text())


def load_alert_batches(
    connection: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    *,
    source: str,
    loaded_at: datetime | None = None,
) -> AlertLoadReport:
    """Load landed batches into the raw tables, in one transaction.

    A batch is loaded as a whole or refused as a whole; the refused ones keep none of the others out. A batch
    that comes again with other content replaces what was loaded of it; a damaged later delivery does not.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        As `open_pipeline_database` gives it.
    delivery : Delivery
        What the source landed.
    source : str
        The source's name. Synthetic and real alerts never share a warehouse: any source but `sample` first
        removes what `sample` loaded.
    loaded_at : datetime, optional
        Time to record (UTC, naive); now, when left out.

    Raises
    ------
    SourceError
        If `source` is `sample` and the warehouse holds real alerts, the accounts cannot be read, or the
        warehouse is older than the network of money flows and its batches are not delivered again.
    """
    create_alert_tables(connection)
    if source == SAMPLE:
        _refuse_beside_real_alerts(connection)
    _read_again_without_networks(connection, delivery, source)
    now = loaded_at or datetime.now(UTC).replace(tzinfo=None)
    # What the sample loaded does not count for a real source, which is about to remove it.
    known = dict(
        connection.execute(
            "select batch_id, content_id from raw.alert_batches"
            " where (source = $sample) = ($source = $sample)",
            {"sample": SAMPLE, "source": source},
        ).fetchall()
    )
    new = [batch for batch in delivery.batches if known.get(batch.batch_id) != batch.content_id]
    # Outside of the transaction, which a file that cannot be read would abort.
    refused = _refused(connection, new, tuple(known))
    accepted = [batch for batch in new if batch.batch_id not in refused]
    with transaction(connection):
        removed = 0 if source == SAMPLE else _remove_synthetic(connection)
        rows = _load_files(connection, accepted)
        _account(connection, new, refused, source, now)
        if delivery.accounts:
            rows["alert_accounts"] = _load_accounts(connection, delivery.accounts, source)
    return AlertLoadReport(
        loaded=tuple(batch.batch_id for batch in accepted),
        unchanged=len(delivery.batches) - len(new),
        refused=refused,
        rows=rows,
        synthetic_removed=removed,
    )


def _refused(
    connection: duckdb.DuckDBPyConnection, batches: Sequence[LandedBatch], known: Sequence[str]
) -> dict[str, str]:
    required = required_columns(connection)
    problems = {batch.batch_id: find_problem(connection, batch, required) for batch in batches}
    refused = {batch_id: problem for batch_id, problem in problems.items() if problem}
    sound = [batch for batch in batches if batch.batch_id not in refused]
    return {**refused, **repeated_alerts(connection, sound, known)}


def _load_files(connection: duckdb.DuckDBPyConnection, batches: Sequence[LandedBatch]) -> dict[str, int]:
    rows = {}
    for name in FILES:
        table = f"raw.alert_{name}"
        connection.execute(
            f"delete from {table} where list_contains(?, batch_id)",  # noqa: S608
            [[batch.batch_id for batch in batches]],
        )
        paths = {str(batch.files[name].path): batch.batch_id for batch in batches if name in batch.names}
        columns = [read_as(column, dtype) for column, dtype, _ in required_columns(connection)[name]]
        if not paths:
            continue
        loaded = connection.execute(
            f"""
            insert into {table} by name
            select map_extract_value(?::map(varchar, varchar), filename) as batch_id, {", ".join(columns)}
            from read_parquet(?, filename = true, union_by_name = true)
            """,  # noqa: S608
            [paths, list(paths)],
        ).fetchall()
        rows[f"alert_{name}"] = int(loaded[0][0])
    return rows


def _account(
    connection: duckdb.DuckDBPyConnection,
    batches: Sequence[LandedBatch],
    refused: dict[str, str],
    source: str,
    loaded_at: datetime,
) -> None:
    for batch in batches:
        files = [
            {
                "file": f"{name}.parquet",
                "landed_as": batch.files[name].name if name in batch.files else None,
                "row_count": declared.rows,
                "md5": declared.md5,
            }
            for name, declared in batch.declared.items()
            if name in batch.names
        ]
        reason = refused.get(batch.batch_id)
        connection.execute(
            """
            insert into raw.alert_batches values (
                $batch_id, $processing_date, $window_days, $source, $content_id,
                $files::struct(file varchar, landed_as varchar, row_count bigint, md5 varchar)[],
                $status, $reason, $loaded_at
            )
            on conflict (batch_id) do update set
                -- What was loaded stays when a later delivery is damaged, and so does its account.
                content_id = if($status = 'loaded' or status = 'refused', excluded.content_id, content_id),
                files = if($status = 'loaded' or status = 'refused', excluded.files, files),
                loaded_at = if($status = 'loaded' or status = 'refused', excluded.loaded_at, loaded_at),
                reason = if(
                    $status = 'refused' and status = 'loaded',
                    'a later delivery was refused: ' || excluded.reason, excluded.reason
                ),
                status = if($status = 'loaded', 'loaded', status)
            """,
            {
                "batch_id": batch.batch_id,
                "processing_date": batch.processing_date,
                "window_days": batch.window_days,
                "source": source,
                "content_id": batch.content_id,
                "files": files,
                "status": "refused" if reason else "loaded",
                "reason": reason,
                "loaded_at": loaded_at,
            },
        )


def _load_accounts(connection: duckdb.DuckDBPyConnection, accounts: LandedFile, source: str) -> int:
    try:
        loaded = connection.execute(
            """
            insert or replace into raw.alert_accounts
            select network, address, any_value(region), any_value(age_band), ?
            from (select * replace ({address}) from read_parquet(?))
            where address is not null group by network, address
            """.format(address=read_as("address", "VARCHAR")),  # noqa: S608
            [source, str(accounts.path)],
        ).fetchall()
    except duckdb.ConstraintException as error:
        raise SourceError(
            f"The file {accounts.name} has an address without a network, on which it is nobody: name it, or"
            " take the row out."
        ) from error
    except (duckdb.BinderException, duckdb.InvalidInputException, duckdb.IOException) as error:
        raise SourceError(
            f"The file {accounts.name} cannot be read ({str(error).splitlines()[0]}): accounts.parquet needs"
            " the columns address, network, region and age_band; correct or remove it."
        ) from error
    return int(loaded[0][0])


def _read_again_without_networks(
    connection: duckdb.DuckDBPyConnection, delivery: Delivery, source: str
) -> None:
    """Empty the tables of a warehouse whose money flows have no network: the delivery fills them again."""
    if "network" in connection.sql("from raw.alert_money_flows").columns:
        return
    loaded = "select batch_id from raw.alert_batches where status = 'loaded' and (source = ?) = (? = ?)"
    kept = {batch_id for (batch_id,) in connection.execute(loaded, [SAMPLE, source, SAMPLE]).fetchall()}
    gone = sorted(kept - {batch.batch_id for batch in delivery.batches})
    if gone:
        raise SourceError(
            f"This warehouse was made before money flows kept their network, and its batch {gone[0]} is not"
            " delivered any more: put it back below ALERT_BATCHES, or set WAREHOUSE_DIR to another folder."
        )
    with transaction(connection):
        for name in (*FILES, "batches", "accounts"):
            connection.execute(f"drop table raw.alert_{name}")
        create_alert_tables(connection)


def _refuse_beside_real_alerts(connection: duckdb.DuckDBPyConnection) -> None:
    found = connection.execute(
        "select count(*) from raw.alert_batches where source <> ? and status = 'loaded'", [SAMPLE]
    ).fetchall()[0][0]
    if found:
        raise SourceError(
            f"This warehouse holds {found:,} real alert batches; synthetic ones never join them: set"
            " WAREHOUSE_DIR to another folder to run the sample."
        )


def _remove_synthetic(connection: duckdb.DuckDBPyConnection) -> int:
    batches = "select batch_id from raw.alert_batches where source = ?"
    removed = connection.execute(
        f"delete from raw.alert_alerts where batch_id in ({batches})",  # noqa: S608
        [SAMPLE],
    ).fetchall()
    for name in FILES[1:]:
        connection.execute(f"delete from raw.alert_{name} where batch_id in ({batches})", [SAMPLE])  # noqa: S608
    connection.execute("delete from raw.alert_accounts where source = ?", [SAMPLE])
    connection.execute("delete from raw.alert_batches where source = ?", [SAMPLE])
    return int(removed[0][0])
