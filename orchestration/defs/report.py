"""The asset of the daily page: what was published, for people."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from orchestration.defs.executor import PRIORITY
from orchestration.defs.resources import Project
from orchestration.defs.unchanged import ALL, unless_unchanged


@dg.asset(
    # By name alone: a domain that is taken away, or skipped, leaves the page without its part.
    deps=["ticket_predictions"],
    group_name="serving",
    kinds={"html"},
    # After whatever else publishes in the same run.
    op_tags={PRIORITY: "-10"},
)
@unless_unchanged(
    reads=(ALL,),
    also=lambda project, config: f"{datetime.now(UTC):%Y-%m-%d}",
    files=lambda project, said: [Path(said["report"].path), Path(said["csv"].path)],
)
def report(project: Project) -> dg.MaterializeResult:
    """The daily page, one HTML file for the browser: open tickets, whom to ask, how far to trust it."""
    from orchestration.page.write import TABLE, write_page

    project.write_published()
    settings = project.settings()
    page = write_page(settings.published_database, settings.runs_dir, settings.reports_dir)
    return dg.MaterializeResult(
        metadata={
            "report": dg.MetadataValue.path(str(page)),
            "report_link": dg.MetadataValue.url(page.as_uri()),
            "csv": dg.MetadataValue.path(str(page.with_name(TABLE))),
            "bytes": page.stat().st_size,
        }
    )
