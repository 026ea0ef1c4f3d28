"""A pipeline that was killed goes on, and ends as one that ran in peace."""

import os
import signal
import subprocess
from pathlib import Path

from tests.integration.pipeline import (
    FEW_ASSETS,
    FEW_CONFIG,
    command,
    environment,
    materialize,
    small_archive,
    tables,
)
from tests.paths import ROOT

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
    # The rows are compared whole: to ask the tests of dbt of them would say nothing new.
    settings |= {"DBT_EXCLUDE_RESOURCE_TYPES": "test unit_test"}
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
    assert set(resumed) == set(expected) and expected["tickets.predictions"]
    for table, rows in expected.items():
        assert resumed[table] == rows, table
