"""Landed records into temporary tables: each becomes a typed row, or gets the reason why it cannot."""

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import duckdb
import pyarrow as pa

from orchestration.domains.tickets.reading.fields import ShapeError
from orchestration.domains.tickets.reading.lines import read_lines
from orchestration.domains.tickets.reading.shapes import is_plain, normalise
from orchestration.facts import FACTS
from orchestration.store.landing import LandedFile

TEMPORARY_TABLES = ("landed_file", "landed_line")

# Text of one batch on its way from Python to DuckDB: bounds the memory, whatever the size of a file.
# Much more or much less takes longer.
_BATCH_CHARACTERS = 4 << 20
_BATCH = pa.schema(
    {
        "load_id": pa.string(),
        "line": pa.int64(),
        "text": pa.string(),
        "problem": pa.string(),
        "ends_file": pa.bool_(),
    }
)
_FILES = pa.schema(
    {"load_id": pa.string(), "file": pa.string(), "sha256": pa.string(), "fetched_at": pa.timestamp("us")}
)

_CREATE_TEMPORARY_TABLES = r"""
create or replace temp table landed_file (
    load_id varchar,
    file varchar,
    sha256 varchar,
    fetched_at timestamp
);
create or replace temp table landed_line (
    load_id varchar,
    line bigint,
    text varchar, -- of what is no JSON
    record json,
    repository varchar,
    number bigint,
    issue_id varchar,
    created_at timestamp,
    updated_at timestamp,
    reason varchar,
    ends_file boolean
);
-- DuckDB reads more than ISO 8601 ('infinity', years BC), and a cast straight to timestamp drops the offset.
create or replace temp macro utc_time(text) as
    if(
        regexp_full_match(text, '\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?\s?(Z|[+-]\d\d(:?\d\d)?)?)?'),
        try_cast(text as timestamptz) at time zone 'UTC',
        null
    );
"""

_STRUCTURES = """
select try(json_structure(text))::varchar as structure, list(position)
from (select text, problem, row_number() over () - 1 as position from batch)
where problem is null group by all
"""

_INSERT_BATCH = r"""
insert into landed_line
with parsed as (
    select load_id, line, text, problem, ends_file, fetched_at, try_cast(text as json) as record
    from batch join landed_file using (load_id)
),
extracted as (
    select
        load_id, line, text, problem, ends_file, fetched_at, record,
        -- One path list: the record is parsed once for all fields.
        json_extract(
            record, ['$.repository', '$.number', '$.created_at', '$.updated_at', '$.closed_at', '$.id']
        ) as field
    from parsed
),
fields as (
    select
        load_id, line, text, problem, ends_file, fetched_at, record,
        field[1] ->> '$' as repository,
        nullif(field[2]::varchar, 'null') as number_text,
        field[3] ->> '$' as created_text,
        field[4] ->> '$' as updated_text,
        field[5] ->> '$' as closed_text,
        field[6] ->> '$' as issue_id
    from extracted
),
typed as (
    select
        *,
        if(regexp_full_match(number_text, '[1-9]\d*'), try_cast(number_text as bigint), null) as number,
        utc_time(created_text) as created_at,
        utc_time(updated_text) as updated_at,
        utc_time(closed_text) as closed_at,
        -- GitHub has issues that were taken over from trackers of 1992, and none is older than the first day.
        $first_day::timestamp as first_time,
        fetched_at + to_days($grace_days::integer) as last_time
    from fields
)
select
    load_id, line, if(record is null, text, null) as text, record,
    repository, number, issue_id, created_at, updated_at,
    case
        when problem is not null then problem
        when record is null then 'not JSON'
        when not starts_with(text, '{') then 'JSON, but not an object'
        when repository is null then 'repository is missing'
        when not regexp_full_match(repository, '([a-z]+:)?[\w.-]*[\w-][\w.-]*/[\w.-]*[\w-][\w.-]*')
            then 'repository is not owner/name: ' || left(repository, 200)
        when number_text is null then 'number is missing'
        when number is null then 'number is not a positive integer: ' || left(number_text, 200)
        when created_text is null then 'created_at is missing'
        when created_at is null then 'created_at is not a time: ' || left(created_text, 200)
        when updated_text is not null and updated_at is null
            then 'updated_at is not a time: ' || left(updated_text, 200)
        when closed_text is not null and closed_at is null
            then 'closed_at is not a time: ' || left(closed_text, 200)
        when created_at < first_time then 'created_at is before ' || $first_day || ': ' || created_text
        when updated_at < first_time then 'updated_at is before ' || $first_day || ': ' || updated_text
        when closed_at < created_at
            then 'closed_at is before created_at: ' || closed_text || ' < ' || created_text
        when created_at > last_time then 'created_at is after the landing: ' || created_text
        when updated_at > last_time then 'updated_at is after the landing: ' || updated_text
        when closed_at > last_time then 'closed_at is after the landing: ' || closed_text
    end as reason,
    ends_file
from typed
"""


