"""Where steps are executed and where the history of runs lies is configuration: the assets are the same."""

import os
import pwd
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import dagster as dg
import duckdb
import pytest

from orchestration.defs.executor import chosen_executor
from tests.paths import ROOT

STEPS = ("raw_alerts", "raw_issues")
POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def ingest(home: Path, warehouse: Path) -> list[tuple[str, int, float, float]]:
    """Load the sample with steps in processes of their own; step, process, begin and end of each."""
    subprocess.run(
        [
            str(Path(sys.executable).with_name("dagster")),
            *("asset", "materialize", "-m", "orchestration.definitions", "--select", ",".join(STEPS)),
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "DAGSTER_HOME": str(home),
            "WAREHOUSE_DIR": str(warehouse),
            "RUN_EXECUTOR": "multiprocess",
        },
        check=True,
    )
    with dg.DagsterInstance.from_config(str(home)) as instance:
        [run] = instance.get_runs()
        assert run.status == dg.DagsterRunStatus.SUCCESS
        times = {one.step_key: one for one in instance.get_run_step_stats(run.run_id)}
        processes = {
            event.dagster_event.step_key: event.dagster_event.pid
            for event in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_START)
            if event.dagster_event is not None
        }
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


@pytest.mark.cluster
@pytest.mark.skipif(not POSTGRES, reason="PostgreSQL is not installed")
def test_the_history_of_runs_lies_in_postgresql(tmp_path: Path) -> None:
    pytest.importorskip("dagster_postgres", reason="dagster-postgres is not installed: make setup-cluster")
    with postgres() as url:
        instance = (ROOT / ".dagster" / "dagster.yaml").read_text()
        (tmp_path / "dagster.yaml").write_text(f"{instance}storage:\n  postgres:\n    postgres_url: {url}\n")
        check(ingest(tmp_path, tmp_path / "warehouse"), tmp_path / "warehouse")
    assert not list(tmp_path.rglob("*.db")), "nothing of the history is in a file"


@pytest.mark.parametrize("name", ["no_such_package:executor", "dagster:asset"])
def test_an_executor_that_is_none_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUN_EXECUTOR", name)
    with pytest.raises(ValueError, match=f"RUN_EXECUTOR is '{name}': there is no such executor"):
        chosen_executor()
