"""Several records of one issue become one: the newest, with the parts that others know better.

All orders are total and depend on nothing but the records, and of a part that was taken from another record
the origin is kept: so files may come in any order, in one load or in many, and the result is the same.
"""

import duckdb

# What a record may know although a newer one does not (null, or left out): kept whenever it was known.
_AT_ANY_TIME = (
    *("assignees", "author_association", "body", "comments_data", "events", "id", "labels", "pull_request"),
    *("title", "user"),
)
# On equal times the longer one of these is the richer one, and of the others the last fetched one is taken.
_LISTS = ("assignees", "comments_data", "events", "labels")
# What holds for the state in which it was seen only: kept from a record of the same time.
_AT_THE_SAME_TIME = ("closed_by", "comments", "locked", "milestone", "state_reason")

# DuckDB's json_group_object takes no order.
_OBJECT = """
create or replace temp macro object_of(name, value) as
    ('{' || string_agg('"' || name || '":' || value::varchar, ',' order by name) || '}')::json
"""

_NEWEST = "updated_at desc nulls last, fetched_at desc, file desc, line desc"

# Table `version`: the landed records and those in the warehouse that they meet. `moved` are rows of
# repositories that have got another name.
_COLLECT = """
create or replace temp table version as
select
    repository, number, issue_id, created_at, updated_at, fetched_at, file, line, load_id,
    $source as source, $loaded_at as loaded_at, null::json as kept
from landed_line join landed_file using (load_id) where reason is null
union all by name
select * exclude (record), null as load_id from moved
union all by name
select * exclude (record), null as load_id from raw.issues
where (repository, number) in (
    select (repository, number) from landed_line where reason is null
    union all select (repository, number) from moved
)
"""

_CHOOSE_NEWEST = f"""
create or replace temp table newest as
select *, count(*) over (partition by repository, number) as versions from version
qualify row_number() over (partition by repository, number order by {_NEWEST}) = 1
"""  # noqa: S608

# Of the issues with several records: the texts of all, and which parts come from elsewhere.
_MERGE = f"""
create or replace temp table merged as
with text as (
    select version.*, coalesce(landed_line.record, moved.record, issues.record) as record
    from version
    semi join (from newest where versions > 1) using (repository, number)
    left join landed_line using (load_id, line)
    left join moved
        on load_id is null and moved.repository = version.repository and moved.number = version.number
        and moved.file = version.file and moved.line = version.line
    left join raw.issues
        on load_id is null and issues.repository = version.repository and issues.number = version.number
        and issues.file = version.file and issues.line = version.line
),
part as (
    select
        repository, number, name,
        json_extract(record, '$.' || name) as value,
        json_extract(kept, '$.' || name) as origin,
        if(origin is null, updated_at, (origin ->> '$.updated_at')::timestamp) as updated_at,
        if(origin is null, fetched_at, (origin ->> '$.fetched_at')::timestamp) as fetched_at,
        if(origin is null, file, origin ->> '$.file') as file,
        if(origin is null, line, (origin ->> '$.line')::bigint) as line
    from text, unnest({[*_AT_ANY_TIME, *_AT_THE_SAME_TIME]}) as _(name)
),
best as (
    select part.* from part join newest using (repository, number)
    where part.value::varchar not in ('null', 'false')
        and (name in {_AT_ANY_TIME} or part.updated_at = newest.updated_at)
    qualify row_number() over (
        partition by repository, number, name
        order by
            part.updated_at desc nulls last,
            if(name in {_LISTS}, length(part.value::varchar), 0) desc,
            part.fetched_at desc, part.file desc, part.line desc
    ) = 1
),
foreign_part as (
    select
        repository, number,
        object_of(name, 'null') as removal,
        object_of(name, value) as patch,
        object_of(name, json_object(
            'updated_at', best.updated_at, 'fetched_at', best.fetched_at, 'file', best.file, 'line', best.line
        )) as kept
    from best join newest using (repository, number)
    where (best.file, best.line) <> (newest.file, newest.line)
    group by all
)
select
    repository, number,
    -- Removed first, so that the parts stand in the same order whenever they came.
    if(patch is null, text.record, json_merge_patch(text.record, removal, patch)) as record,
    foreign_part.kept
from text
join newest using (repository, number)
left join foreign_part using (repository, number)
where (text.file, text.line) = (newest.file, newest.line)
"""  # noqa: S608

_REPLACE = """
delete from raw.issues where (repository, number) in (select (repository, number) from newest);
insert into raw.issues by name
select
    newest.* exclude (load_id, versions, issue_id, kept),
    coalesce(merged.record, landed_line.record, moved.record) as record,
    coalesce(merged.record ->> '$.id', newest.issue_id) as issue_id,
    if(versions = 1, newest.kept, merged.kept) as kept
from newest
left join merged using (repository, number)
left join landed_line using (load_id, line)
left join moved
    on moved.repository = newest.repository and moved.number = newest.number and newest.versions = 1
"""


def merge_records(connection: duckdb.DuckDBPyConnection, source: str, loaded_at: object) -> None:
    """Put the landed records, and those in table `moved`, into raw.issues.

    Within the caller's transaction; leaves the temporary table `newest`, one row per issue that was written,
    with the `load_id` of the file that its newest record came with (null if it was there before).
    """
    connection.execute(_COLLECT, {"source": source, "loaded_at": loaded_at})
    for statement in (_OBJECT, _CHOOSE_NEWEST, _MERGE, _REPLACE):
        connection.execute(statement)
