"""Raw alerts: batches from the configured folder, or the synthetic ones, into the raw tables."""

import dagster as dg

from orchestration.defs.executor import HOLDS_DATABASE
from orchestration.defs.resources import Project
from orchestration.domains.alerts.loading import load_alert_batches
from orchestration.domains.alerts.sources.batches import SAMPLE, get_alert_source
from orchestration.store.landing import SourceError


@dg.asset(group_name="ingestion", kinds={"duckdb"}, op_tags=HOLDS_DATABASE)
def raw_alerts(context: dg.AssetExecutionContext, project: Project) -> dg.MaterializeResult:
    """The rows of every alert batch that was accepted as a whole; refused batches are kept in the account."""
    settings = project.settings()
    source = get_alert_source(settings.alert_batches)
    delivery = source.land(settings.landing_dir)
    with project.database() as database:
        report = load_alert_batches(database, delivery, source=source.name)
        rows, batches = database.sql(
            "select count(*), count(distinct batch_id) from raw.alert_alerts"
        ).fetchall()[0]
    for batch, reason in report.refused.items():
        context.log.warning("The batch %s was refused: %s.", batch, reason)
    if not rows:
        raise SourceError(
            f"No batch of the source {source.name} could be loaded ({len(report.refused)} were refused): look"
            " at raw.alert_batches, or point ALERT_BATCHES to another folder."
        )
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": rows,
            "batches": batches,
            "source": "sample: synthetic alerts, not real ones" if source.name == SAMPLE else source.name,
            "batches_loaded": len(report.loaded),
            "batches_unchanged": report.unchanged,
            "batches_refused": len(report.refused),
            "rows_loaded": report.rows,
            "synthetic_removed": report.synthetic_removed,
        }
    )


@dg.asset_check(
    asset="raw_alerts",
    description="Batches whose newest delivery was refused. It warns and does not block: a refused batch "
    "leaves nothing behind, and the others are whole.",
    op_tags=HOLDS_DATABASE,
)
def refused_batches(project: Project) -> dg.AssetCheckResult:
    """Warn when a batch was refused; the others are loaded all the same."""
    with project.database() as database:
        refused = database.sql(
            "select batch_id, status, reason from raw.alert_batches where reason is not null order by all"
        ).fetchall()
    return dg.AssetCheckResult(
        passed=not refused,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "refused": len(refused),
            "reasons": dg.MetadataValue.md(
                "\n".join(
                    ["| batch | status | reason |", "|---|---|---|"]
                    + [f"| {batch} | {status} | {reason} |" for batch, status, reason in refused]
                )
            ),
        },
    )
