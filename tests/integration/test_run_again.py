"""The whole pipeline on the sample once more, after a run in peace."""

import re
import shutil
import subprocess
import sys

import pytest

from orchestration.domains.tickets.assets import trained_models
from tests.integration.pipeline import (
    EVERYTHING,
    NO_UNIT_TEST,
    WHOLE,
    Finished,
    materialize,
    materialize_here,
    tables,
)

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
    # It leaves most of a processor to the run, which is over soon.
    time.sleep(max(0.02, 2 * took))
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
    answer = materialize(own.folder, EVERYTHING, WHOLE, **NO_UNIT_TEST)
    stop.touch()
    output, error = reader.communicate(timeout=60)
    assert answer.returncode == 0, answer.stdout[-4000:]
    assert reader.returncode == 0, error
    assert int(output.split()[0]) > 100
    assert {path: path.stat().st_mtime_ns for path in own.folder.rglob("*.skops")} == models
    unchanged = set(re.findall(r" - (\S+) - unchanged: ", answer.stdout))
    done = set(re.findall(r" - (\S+) - STEP_SUCCESS ", answer.stdout))
    assert done - unchanged == {
        "raw_issues", "raw_alerts", "kept_runs", "best_model_drift",
        "raw_issues_rejected_records", "raw_issues_volume", "raw_alerts_refused_batches",
    }  # fmt: skip
    assert tables(own.published) == before


def test_trained_models_alone_trains_what_is_missing(own: Finished) -> None:
    config = {"models": ["linear", "median"], "run_id": "my_run_123", "trials": 0}
    materialize_here(trained_models, own.folder, config)
    folder = own.folder / "warehouse" / "models" / "my_run_123"
    assert {path.name for path in folder.glob("*.skops")} == {"linear.skops", "median.skops"}


def test_an_unknown_model_is_refused_by_name(own: Finished) -> None:
    with pytest.raises(ValueError, match="There is no model 'oracle': choose from"):
        materialize_here(trained_models, own.folder, {"models": ["oracle"], "trials": 0})
