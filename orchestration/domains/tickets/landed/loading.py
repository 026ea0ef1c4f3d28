"""Landed files into the raw tables, with an account of every record of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import duckdb

from orchestration.domains.tickets.landed.merging import merge_records
from orchestration.domains.tickets.landed.repository_names import settle_names
from orchestration.domains.tickets.reading.checking import TEMPORARY_TABLES, check_lines
from orchestration.store.landing import LandedFile, SourceError
from orchestration.store.warehouse import transaction

SAMPLE = "sample"

# Bytes, as landed, of the files that are loaded in one transaction. Its writes stay in memory until it
# commits: what a load needs depends on its groups, not on the size of the corpus. Each group is compared
# with all that is there, which takes most of the time where groups are many.
_GROUP_BYTES = 8 << 20

# Rows of before these columns were there.
_FILL_COLUMNS = """
update raw.issues set
    issue_id = record ->> '$.id',
    created_at = (record ->> '$.created_at')::timestamptz at time zone 'UTC'
where created_at is null
"""

_INSERT_REJECTED = """
insert into raw.rejected_records by name
select
    load_id, landed_file.file, landed_line.line, landed_line.reason,
    left(coalesce(landed_line.record::varchar, landed_line.text), 2000) as record, $loaded_at as rejected_at
from landed_line
join landed_file using (load_id)
where landed_line.reason is not null
order by landed_file.file, landed_line.line
"""

_INSERT_LOADS = """
insert into raw.loads by name
with line_count as (
    select
        load_id, count(*) as lines_read, count(reason) as rejected,
        -- Of a file that is cut, or of which nothing could be read: why.
        case
            when bool_or(ends_file) then arg_min(reason, line) filter (ends_file)
            when count(reason) = count(*)
                then 'nothing of it could be read: ' || mode(regexp_replace(reason, ': .*', ''))
        end as problem
    from landed_line group by load_id
),
loaded_count as (
    select load_id, count(*) as loaded from newest group by load_id
)
select
    load_id, $source as source, file, sha256, fetched_at, $loaded_at as loaded_at,
    coalesce(lines_read, 0) as lines_read,
    coalesce(loaded, 0) as loaded,
    coalesce(lines_read - rejected, 0) - coalesce(loaded, 0) as superseded,
    coalesce(rejected, 0) as rejected,
    problem, true as is_current
