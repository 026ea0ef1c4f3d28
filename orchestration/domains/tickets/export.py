"""What the warehouse holds, as files that a team can share: records, a flat table, the training data."""

import gzip
import hashlib
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import duckdb

from ml.store.files import move_into_place
from orchestration.domains.tickets.reading.file_kinds import EXPORTED_TICKETS, EXPORTED_TRAINING
from orchestration.domains.tickets.reading.shapes import normalise
from orchestration.store.landing import SourceError
from orchestration.store.warehouse import quoted

_ROWS = 1000
_NON_FINITE = re.compile(r"[:\[,]\s*-?(?:nan|inf)", re.IGNORECASE)

# A cell that begins like a formula is one for spreadsheets: a quote before it makes it a text.
_NO_FORMULAS = {"VARCHAR": r"if(regexp_matches({0}, '^[=+\-@\t\r]'), '''' || {0}, {0})"}
# JSON has no NaN and no infinities.
_FINITE = dict.fromkeys(("DOUBLE", "FLOAT"), "if(isfinite({0}), {0}, null)")

_RECORDS = """
select
    -- The record as it came, unless its repository was renamed since.
    case
        when issues.record ->> '$.repository' = issues.repository then issues.record::varchar
        else json_merge_patch(issues.record, json_object('repository', issues.repository))::varchar
    end as record
from raw.issues
left join raw.tombstones using (repository, number)
where issues.repository = ? and {alive}
order by number
"""
# An issue that was fetched after its tombstone has come back.
_ALIVE = "(tombstones.seen_at is null or issues.fetched_at > tombstones.seen_at)"

_TICKETS_RAW = f"""
with assignee as (
    select
        item_id,
        string_agg(assignee_login, ';' order by position) as assignees,
        min_by(assignee_login, position) as kept
    from staging.stg_github__assignee group by item_id
),
label as (
    select item_id, string_agg(label, ';' order by label) as labels
    from staging.stg_github__label group by item_id
),
assignment as (
    -- The last assignment of the assignee who is kept; without an event nobody knows.
    select event.item_id, max(event.created_at) as assigned_at
    from staging.stg_github__event as event
    join assignee on event.item_id = assignee.item_id and event.assignee_login = assignee.kept
    where event.event_type = 'assigned' group by event.item_id
)
select
    issue.item_id, issue.repository, issue.number, issue.github_id, issue.title, issue.body, issue.state,
    issue.state_reason, issue.author_login, issue.author_association, assignee.assignees, label.labels,
    issue.milestone_title, issue.comment_count, issue.created_at, assignment.assigned_at,
    if(assignment.assigned_at is null, null, 'event') as assigned_at_source, issue.closed_at,
    issue.updated_at, issues.source
from staging.stg_github__issue as issue
join raw.issues on issue.repository = issues.repository and issue.number = issues.number
left join raw.tombstones on issue.repository = tombstones.repository and issue.number = tombstones.number
left join assignee on issue.item_id = assignee.item_id
left join label on issue.item_id = label.item_id
left join assignment on issue.item_id = assignment.item_id
where not issue.is_pull_request and {_ALIVE}
order by issue.repository, issue.number
"""  # noqa: S608

_TICKETS_FINAL = """
select train.*, label.* exclude (item_id)
from training.train_tickets as train
join training.label_tickets as label using (item_id)
order by train.event_at, train.item_id
"""


def export(database: duckdb.DuckDBPyConnection, output: Path) -> dict[str, int]:
    """Write the corpus to a folder.

    - `owner__name.jsonl.gz` for each repository: the archive format, which `ISSUES_SOURCE=archive` reads;
    - `tickets_raw.csv`: one row per issue, cleaned, without pull requests;
    - `tickets_final.json.gz`: features, slices and labels, one object per issue and observation time.

    Issues that are gone from GitHub are left out: who deleted an issue does not want it to be shared. Each
    file appears whole or not at all.

    Parameters
    ----------
    database : duckdb.DuckDBPyConnection
        The pipeline's database.
    output : Path
        The folder; made when it is not there.

    Returns
    -------
    dict of str to int
        Rows per file.

    Raises
    ------
    SourceError
        If there is nothing to export, or the transformation has not run yet.
    """
    repositories = [
        name
        for (name,) in database.execute("select distinct repository from raw.issues order by all").fetchall()
    ]
    if not repositories:
        raise SourceError("There is nothing to export: run the pipeline first.")
    _require(database, "staging.stg_github__issue", "training.train_tickets", "training.label_tickets")
    output.mkdir(parents=True, exist_ok=True)
    rows = {}
    for repository in repositories:
        name = dump_name(repository)
        rows[name] = _write(output / name, partial(_write_records, database, repository))
    rows[EXPORTED_TICKETS] = _write(
        output / EXPORTED_TICKETS,
        partial(_copy, database, _TICKETS_RAW, _NO_FORMULAS, "format csv, header true"),
    )
    rows[EXPORTED_TRAINING] = _write(
        output / EXPORTED_TRAINING,
        partial(_copy, database, _TICKETS_FINAL, _FINITE, "format json, array true, compression gzip"),
    )
    return rows


def dump_name(repository: str) -> str:
    """Name of a repository's dump, which no other repository shares.

    `owner/name` gives `owner__name.jsonl.gz`; where other names would give the same, a hash tells them apart.
    """
    plain = repository.replace("/", "__").replace(":", "_")
    # An underscore of the name's own may look like one that stands for another character.
    if "_" in repository.partition("/")[0] or "/_" in repository or "__" in repository:
        plain += "." + hashlib.sha256(repository.encode()).hexdigest()[:8]
    return f"{plain}.jsonl.gz"


def _require(database: duckdb.DuckDBPyConnection, *relations: str) -> None:
    known = {
        f"{schema}.{table}"
        for schema, table in database.execute(
            "select table_schema, table_name from information_schema.tables"
        ).fetchall()
    }
    missing = [relation for relation in relations if relation not in known]
    if missing:
        raise SourceError(f"{', '.join(missing)} are not there yet: run the pipeline first (make run).")


def _write(target: Path, write: Callable[[Path], int]) -> int:
    temporary = target.with_name(f".{target.name}.partial")
    try:
        rows = write(temporary)
        move_into_place(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    return rows


def _write_records(database: duckdb.DuckDBPyConnection, repository: str, path: Path) -> int:
    count = 0
    found = database.execute(_RECORDS.format(alive=_ALIVE), [repository])
    # No time in the header: equal records have equal bytes.
    with path.open("wb") as file, gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0) as lines:
        while rows := found.fetchmany(_ROWS):
            count += len(rows)
            lines.write("".join(f"{_as_json(record)}\n" for (record,) in rows).encode())
    return count


def _as_json(record: str) -> str:
    """The record without NaN and infinities, which DuckDB takes for JSON and others do not."""
    return record if _NON_FINITE.search(record) is None else normalise(record) or record


def _copy(
    database: duckdb.DuckDBPyConnection, query: str, forms: Mapping[str, str], options: str, path: Path
) -> int:
    """Copy the rows of a query; `forms` is SQL for the columns of a type, with their name for `{0}`."""
    columns = ", ".join(
        f"{forms.get(kind, '{0}').format(quoted(name))} as {quoted(name)}"
        for name, kind, *_ in database.execute(f"describe {query}").fetchall()
    )
    target = str(path).replace("'", "''")
    statement = f"copy (select {columns} from ({query})) to '{target}' ({options})"  # noqa: S608
    copied = database.execute(statement).fetchone()
    return int(copied[0]) if copied else 0