def check_lines(connection: duckdb.DuckDBPyConnection, files: Sequence[LandedFile]) -> None:
    """Fill the temporary tables `landed_file` and `landed_line` with the files and their records.

    A record that can be loaded has a repository, a number and no reason; any other has a reason.
    """
    connection.execute(_CREATE_TEMPORARY_TABLES)
    rows = [(_load_id(file), file.name, file.sha256, file.fetched_at) for file in files]
    _execute(connection, "insert into landed_file from batch", _as_table(rows, _FILES))
    bounds = {"first_day": FACTS["first_plausible_day"], "grace_days": FACTS["landing_grace_days"]}
    for batch in _ahead(_batches(files)):
        _execute(connection, _INSERT_BATCH, _in_plain_shape(connection, batch), bounds)


def _load_id(file: LandedFile) -> str:
    return file.sha256[:16]


def _in_plain_shape(connection: duckdb.DuckDBPyConnection, batch: list[tuple[Any, ...]]) -> pa.Table:
    """The batch as a table; other shapes are normalised, those that are not understood get a problem.

    Parsing every record in Python would take as long as all the rest; records have few different structures.
    """
    table = _as_table(batch, _BATCH)
    odd = [
        position
        for structure, positions in _execute(connection, _STRUCTURES, table)
        if structure is None or not _is_plain(structure)
        for position in positions
    ]
    if not odd:
        return table
    for position in odd:
        load_id, line, text, _, ends_file = batch[position]
        try:
            batch[position] = (load_id, line, normalise(text) or text, None, ends_file)
        except ShapeError as error:
            batch[position] = (load_id, line, text, str(error), ends_file)
    return _as_table(batch, _BATCH)


@lru_cache(maxsize=4096)
def _is_plain(structure: str) -> bool:
    return is_plain(json.loads(structure))


def _batches(files: Sequence[LandedFile]) -> Iterator[list[tuple[Any, ...]]]:
    rows: list[tuple[Any, ...]] = []
    characters = 0
    for file in files:
        for line in read_lines(file.path):
            rows.append((_load_id(file), *line))
            characters += len(line.text or "")
            if characters >= _BATCH_CHARACTERS:
                yield rows
                rows, characters = [], 0
    yield rows


def _ahead(batches: Iterator[list[tuple[Any, ...]]]) -> Iterator[list[tuple[Any, ...]]]:
    """One batch is read while DuckDB, which leaves Python to others, has the one before."""
    with ThreadPoolExecutor(max_workers=1) as reader:
        coming = reader.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = reader.submit(next, batches, None)
            yield batch


def _as_table(rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema
    )


def _execute(
    connection: duckdb.DuckDBPyConnection,
    statement: str,
    batch: pa.Table,
    parameters: Mapping[str, Any] | None = None,
) -> list[Any]:
    connection.register("batch", batch)
    try:
        return connection.execute(statement, parameters).fetchall()
    finally:
        connection.unregister("batch")
