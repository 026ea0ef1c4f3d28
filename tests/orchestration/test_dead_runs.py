"""A run that was killed never holds up the next one."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from orchestration.defs.automation.dead_runs import mark_dead_runs
from tests.paths import ROOT

LOCATION = """
import os, time
from pathlib import Path
import dagster as dg
from orchestration.defs.automation import SENSORS

@dg.asset
def endless() -> None:
    Path("began").touch()
    time.sleep(600)

@dg.asset
def quick() -> None:
    Path("done").touch()

job = dg.define_asset_job("job", selection=["quick"])
every_minute = dg.ScheduleDefinition(
    job=job, cron_schedule="* * * * *", default_status=dg.DefaultScheduleStatus.RUNNING
)
defs = dg.Definitions(
    assets=[endless, quick],
    jobs=[job],
    schedules=[every_minute],
    sensors=SENSORS,
    executor=dg.in_process_executor,
)
"""


def until(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.2)


@contextmanager
def running(folder: Path, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command of Dagster's in a folder of its own; it and all that it started end with the block."""
    with (folder / f"{Path(command[0]).name}.log").open("wb") as log:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name(command[0])), *command[1:]],
            cwd=folder,
            env={**os.environ, "DAGSTER_HOME": str(folder), "PYTHONPATH": f"{ROOT}:{folder}"},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=60)


def test_the_next_tick_of_a_schedule_runs_although_the_last_run_was_killed(tmp_path: Path) -> None:
    shutil.copy(ROOT / ".dagster" / "dagster.yaml", tmp_path)
    (tmp_path / "location.py").write_text(LOCATION)
    command = ("dagster", "asset", "materialize", "-m", "location", "--select", "endless")
    # The instance first: two processes that make its tables at once fail one of them.
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance, running(tmp_path, *command) as process:
        until(lambda: (tmp_path / "began").exists(), 120)
        [run] = instance.get_runs()
        assert mark_dead_runs(instance) == [], "it is alive"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert instance.get_run_by_id(run.run_id).status == dg.DagsterRunStatus.STARTED  # type: ignore[union-attr]
        with running(tmp_path, "dagster-daemon", "run", "-m", "location"):
            until(lambda: (tmp_path / "done").exists(), 200)
        assert instance.get_run_by_id(run.run_id).status == dg.DagsterRunStatus.FAILURE  # type: ignore[union-attr]
