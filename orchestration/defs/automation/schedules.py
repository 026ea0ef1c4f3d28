"""Schedules and sensors: when things run. What trains is off by default; the UI turns it on."""

import dagster as dg

from orchestration.defs.automation.dead_runs import dead_runs
from orchestration.defs.automation.failed_runs import failed_runs
from orchestration.defs.automation.jobs import everything, refresh, sweep
from orchestration.defs.automation.retraining import retraining

SCHEDULES = [
    dg.ScheduleDefinition(name="daily", job=everything, cron_schedule="0 3 * * *"),
    dg.ScheduleDefinition(name="daily_refresh", job=refresh, cron_schedule="0 3 * * *"),
    dg.ScheduleDefinition(name="monthly_sweep", job=sweep, cron_schedule="0 1 1 * *"),
]
SENSORS = [dead_runs, failed_runs, retraining]
