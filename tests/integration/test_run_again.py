"""The whole pipeline on the sample once more: after a run in peace, and after runs that were killed."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.domains.tickets.assets import trained_models
from tests.integration.pipeline import (
    FEW_ASSETS,
    FEW_CONFIG,
    WHOLE,
    Finished,
    command,
    environment,
    materialize,
    materialize_here,
    small_archive,
    tables,
)
from tests.paths import ROOT

READER = """
import sys, time, duckdb
from pathlib import Path
published, stop = Path(sys.argv[1]), Path(sys.argv[2])
reads, slowest, took = 0, 0.0, 0.0
while not stop.exists():
    if published.exists():
        started = time.perf_counter()
        with duckdb.connect(str(published), read_only=True) as c:
            assert c.sql("select count(*) from ml.models").fetchall()[0][0] > 0
        took = time.perf_counter() - started
        reads, slowest = reads + 1, max(slowest, took)
    # It leaves the processors to the run.
    time.sleep(max(0.02, 3 * took))
print(reads, slowest)
"""


@pytest.fixture(scope="module")
def own(finished: Finished, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A finished run that may be changed."""
    folder = tmp_path_factory.mktemp("own") / "run"
    # Contents alone: the copies can be written.
    shutil.copytree(finished.folder, folder, copy_function=shutil.copyfile)
    return Finished(folder)


def test_a_second_run_changes_nothing_trains_nothing_and_never_disturbs_a_reader(own: Finished) -> None:
    before = tables(own.published)
    models = {path: path.stat().st_mtime_ns for path in own.folder.rglob("*.skops")}
    stop = own.folder / "stop"
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(own.published), str(stop)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    answer = materialize(own.folder, config=WHOLE)
    stop.touch()
    output, error = reader.communicate(timeout=60)
    assert answer.returncode == 0, answer.stdout[-4000:]
    assert reader.returncode == 0, error
    assert int(output.split()[0]) > 100
    assert {path: path.stat().st_mtime_ns for path in own.folder.rglob("*.skops")} == models
    assert tables(own.published) == before


def test_trained_models_alone_trains_what_is_missing(own: Finished) -> None:
    config = {"models": ["linear", "median"], "run_id": "my_run_123", "trials": 0}
    materialize_here(trained_models, own.folder, config)
    folder = own.folder / "warehouse" / "models" / "my_run_123"
    assert {path.name for path in folder.glob("*.skops")} == {"linear.skops", "median.skops"}


# What the log says when a stage is under way: landing, dbt, training, bias, publishing.
STAGES = (
    "raw_issues - STEP_START",
    "START sql table model training",
    "linear: ",
    "bias_metrics - STEP_START",
    "ticket_predictions - STEP_START",
)


def test_killed_at_any_stage_and_run_again_gives_the_same_tables(tmp_path: Path) -> None:
    settings = {"ISSUES_SOURCE": "archive", "ISSUES_ARCHIVE": str(small_archive(tmp_path / "dumps"))}
    in_peace, killed = tmp_path / "in peace", tmp_path / "killed"
    for stage in STAGES:
        process = subprocess.Popen(
            command(FEW_ASSETS, FEW_CONFIG),
            env=environment(killed, **settings),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None
        seen = next((line for line in process.stdout if stage in line), None)
        # dbt is a child of the run: both must be gone.
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert seen is not None, f"the run ended before {stage!r}"
    for folder in (killed, in_peace):
        answer = materialize(folder, FEW_ASSETS, FEW_CONFIG, **settings)
        assert answer.returncode == 0, answer.stdout[-4000:]
    expected, resumed = (tables(folder / "warehouse" / "warehouse.duckdb") for folder in (in_peace, killed))
    assert set(resumed) == set(expected)
    for table, rows in expected.items():
        assert resumed[table] == rows, table


def test_an_unknown_model_is_refused_by_name(own: Finished) -> None:
    with pytest.raises(ValueError, match="There is no model 'oracle': choose from"):
        materialize_here(trained_models, own.folder, {"models": ["oracle"], "trials": 0})
