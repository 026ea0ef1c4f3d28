"""What happens to repositories and issues beside new records: names change, and issues go away."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import duckdb

from orchestration.store.warehouse import transaction

# The same identifier, number and time of creation: the same issue, whatever its repository is called. All
# three, since some archives have made up identifiers of their own.
_SHARED = """
with landed as (
    select distinct repository, number, issue_id, created_at from landed_line
    where reason is null and issue_id is not null
),
known as (
    select repository, number, issue_id, created_at from raw.issues
    union all select repository, number, issue_id, created_at from landed
)
select distinct landed.repository, known.repository
from landed join known using (issue_id, number, created_at)
where landed.repository <> known.repository
"""

_LANDED_NAMES = "select distinct repository from landed_line where reason is null"

# The newest record of each name: what it calls its repository is the present name.
_NEWEST_OF_NAME = """
select repository from (
    select repository, updated_at, fetched_at, file, line
    from landed_line join landed_file using (load_id) where reason is null
    union all select repository, updated_at, fetched_at, file, line from raw.issues
)
where lower(repository) in (select unnest($names::varchar[]))
order by updated_at desc nulls last, fetched_at desc, file desc, line desc limit 1
"""

_RENAME = """
update landed_line set repository = $present
where lower(repository) in (select unnest($names::varchar[])) and repository <> $present
"""

_MOVE = """
insert into moved by name select * replace ($present as repository) from raw.issues
where lower(repository) in (select unnest($names::varchar[])) and repository <> $present
"""

_FORGET = "delete from raw.repository_names where name in (select unnest($names::varchar[]))"
_REMEMBER = """
insert into raw.repository_names
select name, $present from (select unnest($names::varchar[]) as name) where name <> lower($present)
"""

# Issues of one number that are different ones: their repository's name was given to another repository. The
# one whose issue is older had the name first and keeps it; of the other nothing is taken from that file.
_CLASHES = """
create or replace temp table clash as
with identified as (
    select
        landed_file.file, line, repository, number, issue_id, created_at
    from landed_line join landed_file using (load_id) where reason is null and issue_id is not null
    union all
    select file, line, repository, number, issue_id, created_at from moved where issue_id is not null
    union all
    select file, line, repository, number, issue_id, created_at from raw.issues
    where issue_id is not null and (repository, number) in (
        select (repository, number) from landed_line where reason is null
        union all select (repository, number) from moved
    )
),
doubtful as (
    select repository, number from identified group by all
    having count(distinct issue_id) > 1 and count(distinct created_at) > 1
)
select
    later.repository, later.file, later.line, earlier.file = later.file as within_file,
    printf(
        'the name belongs to another repository: number %d of %s, created %s, is an issue of %s elsewhere;'
        || ' load it with another WAREHOUSE_DIR',
        later.number, later.repository, strftime(later.created_at, '%Y-%m-%d'),
        strftime(earlier.created_at, '%Y-%m-%d')
    ) as reason
from identified as later
semi join doubtful using (repository, number)
join identified as earlier
    on later.repository = earlier.repository and later.number = earlier.number
    and later.issue_id <> earlier.issue_id
    and (later.created_at, later.issue_id) > (earlier.created_at, earlier.issue_id)
    and later.created_at <> earlier.created_at
"""

_REFUSE_LANDED = """
update landed_line set reason = clash.reason
from (
    select repository, file, if(within_file, line, null) as line, min(reason) as reason
    from clash group by all
) as clash, landed_file
where landed_line.load_id = landed_file.load_id and landed_line.reason is null
    and clash.repository = landed_line.repository and clash.file = landed_file.file
    and (clash.line is null or clash.line = landed_line.line)
"""

# Rows that are in the warehouse already and belong to the later repository leave it, with the same reason.
_EVICTED = """
create or replace temp table evicted as
select
    rows.repository, rows.number, rows.file, rows.line, rows.record, loads.load_id,
    min(clash.reason) as reason
