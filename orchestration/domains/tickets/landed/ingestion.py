"""Raw issues: from the configured source, through landing files, into the raw tables."""

from collections.abc import Sequence
from typing import Any

import dagster as dg
from pydantic import Field

from orchestration.defs.automation.freshness import DAILY
from orchestration.defs.executor import HOLDS_DATABASE
from orchestration.defs.forwarding import forwarded
from orchestration.defs.metadata import short
from orchestration.defs.resources import Project
from orchestration.domains.tickets.landed.loading import SAMPLE, LoadReport, load_landed, rejection_reasons
from orchestration.domains.tickets.landed.repository_changes import replace_tombstones
from orchestration.domains.tickets.sources import Source, SourceError, get_source


class IssuesConfig(dg.Config):
    """What a run of `raw_issues` fetches; only the source `github` heeds it."""

    repositories: list[str] = Field(
        default=[], description="As owner/name; those of GITHUB_REPOS if empty. Only `github` heeds it."
    )
    full_refresh: bool = Field(
        default=False, description="Fetch everything again instead of what changed; only of `github`."
    )
    sweep: bool = Field(
        default=False, description="Look for issues that are gone (deleted, transferred), too."
    )


@dg.asset(group_name="ingestion", kinds={"duckdb"}, op_tags=HOLDS_DATABASE, freshness_policy=DAILY)
def raw_issues(
    context: dg.AssetExecutionContext, config: IssuesConfig, project: Project
) -> dg.MaterializeResult:
    """One row per issue and pull request, with the whole record; rejected lines keep their reason."""
    settings = project.settings()
    source = get_source(settings, **config.model_dump())
    with forwarded("orchestration.domains.tickets.sources", context.log):
        files = source.land(settings.landing_dir)
    with project.database() as database:
        report = load_landed(database, files, source=source.name)
        gone = source.tombstones(settings.landing_dir)
        if gone is not None:
            replace_tombstones(database, gone)
        rows, repositories = database.sql(
            "select count(*), count(distinct repository) from raw.issues"
        ).fetchall()[0]
        reasons = rejection_reasons(database)
    if report.synthetic_removed:
        context.log.info("Dropped %d synthetic issues: real ones take their place.", report.synthetic_removed)
    if source.name == SAMPLE:
        context.log.warning("These are synthetic issues: they show that it works, no more.")
    metadata = {
        "dagster/row_count": rows,
        "repositories": repositories,
        "source": "sample: synthetic issues, not real ones" if source.name == SAMPLE else source.name,
        **{f"settings_{name}": value for name, value in settings.described().items()},
        **_account(report),
        **({} if gone is None else {"tombstones": len(gone)}),
        **{
            name: dg.MetadataValue.md(fact) if isinstance(fact, str) and "\n" in fact else fact
            for name, fact in source.facts().items()
        },
    }
    if report.copies:
        metadata["copies"] = dg.MetadataValue.md(
            _table("file | has the content of", [*report.copies.items()])
        )
    for file in report.files:
        if file.problem:
            context.log.error("%s: %s", file.file, file.problem)
    if source.failures:
        # What has landed is loaded; the asset fails all the same, since something is missing.
        raise dg.Failure(" ".join(source.failures), metadata=metadata, allow_retries=False)
    if not rows:
        raise SourceError(_nothing_loaded(source, report, reasons))
    return dg.MaterializeResult(metadata=metadata)


@dg.asset_check(
    asset="raw_issues",
    description="Records that could not be loaded, of all in the files that the source has now. It fails "
    "above the set share and does not block: what was loaded before stays, and all others are whole.",
    op_tags=HOLDS_DATABASE,
)
def rejected_records(project: Project) -> dg.AssetCheckResult:
    """Warn when a record was rejected; fail above the set share, and for a file that cannot be read."""
    limit = project.settings().rejected_share_limit
    with project.database() as database:
        read, rejected = database.sql(
            "select coalesce(sum(lines_read), 0), coalesce(sum(rejected), 0) from raw.loads where is_current"
        ).fetchall()[0]
        unreadable = database.sql(
            "select file, problem from raw.loads where is_current and problem is not null order by file"
        ).fetchall()
        reasons = rejection_reasons(database)
    share = float(rejected / read) if read else 0.0
    failed = share > limit or unreadable
    return dg.AssetCheckResult(
        passed=rejected == 0,
        severity=dg.AssetCheckSeverity.ERROR if failed else dg.AssetCheckSeverity.WARN,
        description="; ".join(f"{file}: {problem}" for file, problem in unreadable[:5]) or None,
        metadata={
            "rejected": int(rejected),
            "share": short(share),
            "limit": limit,
            "unreadable_files": dg.MetadataValue.md(_table("file | why", unreadable)),
            "reasons": dg.MetadataValue.md(_table("reason | records | first", reasons)),
        },
    )


def _table(head: str, rows: Sequence[Sequence[Any]]) -> str:
    columns = head.count("|") + 1
    lines = [f"| {head} |", "|---" * columns + "|"]
    return "\n".join(lines + [f"| {' | '.join(map(str, row))} |" for row in rows])


def _nothing_loaded(source: Source, report: LoadReport, reasons: Sequence[tuple[str, int, str]]) -> str:
    said = f"The source {source.name} brought no issue that could be loaded"
    if not reasons:
        return f"{said}: there is none in its files. Choose another folder or repository."
    reason, records, first = reasons[0]
    return (
        f"{said}. The commonest reason, of {records:,} records: {reason} (first {first}); all of them are in"
        " raw.rejected_records."
    )


def _account(report: LoadReport) -> dict[str, Any]:
    """Every line read is loaded, superseded or rejected."""
    return {
        "files_loaded": len(report.files),
        "files_skipped": report.files_skipped,
        "lines_read": report.lines_read,
        "loaded": report.loaded,
        "superseded": report.superseded,
        "rejected": report.rejected,
        "synthetic_removed": report.synthetic_removed,
    }
