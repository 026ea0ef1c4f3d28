"""Where steps are executed and where the history of runs lies is configuration: the assets are the same."""

import json
import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import dagster as dg
import duckdb
import psutil
import pytest

from ml.store.lock import LockedError, only_one
from ml.tasks.duration.task import TrainingConfig
from orchestration.definitions import defs
from orchestration.defs.configs import TrainingRun
from orchestration.defs.executor import chosen_executor, side_by_side
from tests.paths import ROOT

STEPS = ("raw_alerts", "raw_issues")
POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def ingest(home: Path, warehouse: Path, **settings: str) -> list[tuple[str, int, float, float]]:
    """Load the sample with steps in processes of their own; step, process, begin and end of each."""
    terminal = subprocess.run(
        [
            str(Path(sys.executable).with_name("dagster")),
            *("asset", "materialize", "-m", "orchestration.definitions", "--select", ",".join(STEPS)),
        ],
        cwd=ROOT,
        env={**os.environ, "DAGSTER_HOME": str(home), "WAREHOUSE_DIR": str(warehouse), **settings},
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    ).stderr
    with dg.DagsterInstance.from_config(str(home)) as instance:
        [run] = instance.get_runs()
        assert run.status == dg.DagsterRunStatus.SUCCESS
        times = {one.step_key: one for one in instance.get_run_step_stats(run.run_id)}
        processes = {
            event.dagster_event.step_key: event.dagster_event.pid
            for event in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_START)
            if event.dagster_event is not None
        }
    if "RUN_EXECUTOR" not in settings:
        told = re.findall(r" - (\w+) - STEP_(START|SUCCESS) - ", terminal)
        assert sorted(told) == [(step, event) for step in sorted(times) for event in ("START", "SUCCESS")]
    return [(step, processes[step], times[step].start_time, times[step].end_time) for step in STEPS]


def check(steps: list[tuple[str, int, float, float]], warehouse: Path) -> None:
    assert len({process for _, process, _, _ in steps} | {os.getpid()}) == 3
    first, second = sorted((begin, end) for _, _, begin, end in steps)
    assert first[1] <= second[0], "one step at a time works on the pipeline's file"
    with duckdb.connect(str(warehouse / "pipeline.duckdb"), read_only=True) as database:
        assert database.sql("select count(*) > 1000 from raw.issues").fetchall() == [(True,)]
        assert database.sql("select count(*) > 100 from raw.alert_alerts").fetchall() == [(True,)]


@contextmanager
def postgres() -> Iterator[str]:
    """A server of its own on loopback; the URL of its database."""
    # It refuses to be an administrator's.
    account = pwd.getpwnam("postgres") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    with TemporaryDirectory() as folder:
        os.chown(folder, account.pw_uid, account.pw_gid)
        data = Path(folder) / "data"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]

        def run(program: str, *arguments: str) -> None:
            subprocess.run(
                [POSTGRES[-1] / program, *arguments], check=True, user=account.pw_uid, group=account.pw_gid,
                cwd=folder, stdout=subprocess.DEVNULL,
            )  # fmt: skip

        run("initdb", "-D", str(data), "-U", "dagster", "--auth", "trust", "--no-sync")
        options = (
            f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories='{folder}' -c fsync=off"
        )
        run("pg_ctl", "start", "-w", "-D", str(data), "-l", f"{folder}/log", "-o", options)
        try:
            yield f"postgresql+psycopg2://dagster@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "stop", "-w", "-D", str(data), "-m", "immediate")


def test_steps_run_in_processes_of_their_own(tmp_path: Path) -> None:
    shutil.copy(ROOT / ".dagster" / "dagster.yaml", tmp_path)
    check(ingest(tmp_path, tmp_path / "warehouse"), tmp_path / "warehouse")


@dg.op
def breaks() -> str:
    raise ValueError("as it should")


@dg.op
def needs_what_broke(before: str) -> None:
    raise AssertionError("never reached")


def meet(me: str, other: str) -> None:
    """Wait for a step that can only be under way if it runs beside this one."""
    folder, end = Path(os.environ["TELL"]), time.monotonic() + 60
    (folder / me).touch()
    while not (folder / other).exists():
        assert time.monotonic() < end
        time.sleep(0.05)


@dg.op
def goes() -> None:
    meet("one", "other")


@dg.op
def goes_beside() -> None:
    meet("other", "one")


@dg.op(tags={"dagster/priority": "-10"})
def comes_late() -> int:
    return 1


@dg.op
def needs_the_late(before: int) -> None: ...


@dg.op(tags={"dagster/priority": "-20"})
def comes_last() -> None: ...


@dg.job(executor_def=side_by_side)
def some_steps() -> None:
    needs_what_broke(breaks())
    goes()
    goes_beside()
    needs_the_late(comes_late())
    comes_last()


@dg.op(tags={"dagster/priority": "0"})
def rests() -> None:
    time.sleep(0.3)


@dg.job(executor_def=side_by_side)
def two_that_rest() -> None:
    rests()
    rests.alias("rests_too")()


@dg.op
def tells_and_stays() -> None:
    (Path(os.environ["TELL"]) / "step").write_text(str(os.getpid()))
    time.sleep(600)


@dg.job(executor_def=side_by_side)
def one_that_stays() -> None:
    tells_and_stays()