from {table} as rows join clash on clash.repository = rows.repository and clash.file = rows.file
    and (not clash.within_file or clash.line = rows.line)
join raw.loads on loads.file = rows.file
group by all;
delete from {table} as rows where (repository, number) in (select (repository, number) from evicted);
insert into raw.rejected_records by name
select load_id, file, line, reason, left(record::varchar, 2000) as record, $loaded_at as rejected_at
from evicted;
update raw.loads set loaded = loaded - gone.count, rejected = rejected + gone.count
from (select load_id, count(*) as count from evicted group by all) as gone where loads.load_id = gone.load_id;
drop table evicted
"""


def settle_names(connection: duckdb.DuckDBPyConnection, renames: Mapping[str, str]) -> None:
    """Give every repository one name, within the caller's transaction: the one that its newest record has.

    Names are of the same repository if they differ in case only, if records of the same issue came under
    both, if they once were, or if the source says so. Landed records are renamed in place; rows of
    raw.issues that have to move are put into the temporary table `moved`, and deleted.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        As `open_pipeline_database` gives it, with the tables of `check_lines`.
    renames : mapping
        Former name -> present name, where the source knows.
    """
    connection.execute("create or replace temp table moved as from raw.issues limit 0")
    landed = [name for (name,) in connection.execute(_LANDED_NAMES).fetchall()]
    stored = [name for (name,) in connection.execute("select distinct repository from raw.issues").fetchall()]
    aliases = dict(connection.execute("select name, repository from raw.repository_names").fetchall())
    present_by_source = {name.lower(): name for name in renames.values()}
    pairs = [*aliases.items(), *renames.items(), *connection.execute(_SHARED).fetchall()]
    groups = _groups(
        [(one.lower(), other.lower()) for one, other in pairs], {*map(str.lower, [*landed, *stored])}
    )
    spelled: dict[str, set[str]] = {}
    for name in (*landed, *stored):
        spelled.setdefault(name.lower(), set()).add(name)
    for group in groups:
        spellings = {spelling for name in group for spelling in spelled.get(name, ())}
        names = {"names": sorted(group)}
        told = next((present_by_source[name] for name in sorted(group) if name in present_by_source), None)
        if not spellings or (len(spellings) == 1 and told is None):
            continue
        newest = connection.execute(_NEWEST_OF_NAME, names).fetchone()
        assert newest
        present = {**names, "present": told or newest[0]}
        connection.execute(_RENAME, present)
        connection.execute(_MOVE, present)
        if len(group) > 1:
            connection.execute(_FORGET, names)
            connection.execute(_REMEMBER, present)
    connection.execute(
        "delete from raw.issues where (file, line, number) in (select (file, line, number) from moved)"
    )


def _groups(pairs: Iterable[tuple[str, str]], names: set[str]) -> list[set[str]]:
    """The names, those together that pairs connect."""
    group_of = {name: {name} for name in names}
    for one, other in pairs:
        first, second = group_of.setdefault(one, {one}), group_of.setdefault(other, {other})
        if first is not second:
            first |= second
            for name in second:
                group_of[name] = first
    return list({id(group): group for group in group_of.values()}.values())


def refuse_reused_names(connection: duckdb.DuckDBPyConnection, loaded_at: datetime) -> None:
    """Refuse the records of a repository that has got the name of another one, in the caller's transaction.

    As the live source does: their issues would be mixed. After `settle_names`.
    """
    connection.execute(_CLASHES)
    if connection.execute("select count(*) from clash").fetchall()[0][0]:
        connection.execute(_REFUSE_LANDED)
        for table in ("raw.issues", "moved"):
            for statement in _EVICTED.format(table=table).split(";"):
                connection.execute(statement, {"loaded_at": loaded_at} if "$loaded_at" in statement else None)
    connection.execute("drop table clash")


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
