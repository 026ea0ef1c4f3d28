"""One process at a time."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from ml.store.lock import LockedError, only_one
from orchestration.defs.resources import Project
from tests.paths import ROOT

HOLD = """
import sys, time
from pathlib import Path
from ml.store.lock import only_one
with only_one(Path(sys.argv[1]), "is under way", *sys.argv[2:]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_second_one_is_told_who_is_first_and_death_frees_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "folder" / ".lock"
    first = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert first.stdout is not None
    with first, first.stdout:
        assert first.stdout.readline() == "held\n"
        with pytest.raises(LockedError) as refused, only_one(lock, "is under way"):
            pass
        assert str(refused.value) == (
            f"Another run (process {first.pid}) is under way: wait until it has finished, or stop it."
        )
        first.send_signal(signal.SIGKILL)
    with only_one(lock, "is under way"):
        assert lock.read_text().split() == [str(os.getpid())]


def test_the_steps_of_one_run_hold_it_together_and_no_other_run_beside_them(tmp_path: Path) -> None:
    lock = tmp_path / ".lock"
    command = [sys.executable, "-c", HOLD, str(lock), "run 1"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None and first.stdout.readline() == "held\n"
        with only_one(lock, "is under way", "run 1"):
            first.kill()
            first.wait()
            # The one that wrote its name is gone, and the run goes on.
            for party in ("run 2", ""):
                with pytest.raises(LockedError, match="Another run"), only_one(lock, "", party):
                    pass
            with only_one(lock, "is under way", "run 1"):
                pass
    with only_one(lock, "is under way", "run 2"):
        pass


def test_two_runs_never_work_on_one_warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @dg.asset
    def something(project: Project) -> None:
        assert project.settings().warehouse_dir == tmp_path

    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path))
    arguments = {"assets": [something], "resources": {"project": Project()}, "raise_on_error": False}
    with dg.DagsterInstance.ephemeral() as instance:
        with only_one(tmp_path / ".run.lock", "is under way"):
            refused = dg.materialize(**arguments, instance=instance)
        assert not refused.success
        told = [event.event_specific_data for event in refused.all_events if event.is_failure]
        assert (
            f"ml.store.lock.LockedError: Another run (process {os.getpid()}) "
            f"is under way in {tmp_path}: wait until it has finished, or stop it.\n"
        ) in [one.error.cause.message for one in told]
        assert dg.materialize(**arguments, instance=instance).success
