"""Which names are of one repository, and which of them it has now."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import duckdb

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

_NAMES = """
select distinct repository from landed_line where reason is null
union select distinct repository from raw.issues
"""

# Issues of one number that are different ones: their repository's name was given to another repository. The
# one whose issue is older had the name first and keeps it; of the other nothing is taken from that file.
_CLASHES = """
create or replace temp table clash as
with named as (
    select unnest($spellings::varchar[]) as repository, unnest($groups::integer[]) as name_group
),
landed as (
    select name_group, repository, number, issue_id, created_at, file, line
    from landed_line join landed_file using (load_id) join named using (repository)
    where reason is null and issue_id is not null
),
identified as (
    from landed
    union all
    select name_group, repository, number, issue_id, created_at, file, line
    from raw.issues join named using (repository)
    where issue_id is not null and (name_group, number) in (select (name_group, number) from landed)
),
doubtful as (
    select name_group, number from identified group by all
    having count(distinct issue_id) > 1 and count(distinct created_at) > 1
)
select
    later.repository, later.file, earlier.file = later.file as within_file, later.line,
    printf(
        'the name belongs to another repository: number %d of %s, created %s, is an issue of %s elsewhere;'
        || ' load it with another WAREHOUSE_DIR',
        later.number, later.repository, strftime(later.created_at, '%Y-%m-%d'),
        strftime(earlier.created_at, '%Y-%m-%d')
    ) as reason
from identified as later
semi join doubtful using (name_group, number)
join identified as earlier
    on later.name_group = earlier.name_group and later.number = earlier.number
    and later.issue_id <> earlier.issue_id and later.created_at > earlier.created_at
"""

_REFUSE = (
    """
    create or replace temp table refused as
    select repository, file, if(within_file, line, null) as line, min(reason) as reason
    from clash group by all
    """,
    """
    update landed_line set reason = refused.reason
    from refused, landed_file
    where landed_line.load_id = landed_file.load_id and landed_line.reason is null
        and refused.repository = landed_line.repository and refused.file = landed_file.file
        and coalesce(refused.line = landed_line.line, true)
    """,
    # Rows that are in the warehouse already and belong to the later repository leave it, for the same reason.
    """
    create or replace temp table evicted as
    select issues.file, issues.line, issues.record, loads.load_id, min(refused.reason) as reason
    from raw.issues
    join refused on refused.repository = issues.repository and refused.file = issues.file
        and coalesce(refused.line = issues.line, true)
    join raw.loads on loads.file = issues.file
    group by all
    """,
    "delete from raw.issues where (file, line) in (select (file, line) from evicted)",
    """
    insert into raw.rejected_records by name
    select load_id, file, line, reason, left(record::varchar, 2000) as record, $loaded_at as rejected_at
    from evicted
    """,
    """
    update raw.loads set loaded = loaded - gone.count, rejected = rejected + gone.count
    from (select load_id, count(*) as count from evicted group by all) as gone
    where loads.load_id = gone.load_id
    """,
    "drop table refused",
    "drop table evicted",
)

# What the newest record calls its repository is the present name.
_NEWEST_NAME = """
select repository from (
    select repository, updated_at, fetched_at, file, line
    from landed_line join landed_file using (load_id) where reason is null
    union all select repository, updated_at, fetched_at, file, line from raw.issues
)
where list_contains($spellings, repository)
order by updated_at desc nulls last, fetched_at desc, file desc, line desc limit 1
"""

_RENAME = (
    """
    update landed_line set repository = $present
    where list_contains($spellings, repository) and repository <> $present
    """,
    """
    insert into moved by name select * replace ($present as repository) from raw.issues
    where list_contains($spellings, repository) and repository <> $present
    """,
    "delete from raw.issues where list_contains($spellings, repository) and repository <> $present",
)

_REMEMBER = (
    "delete from raw.repository_names where list_contains($names, name)",
    """
    insert into raw.repository_names
    select name, $present from (select unnest($names) as name) where name <> lower($present)
    """,
)


def settle_names(
    connection: duckdb.DuckDBPyConnection, renames: Mapping[str, str], loaded_at: datetime
) -> None:
    """Give every repository one name, within the caller's transaction: the one that its newest record has.

    Names are of the same repository if they differ in case only, if records of the same issue came under
    both, if they once were, or if the source says so. Records of a repository that has got the name of
    another one are refused, as the live source does: their issues would be mixed. Landed records are renamed
    in place; rows of raw.issues that have to move are put into the temporary table `moved`, and deleted.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        As `open_pipeline_database` gives it, with the tables of `check_lines`.
    renames : mapping
        Former name -> present name, where the source knows.
    loaded_at : datetime
        Time to record for what is refused.
    """
    connection.execute("create or replace temp table moved as from raw.issues limit 0")
    spellings: dict[str, set[str]] = {}
    for (name,) in connection.execute(_NAMES).fetchall():
        spellings.setdefault(name.lower(), set()).add(name)
    aliases = connection.execute("select name, repository from raw.repository_names").fetchall()
    pairs = [*aliases, *renames.items(), *connection.execute(_SHARED).fetchall()]
    groups = _groups([(one.lower(), other.lower()) for one, other in pairs], set(spellings))
    spelled = [sorted(each for name in group for each in spellings.get(name, ())) for group in groups]
    _refuse_reused(connection, spelled, loaded_at)
    told = {name.lower(): name for name in renames.values()}
    for group, names in zip(groups, spelled, strict=True):
        if len(names) > 1 or (names and group & told.keys()):
            newest = connection.execute(_NEWEST_NAME, {"spellings": names}).fetchone()
            present = next((told[name] for name in sorted(group & told.keys())), newest and newest[0])
            for statement in _RENAME if present else ():
                connection.execute(statement, {"spellings": names, "present": present})
            for statement in _REMEMBER if present and len(group) > 1 else ():
                given = {"names": sorted(group), "present": present}
                connection.execute(statement, {key: given[key] for key in given if f"${key}" in statement})


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


def _refuse_reused(
    connection: duckdb.DuckDBPyConnection, groups: list[list[str]], loaded_at: datetime
) -> None:
    of = [(name, index) for index, names in enumerate(groups) for name in names]
    connection.execute(
        _CLASHES, {"spellings": [name for name, _ in of], "groups": [index for _, index in of]}
    )
    if connection.execute("select count(*) from clash").fetchall()[0][0]:
        for statement in _REFUSE:
            connection.execute(statement, {"loaded_at": loaded_at} if "$loaded_at" in statement else None)
    connection.execute("drop table clash")
