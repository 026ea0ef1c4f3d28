"""A domain is the set of its files: without those of the alerts, tickets still reach the published file."""

import gzip
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from orchestration.domains.tickets.sources.sample import generate_records
from orchestration.domains.tickets.sources.sample_process import REPOSITORIES
from tests.integration.pipeline import DAGSTER, QUICK, environment
from tests.paths import ROOT

ALERTS = (
    "orchestration/domains/alerts/**/*.py",
    "dbt_project/models/*/alerts/**/*.*",
    "dbt_project/macros/alerts/*.sql",
    "warehouse/raw_alerts.sql",
    "tests/**/test_alert*.py",
)


def copy_of_the_project(folder: Path) -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is no git checkout")
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)


def small_archive(folder: Path) -> Path:
    """A sixth of the embedded sample, as dumps."""
    folder.mkdir()
    for repository in REPOSITORIES:
        few = replace(repository, issues=repository.issues // 6, pull_requests=repository.pull_requests // 6)
        lines = "".join(json.dumps(record) + "\n" for record in generate_records(few))
        file = folder / f"{repository.name.replace('/', '__')}.jsonl.gz"
        file.write_bytes(gzip.compress(lines.encode()))
    return folder


def run(command: list[str], cwd: Path, settings: dict[str, str]) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env=settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


def test_tickets_work_without_the_files_of_the_alerts(tmp_path: Path) -> None:
    project = tmp_path / "project"
    copy_of_the_project(project)
    for pattern in ALERTS:
        files = list(project.glob(pattern))
        assert files, f"no file is named {pattern} any more: correct the pattern"
        for file in files:
            file.unlink()

    settings = environment(
        tmp_path, ISSUES_SOURCE="archive", ISSUES_ARCHIVE=str(small_archive(tmp_path / "dumps"))
    )
    settings |= {"PYTHONPATH": "", "PIPELINE_DATABASE": os.devnull}
    dbt = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "parse", "--quiet"]
    run([*dbt, "--project-dir", "dbt_project", "--profiles-dir", "dbt_project"], project, settings)
    probe = (
        "from orchestration.definitions import defs; "
        "print(*(k.to_user_string() for k in defs.resolve_asset_graph().materializable_asset_keys))"
    )
    keys = set(run([sys.executable, "-c", probe], project, settings).split())
    assert {"raw_issues", "train_tickets", "models/late_scorer", "ticket_predictions"} <= keys
    assert not [key for key in keys if "alert" in key]

    # As little searching as there can be: that tickets get through is what counts.
    config = QUICK | {
        "tuned_parameters__late_scorer": {"config": {"trials": 1}},
        "tuned_parameters__triage_ranker": {"config": {"trials": 1}},
        "tuned_parameters__assignee_ranker": {"config": {"trials": 1}},
        "bias_mitigation": {"config": {"best": 1}},
    }
    command = [DAGSTER, "asset", "materialize", "-m", "orchestration.definitions", "--select", "*"]
    run([*command, "--config-json", json.dumps({"ops": config})], project, settings)
    with duckdb.connect(str(tmp_path / "warehouse" / "warehouse.duckdb"), read_only=True) as published:
        assert published.sql("select count(*) > 0 from tickets.predictions").fetchall() == [(True,)]
        domains = {name for (name,) in published.sql("select distinct domain from ml.models").fetchall()}
        schemas = {name for (name,) in published.sql("select schema_name from duckdb_tables()").fetchall()}
    assert domains == {"tickets", "assignees"}
    assert {"ml", "bias", "tickets"} <= schemas and "alerts" not in schemas
