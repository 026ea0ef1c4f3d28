"""Jobs, schedules and sensors: when things run. Schedules are off by default; the UI turns one on."""

import dagster as dg

from orchestration.defs.automation.dead_runs import dead_runs
from orchestration.defs.automation.failed_runs import failed_runs

# A search for parameters is asked for: nothing of a run reads them unless it is told to.
everything = dg.define_asset_job(
    "everything", selection=dg.AssetSelection.all() - dg.AssetSelection.groups("tuning")
)

sweep = dg.define_asset_job(
    "sweep",
    selection=dg.AssetSelection.assets("raw_issues"),
    config={"ops": {"raw_issues": {"config": {"sweep": True}}}},
    description="Fetch what changed, and look for issues that are gone; only the source github does more.",
)

JOBS = [everything, sweep]
SCHEDULES = [
    dg.ScheduleDefinition(name="daily", job=everything, cron_schedule="0 3 * * *"),
    dg.ScheduleDefinition(name="monthly_sweep", job=sweep, cron_schedule="0 1 1 * *"),
]
SENSORS = [dead_runs, failed_runs]
