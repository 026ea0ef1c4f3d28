"""Runs that failed, told to whoever looks after them; a run from a terminal tells its own."""

import dagster as dg

from orchestration.failures import in_words, tell_failure
from orchestration.settings import Settings


def describe(context: dg.RunFailureSensorContext) -> tuple[str, str]:
    """Which run and which steps, and the innermost error in its own words."""
    run, failed = context.dagster_run, context.get_step_failure_events()
    steps = ", ".join(event.step_key.replace("__", "/") for event in failed if event.step_key)
    what = f"run {run.run_id[:8]} of {run.job_name}" + (f", {steps}" if steps else "")
    error = failed[0].event_specific_data.error if failed else None  # type: ignore[union-attr]
    while error is not None and error.cause is not None:
        error = error.cause
    why = context.failure_event.message if error is None else in_words(error.message)
    return what, why or "no word of why"


@dg.run_failure_sensor(default_status=dg.DefaultSensorStatus.RUNNING, minimum_interval_seconds=30)
def failed_runs(context: dg.RunFailureSensorContext) -> None:
    """Write one line about every failed run, and post it where a webhook is set."""
    what, why = describe(context)
    context.log.info("%s", tell_failure(Settings.from_environment(), what, why))
