"""Landed lines into temporary tables: each becomes a typed row, or gets the reason why it cannot."""

from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from orchestration.domains.tickets.lines import read_lines
from orchestration.store.landing import LandedFile

TEMPORARY_TABLES = ("landed_file", "landed_line")

# Text of one batch on its way from Python to DuckDB: bounds the memory, whatever the size of a file.
# Much more or much less takes longer.
_BATCH_CHARACTERS = 4 << 20
_BATCH = pa.schema({"load_id": pa.string(), "line": pa.int64(), "text": pa.string(), "problem": pa.string()})
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
    text varchar,
    repository varchar,
    number bigint,
    updated_at timestamp,
    reason varchar
);
-- DuckDB reads more than ISO 8601 ('infinity', years BC), and a cast straight to timestamp drops the offset.
create or replace temp macro utc_time(text) as
    if(
        regexp_full_match(text, '\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?\s?(Z|[+-]\d\d(:?\d\d)?)?)?'),
        try_cast(text as timestamptz) at time zone 'UTC',
        null
    );
"""

_INSERT_BATCH = r"""
insert into landed_line
with parsed as (
    select load_id, line, text, problem, try_cast(text as json) as record
    from batch
),
extracted as (
    select
        load_id, line, text, problem,
        record is not null as is_json,
        starts_with(text, '{') as is_object,
        -- One path list: the record is parsed once for all fields.
        json_extract(
            record, ['$.repository', '$.number', '$.created_at', '$.updated_at', '$.closed_at']
        ) as field
    from parsed
),
fields as (
    select
        load_id, line, text, problem, is_json, is_object,
        field[1] ->> '$' as repository,
        nullif(field[2]::varchar, 'null') as number_text,
        field[3] ->> '$' as created_text,
        field[4] ->> '$' as updated_text,
        field[5] ->> '$' as closed_text
    from extracted
),
typed as (
    select
        *,
        if(regexp_full_match(number_text, '[1-9]\d*'), try_cast(number_text as bigint), null) as number,
        utc_time(created_text) as created_at,
        utc_time(updated_text) as updated_at,
        utc_time(closed_text) as closed_at
    from fields
)
select
    load_id, line, text, repository, number, updated_at,
    case
        when problem is not null then problem
        when not is_json then 'not JSON'
        when not is_object then 'JSON, but not an object'
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
        when closed_at < created_at
            then 'closed_at is before created_at: ' || closed_text || ' < ' || created_text
    end as reason
from typed
"""


def check_lines(connection: duckdb.DuckDBPyConnection, files: Sequence[LandedFile]) -> None:
    """Fill the temporary tables `landed_file` and `landed_line` with the files and their lines.

    A line that can be loaded has a repository, a number and no reason; any other has a reason.
    """
    connection.execute(_CREATE_TEMPORARY_TABLES)
    rows = [(_load_id(file), file.name, file.sha256, file.fetched_at) for file in files]
    _execute(connection, "insert into landed_file from batch", _as_table(rows, _FILES))
    for batch in _batches(files):
        _execute(connection, _INSERT_BATCH, batch)


def _load_id(file: LandedFile) -> str:
    return file.sha256[:16]


def _batches(files: Sequence[LandedFile]) -> Iterator[pa.Table]:
    rows: list[tuple[Any, ...]] = []
    characters = 0
    for file in files:
        for line in read_lines(file.path):
            rows.append((_load_id(file), *line))
            characters += len(line.text or "")
            if characters >= _BATCH_CHARACTERS:
                yield _as_table(rows, _BATCH)
                rows, characters = [], 0
    yield _as_table(rows, _BATCH)


def _as_table(rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema
    )


def _execute(connection: duckdb.DuckDBPyConnection, statement: str, batch: pa.Table) -> None:
    connection.register("batch", batch)
    connection.execute(statement)
    connection.unregister("batch")
