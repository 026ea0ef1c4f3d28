"""Whether a landed alert batch may be loaded: taken as a whole, or refused with the file and the reason."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb

from orchestration.domains.alerts.sources.batches import FILES, LandedBatch
from orchestration.facts import FACTS
from orchestration.store.warehouse import quoted

_SEVERITIES = FACTS["severities"]
# What must hold within a batch beyond columns and types: the file that is at fault, what counts the offending
# rows, and the reason. The names are those of views on the batch's files.
_LAWS = (
    (
        "alerts",
        "select alert_id from alerts group by alert_id having count(*) > 1",
        "alert_id {0} occurs twice",
    ),
    (
        "alerts",
        f"select severity from alerts where not list_contains({_SEVERITIES}, severity)",  # noqa: S608 - our own list
        f"severity {{0}} is none of {', '.join(_SEVERITIES)}",
    ),
    (
        "alerts",
        "select alert_id from alerts where not alert_confidence_score between 0 and 1",
        "the confidence of {0} is not between 0 and 1",
    ),
    (
        "alerts",
        "select alert_id from alerts where volume_usd < 0",
        "the volume of {0} is negative",
    ),
    (
        "features",
        "select address from features group by network, address having count(*) > 1",
        "address {0} occurs twice in its network",
    ),
    (
        "clusters",
        "select cluster_id from clusters group by cluster_id having count(*) > 1",
        "cluster_id {0} occurs twice",
    ),
    (
        "clusters",
        "select alert_id from (select unnest(related_alert_ids) as alert_id from clusters)"
        " where alert_id not in (select alert_id from alerts)",
        "alert {0} is not in alerts.parquet",
    ),
    (
        "ground_truth",
        "select alert_id from ground_truth group by alert_id having count(*) > 1",
        "alert_id {0} occurs twice",
    ),
    (
        "ground_truth",
        "select alert_id from ground_truth where alert_id not in (select alert_id from alerts)",
        "alert {0} is not in alerts.parquet",
    ),
    (
        "ground_truth",
        "select ground_truth from ground_truth where ground_truth not in (0, 1)",
        "the label {0} is neither 0 nor 1",
    ),
    (
        "ground_truth",
        "select alert_id from ground_truth where labelled_at < processing_date",
        "the label of {0} is older than the batch",
    ),
)

# Addresses in hexadecimal are the same in any case; in every other alphabet upper and lower case differ.
_HEXADECIMAL = "0[xX][0-9a-fA-F]+|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}"

Column = tuple[str, str, bool]  # name, type, may it be null
Columns = dict[str, list[Column]]


def read_as(column: str, dtype: str) -> str:
    """SQL for a column of a landed file as its raw table holds it."""
    name = quoted(column)
    if "address" not in column:
        return f"{name}::{dtype} as {name}"
    one = (
        "if(regexp_full_match({0}, '"
        + _HEXADECIMAL.replace("{", "{{").replace("}", "}}")
        + "'), lower({0}), {0})"
    )
    if dtype.endswith("[]"):
        return f"list_transform({name}::{dtype}, lambda address: {one.format('address')}) as {name}"
    return f"{one.format(f'{name}::{dtype}')} as {name}"


def required_columns(connection: duckdb.DuckDBPyConnection) -> Columns:
    """Return, for each file, the columns that its raw table takes from it: name, type, may it be null."""
    return {
        name: connection.execute(
            """
            select column_name, data_type, is_nullable from duckdb_columns()
            where schema_name = 'raw' and table_name = ? and column_name <> 'batch_id'
            order by column_index
            """,
            [f"alert_{name}"],
        ).fetchall()
        for name in FILES
    }


def find_problem(connection: duckdb.DuckDBPyConnection, batch: LandedBatch, required: Columns) -> str | None:
    """Return why the batch must be refused as `file: reason`, or None when nothing speaks against it."""
    if batch.problem:
        return batch.problem
    for name in batch.names:
        reason = _damage(batch, name) or _misfit(connection, batch, name, required[name])
        if reason:
            return f"{name}.parquet: {reason}"
    return next(_broken_laws(connection, batch, required), None)


def repeated_alerts(
    connection: duckdb.DuckDBPyConnection, batches: Iterable[LandedBatch], known: Iterable[str]
) -> dict[str, str]:
    """Return the batches with an alert that an earlier batch has too, each with the reason to refuse it.

    `known` names the batches in the raw tables that stay; batches that come again are compared as they come.
    """
    listed = [batch for batch in batches if batch.problem is None]
    if not listed:
        return {}
    rows = connection.execute(
        """
        with delivered as (
            select unnest(
                ?::struct(path varchar, batch_id varchar, processing_date date, window_days bigint)[],
                recursive := true
            )
        ),
        alert as (
            select
                delivered.batch_id, delivered.processing_date, delivered.window_days, alert_id,
                true as is_new
            from read_parquet(?, filename = true, union_by_name = true) as landed
            inner join delivered on landed.filename = delivered.path
            union all
            select batch_id, processing_date, window_days, alert_id, false
            from raw.alert_alerts
            where list_contains(?, batch_id) and batch_id not in (select batch_id from delivered)
        )
        select batch_id, alert_id, first_batch from (
            select *, first(batch_id) over (
                partition by alert_id order by is_new, processing_date, window_days
            ) as first_batch
            from alert
        )
        where is_new and batch_id <> first_batch
        qualify row_number() over (partition by batch_id order by alert_id) = 1
        """,
        [
            [
                {
                    "path": str(batch.files["alerts"].path),
                    "batch_id": batch.batch_id,
                    "processing_date": batch.processing_date,
                    "window_days": batch.window_days,
                }
                for batch in listed
            ],
            [str(batch.files["alerts"].path) for batch in listed],
            list(known),
        ],
    ).fetchall()
    return {
        batch_id: f"alerts.parquet: alert_id {alert_id} is in the batch {first_batch} already"
        for batch_id, alert_id, first_batch in rows
    }


def _damage(batch: LandedBatch, name: str) -> str | None:
    with batch.files[name].path.open("rb") as content:
        md5 = hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if md5 != batch.declared[name].md5:
        return f"its md5 is {md5}, META.json says {batch.declared[name].md5}"
    return None


def _misfit(
    connection: duckdb.DuckDBPyConnection,
    batch: LandedBatch,
    name: str,
    required: list[tuple[str, str, bool]],
) -> str | None:
    path = str(batch.files[name].path)
    try:
        found = {row[0] for row in connection.execute("describe from read_parquet(?)", [path]).fetchall()}
        lacking = [column for column, _, _ in required if column not in found]
        if lacking:
            return f"the required column {lacking[0]} is missing"
        wrong = ", ".join(f"count(*) filter ({_is_wrong(*column)})" for column in required)
        counts = connection.execute(
            f"select count(*), count(*) filter (processing_date <> ?), {wrong} from read_parquet(?)",  # noqa: S608
            [batch.processing_date, path],
        ).fetchall()[0]
    except duckdb.Error as error:
        return f"it cannot be read ({str(error).splitlines()[0]})"
    rows, strays, *bad = counts
    if rows != batch.declared[name].rows:
        return f"it has {rows} rows, META.json says {batch.declared[name].rows}"
    for (column, dtype, _), n_bad in zip(required, bad, strict=True):
        if n_bad:
            kind = "finite number" if dtype == "DOUBLE" else dtype.lower()
            return f"{n_bad} values of the column {column} are empty or no {kind}"
    return f"{strays} rows have another processing_date" if strays else None


def _broken_laws(
    connection: duckdb.DuckDBPyConnection, batch: LandedBatch, required: Columns
) -> Iterator[str]:
    files = ", ".join(
        f"{name} as (select {', '.join(read_as(c, t) for c, t, _ in required[name])}"  # noqa: S608
        f" from read_parquet({_literal(batch.files[name].path)}))"
        for name in batch.names
    )
    for name, offending, reason in _LAWS:
        if name not in batch.names:
            continue
        found = connection.execute(f"with {files} {offending} order by 1 limit 1").fetchall()
        if found:
            yield f"{name}.parquet: {reason.format(found[0][0])}"


def _is_wrong(column: str, dtype: str, nullable: bool) -> str:
    value = f"try_cast({quoted(column)} as {dtype})"
    # Infinity and NaN are doubles too, and what is beyond 1e18 is no amount of anything.
    bad = f"{value} is null"
    if dtype == "DOUBLE":
        bad = f"({bad} or not abs({value}) < 1e18)"
    elif dtype == "BIGINT":
        # A cast rounds: 0.4 would be a 0.
        bad = f"({bad} or try_cast({quoted(column)} as double) <> {value})"
    return f"{quoted(column)} is not null and {bad}" if nullable else bad


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
