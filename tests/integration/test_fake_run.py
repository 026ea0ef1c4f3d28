"""The whole pipeline in one command, live from the fake GitHub to the best model and its predictions."""

import subprocess
import sys
from pathlib import Path

import duckdb

from tests.fake_github import TOKEN
from tests.integration.pipeline import MODELS, NO_UNIT_TEST, command, environment
from tests.paths import ROOT

ISSUES = 600


def test_from_the_fake_to_the_best_model_in_one_command(tmp_path: Path) -> None:
    """What `make run-fake` does, without a search for parameters."""
    fake = [sys.executable, "-m", "tests.fake_github", "--issues", str(ISSUES), "--"]
    done = subprocess.run(
        fake + command("*ticket_predictions"),
        env=environment(tmp_path, **NO_UNIT_TEST),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    warehouse = tmp_path / "warehouse"
    with duckdb.connect(str(warehouse / "warehouse.duckdb"), read_only=True) as published:
        models = dict(published.sql("select model, alias from ml.models where domain = 'tickets'").fetchall())
        predicted = published.sql(
            "select count(*), count_if(predicted_hours >= 0), count(reason) from tickets.predictions"
        ).fetchall()
    # Whether a model beats the median on what is made up at random is left to chance.
    assert set(models) == set(MODELS)
    # Every fifth issue of the fake is open.
    n, with_hours, with_reason = predicted[0]
    assert n == ISSUES // 5
    assert (with_hours if "champion" in models.values() else with_reason) == n
    with duckdb.connect(str(warehouse / "pipeline.duckdb"), read_only=True) as database:
        sources = database.sql("select source, count(*) from raw.issues group by all").fetchall()
        assigned = database.sql(
            """
            select count(*), max(abs(y - hours_from_assignment - 7 / 60)) from training.label_tickets
            where hours_from_assignment is not null
            """
        ).fetchall()
    assert sources == [("github", ISSUES)]
    # Every third one is assigned, seven minutes after it was opened.
    assert assigned[0][0] > ISSUES // 10 and assigned[0][1] < 1e-6
    assert TOKEN not in done.stdout
    assert not any(TOKEN.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_the_command_ends_with_the_status_of_what_it_runs() -> None:
    inner = [
        sys.executable,
        "-c",
        "import os, sys; sys.exit(7 if os.environ['GITHUB_REPOS'] == 'a/b' else 1)",
    ]
    fake = [sys.executable, "-m", "tests.fake_github", "--repository", "a/b", "--issues", "1", "--"]
    assert subprocess.run(fake + inner, cwd=ROOT).returncode == 7
