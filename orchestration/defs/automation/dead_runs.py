"""Runs whose process is gone: with one run at a time, one that was killed would hold up every later one.

Dagster's own run monitoring cannot tell: it asks the launcher, and a process on this machine has none that
knows it. But every event of a run names the process that wrote it.
"""

import dagster as dg
import psutil

_UNDER_WAY = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
_BY_THE_RUN_ITSELF = {
    dg.DagsterEventType.ENGINE_EVENT,
    dg.DagsterEventType.RUN_START,
    dg.DagsterEventType.STEP_START,
}


def mark_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark every run that is said to be under way and has no living process as failed.

    Returns
    -------
    list of str
        Their identifiers.
    """
    dead = [
        run
        for run in instance.get_runs(dg.RunsFilter(statuses=_UNDER_WAY))
        if (written := _last_written(instance, run.run_id)) and not _is_alive(*written)
    ]
    for run in dead:
        instance.report_run_failed(
            run, "The process of this run is gone: it was killed, or the machine stopped."
        )
    return [run.run_id for run in dead]


@dg.sensor(minimum_interval_seconds=30, default_status=dg.DefaultSensorStatus.RUNNING)
def dead_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Mark runs that were killed as failed, so that the next one can start."""
    marked = mark_dead_runs(context.instance)
    return dg.SkipReason(
        f"Marked as failed: {', '.join(marked)}" if marked else "Every run under way is alive."
    )


def _last_written(instance: dg.DagsterInstance, run_id: str) -> tuple[int, float] | None:
    """The process that wrote the newest event of a run, and when, in seconds since 1970."""
    page = instance.get_records_for_run(run_id, of_type=_BY_THE_RUN_ITSELF, limit=1, ascending=False)
    for record in page.records:
        event = record.event_log_entry.dagster_event
        if event is not None and event.pid is not None:
            return event.pid, record.event_log_entry.timestamp
    return None


def _is_alive(pid: int, written: float) -> bool:
    """Whether the process still runs; one that began later only got the same number."""
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= written
    except psutil.NoSuchProcess:
        return False
