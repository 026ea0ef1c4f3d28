"""Raw issues: from the configured source, through landing files, into the raw tables."""

from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
from pydantic import Field

from orchestration.defs.forwarding import forwarded
from orchestration.defs.resources import Project
from orchestration.domains.tickets.loading import SAMPLE, LoadReport, load_landed
from orchestration.domains.tickets.repository_changes import replace_tombstones
from orchestration.domains.tickets.sources import Source, SourceError, get_source
from orchestration.settings import Settings


class IssuesConfig(dg.Config):
    """What a run of `raw_issues` fetches; only the source `github` heeds it.

    repositories: `owner/name` each; those of GITHUB_REPOS when left out.
    full_refresh: fetch everything again instead of what changed.
    sweep: look for issues that are gone, too.
    """

    repositories: list[str] = Field(default_factory=list)
    full_refresh: bool = False
    sweep: bool = False


@dg.asset(group_name="ingestion", kinds={"duckdb"})
def raw_issues(
    context: dg.AssetExecutionContext, config: IssuesConfig, project: Project
) -> dg.MaterializeResult:
    """One row per issue and pull request, with the whole record; rejected lines keep their reason."""
    settings = project.settings()
    source = get_source(
        settings.issues_source,
        archive=settings.issues_archive,
        secondary=settings.archive_secondary,
        github=_github_options(settings, config),
    )
    with forwarded("orchestration.domains.tickets.sources", context.log):
        files = source.land(settings.landing_dir)
    with project.database() as database:
        live = _load_tombstones(database, source, settings.landing_dir)
        report = load_landed(database, files, source=source.name)
        rows, repositories = database.sql(
            "select count(*), count(distinct repository) from raw.issues"
        ).fetchall()[0]
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
        **live,
    }
    if failures := getattr(source, "failures", []):
        # What has landed is loaded; the asset fails all the same, since something is missing.
        raise dg.Failure(" ".join(failures), metadata=metadata, allow_retries=False)
    if not rows:
        raise SourceError(
            f"The source {source.name} brought no issue that could be loaded ({report.rejected} of "
            f"{report.lines_read} lines were rejected): see raw.rejected_records, or choose another folder."
        )
    return dg.MaterializeResult(metadata=metadata)


@dg.asset_check(asset="raw_issues", description="Lines that could not be loaded, of all lines ever read.")
def rejected_records(project: Project) -> dg.AssetCheckResult:
    """Warn when a line was rejected; fail above the configured share."""
    limit = project.settings().rejected_share_limit
    with project.database() as database:
        read, rejected = database.sql(
            "select coalesce(sum(lines_read), 0), coalesce(sum(rejected), 0) from raw.loads"
        ).fetchall()[0]
        reasons = database.sql(
            """
            select
                regexp_replace(reason, ': .*', '') as reason,
                count(*) as records,
                min(file || ':' || line) as first
            from raw.rejected_records group by all order by records desc, reason limit 20
            """
        ).fetchall()
    share = float(rejected / read) if read else 0.0
    return dg.AssetCheckResult(
        passed=rejected == 0,
        severity=dg.AssetCheckSeverity.ERROR if share > limit else dg.AssetCheckSeverity.WARN,
        metadata={
            "rejected": int(rejected),
            "share": share,
            "limit": limit,
            "reasons": dg.MetadataValue.md(
                "\n".join(
                    ["| reason | records | first |", "|---|---|---|"]
                    + [f"| {reason} | {records} | {first} |" for reason, records, first in reasons]
                )
            ),
        },
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


def _github_options(settings: Settings, config: IssuesConfig) -> dict[str, Any]:
    return {
        "tokens": settings.github_tokens,
        "repositories": tuple(config.repositories) or settings.github_repositories,
        "api_url": settings.github_api_url,
        "budget_seconds": settings.github_budget_seconds,
        "full_refresh": config.full_refresh,
        "is_sweep": config.sweep,
    }


def _load_tombstones(
    database: duckdb.DuckDBPyConnection, source: Source, landing_dir: Path
) -> dict[str, Any]:
    """Issues that are gone from a live source, into the raw tables; its report as metadata."""
    if source.name != "github":
        return {}
    from orchestration.domains.tickets.sources.github import GitHubSource

    assert isinstance(source, GitHubSource)
    gone = replace_tombstones(database, source.tombstones(landing_dir))
    return {
        "tombstones": gone,
        "requests": sum(report.requests for report in source.reports),
        "points": sum(report.points for report in source.reports),
        "state_per_repository": dg.MetadataValue.md(source.reports_table()),
    }
