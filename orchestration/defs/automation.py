"""Jobs and schedules: when things run. Off by default; the UI turns a schedule on."""

import dagster as dg

everything = dg.define_asset_job("everything", selection=dg.AssetSelection.all())

daily = dg.ScheduleDefinition(
    name="daily", job=everything, cron_schedule="0 3 * * *", default_status=dg.DefaultScheduleStatus.STOPPED
)