def test_steps_run_side_by_side_and_what_comes_last_waits_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELL", str(tmp_path))
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path / "warehouse"))
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        result = dg.execute_job(dg.reconstructable(some_steps), instance)
        times = {one.step_key: one for one in instance.get_run_step_stats(result.run_id)}
    done = ("goes", "goes_beside", "comes_late", "needs_the_late", "comes_last")
    status = {name: one.status.value for name, one in times.items() if one.status is not None}
    assert status == {"breaks": "FAILURE", **dict.fromkeys(done, "SUCCESS")}
    begun, ended = (
        {name: getattr(times[name], f"{what}_time") for name in done} for what in ("start", "end")
    )
    assert begun["comes_late"] >= max(ended["goes"], ended["goes_beside"])
    assert begun["comes_last"] >= max(ended["comes_late"], ended["needs_the_late"])


def test_no_step_begins_beside_another_while_the_memory_is_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert all("dagster/priority" in node.tags for node in defs.resolve_implicit_global_asset_job_def().nodes)
    monkeypatch.setattr("orchestration.defs.executor.WORKER_BYTES", 2**60)
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path / "warehouse"))
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        result = dg.execute_job(dg.reconstructable(two_that_rest), instance)
        times = [(one.start_time, one.end_time) for one in instance.get_run_step_stats(result.run_id)]
    (_, first_ended), (second_began, _) = sorted(times)
    assert first_ended <= second_began


def test_a_run_holds_the_warehouse_and_no_step_outlives_one_that_is_killed(tmp_path: Path) -> None:
    told, warehouse = tmp_path / "step", tmp_path / "warehouse"
    run = subprocess.Popen(
        [sys.executable, "-m", "dagster", "job", "execute", "-f", __file__, "-a", "one_that_stays"],
        cwd=ROOT,
        env={
            **os.environ,
            "DAGSTER_HOME": str(tmp_path),
            "TELL": str(tmp_path),
            "WAREHOUSE_DIR": str(warehouse),
        },
    )
    while not (told.is_file() and told.read_text()):
        assert run.poll() is None
        time.sleep(0.1)
    step = psutil.Process(int(told.read_text()))
    assert step.ppid() == run.pid
    # The step knows nothing of a warehouse: it is the run that has it, between its steps as well.
    with pytest.raises(LockedError, match=f"process {run.pid}"), only_one(warehouse / ".run.lock", "runs"):
        pass
    run.kill()
    run.wait()
    assert psutil.wait_procs([step], timeout=30)[1] == []


def test_the_steps_of_a_launched_run_keep_what_they_write(tmp_path: Path) -> None:
    coordinator = {"module": "dagster.core.run_coordinator", "class": "DefaultRunCoordinator"}
    (tmp_path / "dagster.yaml").write_text(json.dumps({"run_coordinator": coordinator}))
    subprocess.run(
        [sys.executable, "-m", "dagster", "job", "launch", "-f", __file__, "-a", "two_that_rest"],
        cwd=ROOT,
        env={**os.environ, "DAGSTER_HOME": str(tmp_path), "WAREHOUSE_DIR": str(tmp_path / "warehouse")},
        check=True,
        timeout=120,
    )
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        end = time.monotonic() + 60
        while not (run := instance.get_runs()[0]).is_finished:
            assert time.monotonic() < end
            time.sleep(0.1)
        assert run.status is dg.DagsterRunStatus.SUCCESS
        events = [entry.dagster_event for entry in instance.all_logs(run.run_id)]
    captured = {
        step: event.logs_captured_data.file_key
        for event in events
        if event and event.event_type is dg.DagsterEventType.LOGS_CAPTURED
        for step in event.logs_captured_data.step_keys or ()
    }
    assert captured.keys() == {"rests", "rests_too"}
    for step, key in captured.items():
        (file,) = tmp_path.glob(f"storage/{run.run_id}/compute_logs/{key}.err")
        assert f'"{step}"' in file.read_text()


@pytest.mark.cluster
@pytest.mark.skipif(not POSTGRES, reason="PostgreSQL is not installed")
def test_the_history_of_runs_lies_in_postgresql(tmp_path: Path) -> None:
    pytest.importorskip("dagster_postgres", reason="dagster-postgres is not installed: make setup-cluster")
    with postgres() as url:
        instance = (ROOT / ".dagster" / "dagster.yaml").read_text()
        (tmp_path / "dagster.yaml").write_text(f"{instance}storage:\n  postgres:\n    postgres_url: {url}\n")
        check(ingest(tmp_path, tmp_path / "warehouse", RUN_EXECUTOR="multiprocess"), tmp_path / "warehouse")
    assert not list(tmp_path.rglob("*.db")), "nothing of the history is in a file"


@pytest.mark.parametrize("defaults", [TrainingRun(), TrainingConfig()])
def test_how_busy_the_machine_is_decides_about_no_search(defaults: TrainingRun | TrainingConfig) -> None:
    # The slowest trial on the corpus takes eight seconds of a core.
    assert defaults.seconds >= defaults.trials * 300


@pytest.mark.parametrize("name", ["no_such_package:executor", "dagster:asset"])
def test_an_executor_that_is_none_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUN_EXECUTOR", name)
    with pytest.raises(ValueError, match=f"RUN_EXECUTOR is '{name}': there is no such executor"):
        chosen_executor()
