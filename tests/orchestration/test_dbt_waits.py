"""dbt, a process of its own, waits for the database as the rest does."""

import subprocess
import sys
import time
from pathlib import Path

from orchestration.store.warehouse import open_pipeline_database
from tests.integration.pipeline import command, environment
from tests.paths import ROOT

HOLD = """
import sys, time, duckdb
with duckdb.connect(sys.argv[1]):
    print("held", flush=True)
    time.sleep(600)
"""


def test_models_are_built_once_another_program_has_let_go_of_the_database(tmp_path: Path) -> None:
    database = tmp_path / "warehouse" / "pipeline.duckdb"
    with open_pipeline_database(database):
        pass
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(database)], stdout=subprocess.PIPE, text=True)
    run = subprocess.Popen(
        command("base_github__record", {}),
        env=environment(tmp_path),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert holder.stdout is not None and run.stdout is not None
    with holder, run:
        assert holder.stdout.readline() == "held\n"
        said = []
        for line in run.stdout:
            said.append(line)
            if "dbt_models - STEP_START" in line:
                # Long enough for one that does not wait to give up.
                time.sleep(4)
                holder.kill()
        assert run.wait() == 0, "".join(said)
    assert any("STEP_START" in line for line in said)
