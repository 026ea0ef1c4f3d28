"""The environment wins over `.env`, in Dagster's own processes too, which lay the file over it."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.integration.pipeline import DAGSTER, environment
from tests.paths import ROOT

COMMAND = """
import json, os, subprocess, sys
os.environ["WAREHOUSE_DIR"] = "/of/the/file"
code = "import json; from orchestration.environment import given_environment as given; " \\
    "print(json.dumps(given().get('WAREHOUSE_DIR')))"
print(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
"""


def test_a_run_writes_where_the_environment_says_and_not_where_the_file_does(tmp_path: Path) -> None:
    home = tmp_path / "home-of-the-file"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    (tmp_path / ".env").write_text(
        f"WAREHOUSE_DIR={tmp_path / 'of-the-file'}\nISSUES_SOURCE=archive\nDAGSTER_HOME={home}\n"
    )
    run = subprocess.run(
        [DAGSTER, "asset", "materialize", "-m", "orchestration.definitions", "--select", "raw_issues"],
        cwd=tmp_path,
        env=environment(tmp_path) | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    # Dagster did lay the file over the environment: it went to the home that the file names.
    assert (home / "history").exists()
    assert run.returncode == 0, run.stdout
    assert (tmp_path / "warehouse" / "pipeline.duckdb").exists()
    assert not (tmp_path / "of-the-file").exists()
    assert f"warehouse: {tmp_path / 'warehouse'}; issues: sample (synthetic)" in run.stdout


def test_what_a_command_of_dagster_starts_knows_what_the_command_was_given(tmp_path: Path) -> None:
    script = tmp_path / "dagster"
    script.write_text(COMMAND)
    given = subprocess.run(
        [sys.executable, str(script), "dev"],
        cwd=ROOT,
        env={**os.environ, "WAREHOUSE_DIR": "/given"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(given.stdout) == "/given"