from landed_file
left join line_count using (load_id)
left join loaded_count using (load_id)
order by file
returning file, lines_read, loaded, superseded, rejected, problem
"""


@dataclass(frozen=True)
class FileLoad:
    """The account of one file: `lines_read` = `loaded` + `superseded` + `rejected`.

    `problem` says why nothing of it, or nothing from some record on, could be read.
    """

    file: str
    lines_read: int
    loaded: int
    superseded: int
    rejected: int
    problem: str | None = None


@dataclass(frozen=True)
class LoadReport:
    """What one call of `load_landed` did.

    Parameters
    ----------
    files : tuple of FileLoad
        The files loaded now.
    files_skipped : int
        Files whose content had been loaded before.
    synthetic_removed : int
        Synthetic issues removed to make room for real ones.
    copies : mapping of str to str
        Files with the content of another one, which alone is accounted for.
    """

    files: tuple[FileLoad, ...]
    files_skipped: int
    synthetic_removed: int
    copies: Mapping[str, str] = field(default_factory=dict)

    @property
    def lines_read(self) -> int:
        """Lines in the files loaded now; blank lines are none."""
        return sum(file.lines_read for file in self.files)

    @property
    def loaded(self) -> int:
        """Lines that became, or replaced, a row."""
        return sum(file.loaded for file in self.files)

    @property
    def superseded(self) -> int:
        """Lines of which a newer version is in the table."""
        return sum(file.superseded for file in self.files)

    @property
    def rejected(self) -> int:
        """Lines in `raw.rejected_records`."""
        return sum(file.rejected for file in self.files)


def load_landed(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[LandedFile],
    *,
    source: str,
    loaded_at: datetime | None = None,
) -> LoadReport:
    """Load landed files into the raw tables, a group of files in one transaction: a file is loaded or is not.

    A load that was killed goes on with the groups that are left, and ends in the same tables. Of the
    records of one issue the newest stays: by `updated_at`, then by the landing time, then by file name and
    line; it takes over what it lacks and another one has. A file whose content was loaded before is skipped:
    the same files twice change nothing. Rows of a repository that came under several names go under the one
    that its newest record has.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        As `open_pipeline_database` gives it.
    files : sequence of LandedFile
        What the source landed.
    source : str
        The source's name. Synthetic and real issues never share a warehouse: any source but `sample` first
        removes what `sample` loaded.
    loaded_at : datetime, optional
        Time to record (UTC, naive); now, when left out.

    Raises
    ------
    SourceError
        If `source` is `sample` and the warehouse holds real issues.
    """
    if source == SAMPLE:
        _refuse_beside_real_issues(connection)
    connection.execute(_FILL_COLUMNS)
    new_files = _not_yet_loaded(connection, files, source)
    # Before anything is compared: what landed under a former name is the same issue.
    renames = dict(rename for file in files for rename in file.renames)
    loaded_at = loaded_at or datetime.now(UTC).replace(tzinfo=None)
    removed, loads = 0, []
    for group in _groups(new_files):
        check_lines(connection, group)
        try:
            with transaction(connection):
                if source != SAMPLE:
                    removed += _remove_synthetic(connection)
                _mark_current(connection, files)
                settle_names(connection, renames, loaded_at)
                loads += _load_checked(connection, source, loaded_at)
        finally:
            for table in (*TEMPORARY_TABLES, "moved", "version", "newest", "merged"):
                connection.execute(f"drop table if exists temp.{table}")
    accounted = dict(connection.execute("select sha256, file from raw.loads").fetchall())
    return LoadReport(
        files=tuple(loads),
        files_skipped=len(files) - len(new_files),
        synthetic_removed=removed,
        copies={file.name: first for file in files if (first := accounted[file.sha256]) != file.name},
    )


def rejection_reasons(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, int, str]]:
    """Why records of the present files were rejected: reason, number, the first; the commonest first."""
    return connection.execute(
        """
        select
            regexp_replace(reason, ': .*', '', 's') as reason,
            count(*) as records,
            arg_min(rejected_records.file || ':' || line, (rejected_records.file, line)) as first
        from raw.rejected_records join raw.loads using (load_id)
        where is_current group by all order by records desc, reason limit 20
        """
    ).fetchall()


def _groups(files: Sequence[LandedFile]) -> Iterator[list[LandedFile]]:
    """Cut the files into groups of about the same size; without any file there is still one, empty group."""
    group: list[LandedFile] = []
    size = 0
    for file in files:
        group.append(file)
        size += file.path.stat().st_size
        if size >= _GROUP_BYTES:
            yield group
            group, size = [], 0
    yield group


def _load_checked(connection: duckdb.DuckDBPyConnection, source: str, loaded_at: datetime) -> list[FileLoad]:
    """Take the checked lines up into the raw tables; the account of their files."""
    now = {"loaded_at": loaded_at}
    merge_records(connection, source, loaded_at)
    connection.execute(_INSERT_REJECTED, now)
    accounts = connection.execute(_INSERT_LOADS, {"source": source, **now}).fetchall()
    return [FileLoad(*account) for account in accounts]


def _refuse_beside_real_issues(connection: duckdb.DuckDBPyConnection) -> None:
    found = connection.execute(
        "select any_value(source), count(*) from raw.issues where source <> ?", [SAMPLE]
    ).fetchone()
    if found and found[1]:
        raise SourceError(
            f"This warehouse holds {found[1]:,} real records (source {found[0]}); synthetic ones never join"
            " them: set WAREHOUSE_DIR to another folder to run the sample."
        )


def _not_yet_loaded(
    connection: duckdb.DuckDBPyConnection, files: Sequence[LandedFile], source: str
) -> list[LandedFile]:
    # What the sample loaded does not count for a real source, which is about to remove it.
    loaded = connection.execute(
        "select sha256 from raw.loads where (source = $sample) = ($source = $sample)",
        {"sample": SAMPLE, "source": source},
    ).fetchall()
    seen = {sha256 for (sha256,) in loaded}
    new_files = []
    # Sorted, so that of two files with the same content it is always the same one that counts.
    for file in sorted(files, key=lambda file: file.name):
        if file.sha256 not in seen:
            seen.add(file.sha256)
            new_files.append(file)
    return new_files


def _mark_current(connection: duckdb.DuckDBPyConnection, files: Sequence[LandedFile]) -> None:
    """What was read of files that are not there any more is history; only the others are judged."""
    connection.execute(
        "update raw.loads set is_current = sha256 in (select unnest($present::varchar[]))",
        {"present": [file.sha256 for file in files]},
    )


def _remove_synthetic(connection: duckdb.DuckDBPyConnection) -> int:
    loads = "select load_id from raw.loads where source = ?"
    connection.execute(f"delete from raw.rejected_records where load_id in ({loads})", [SAMPLE])  # noqa: S608
    connection.execute("delete from raw.loads where source = ?", [SAMPLE])
    removed = connection.execute("delete from raw.issues where source = ?", [SAMPLE]).fetchone()
    return int(removed[0]) if removed else 0
