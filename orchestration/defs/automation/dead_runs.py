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
        if (writers := _writers(instance, run.run_id)) and not any(_is_alive(*one) for one in writers)
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


def _writers(instance: dg.DagsterInstance, run_id: str) -> set[tuple[int, float]]:
    """The processes that wrote the run's newest events and its start, and when, in seconds since 1970.

    Of a run whose steps are processes of their own, the newest may be of one that has ended.
    """
    newest = instance.get_records_for_run(run_id, of_type=_BY_THE_RUN_ITSELF, limit=1, ascending=False)
    start = dg.DagsterEventType.RUN_START
    starts = instance.get_records_for_run(run_id, of_type=start, limit=1, ascending=False)
    written = [
        (record.event_log_entry.dagster_event, record.event_log_entry.timestamp)
        for record in (*newest.records, *starts.records)
    ]
    return {(event.pid, when) for event, when in written if event is not None and event.pid is not None}


def _is_alive(pid: int, written: float) -> bool:
    """Whether the process still runs; one that began later only got the same number."""
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= written
    except psutil.NoSuchProcess:
        return False
