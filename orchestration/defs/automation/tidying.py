"""The asset that removes what is old: runs, their snapshots, daily pages."""

import dagster as dg

from orchestration.defs.executor import HOLDS_DATABASE, PRIORITY
from orchestration.defs.resources import Project
from orchestration.store.results import DDL
from orchestration.store.retention import tidy
from orchestration.store.served import load_served


@dg.asset(
    deps=["ticket_predictions"],
    group_name="serving",
    # Last of all: what the others of the run need is there for as long as they run.
    op_tags=HOLDS_DATABASE | {PRIORITY: "-20"},
)
def kept_runs(project: Project) -> dg.MaterializeResult:
    """The newest runs, snapshots and pages; older ones go (RUNS_KEPT), champions and what serves stay."""
    settings = project.settings()
    with project.database() as database:
        database.execute(DDL)
        load_served(database, settings.runs_dir)
        current = [name for (name,) in database.execute("select distinct run_id from ml.models").fetchall()]
    done = tidy(
        settings.runs_dir,
        settings.snapshots_dir,
        settings.reports_dir,
        keep=settings.runs_kept,
        current_runs=current,
    )
    return dg.MaterializeResult(
        metadata={
            "removed_runs": dg.MetadataValue.json(done.runs),
            "removed_snapshots": dg.MetadataValue.json(done.snapshots),
            "removed_pages": dg.MetadataValue.json(done.reports),
            "freed_bytes": done.freed,
        }
    )
