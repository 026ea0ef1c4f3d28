"""A domain is the set of its files: in copies of the project one is taken out or put in, and nothing else."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from tests.integration import parcels
from tests.integration.pipeline import (
    FEW,
    FEW_CONFIG,
    MODELS,
    QUICK,
    command,
    environment,
    small_archive,
)
from tests.paths import ROOT

ALERTS = (
    "orchestration/domains/alerts/**/*.py",
    "dbt_project/models/*/alerts/**/*.*",
    "dbt_project/macros/alerts/*.sql",
    "warehouse/raw_alerts.sql",
    "tests/**/test_alert*.py",
    "tests/**/alert_*.py",
)
ASSIGNEES = (
    "orchestration/domains/assignees/**/*.py",
    "dbt_project/models/*/assignees/**/*.*",
    "dbt_project/macros/assignees/*.sql",
    "tests/**/test_assignee*.py",
    "tests/unit/orchestration/assignees/*.py",
)


def copy_of_the_project(folder: Path) -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is no git checkout")
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)


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


def project_without(tmp_path: Path, patterns: tuple[str, ...]) -> Path:
    project = tmp_path / "project"
    copy_of_the_project(project)
    for pattern in patterns:
        files = list(project.glob(pattern))
        assert files, f"no file is named {pattern} any more: correct the pattern"
        for file in files:
            file.unlink()
    return project


def keys_of(project: Path, settings: dict[str, str]) -> set[str]:
    """The assets of the code location, which parses the dbt project when it is loaded."""
    probe = (
        "from orchestration.definitions import defs; "
        "print(*(k.to_user_string() for k in defs.resolve_asset_graph().materializable_asset_keys))"
    )
    return set(run([sys.executable, "-c", probe], project, settings).split())


def test_the_others_stand_without_the_files_of_the_assignees(tmp_path: Path) -> None:
    project = project_without(tmp_path, ASSIGNEES)
    settings = environment(tmp_path) | {"PYTHONPATH": "", "PIPELINE_DATABASE": os.devnull}
    keys = keys_of(project, settings)
    assert {"train_tickets", "ticket_predictions", "train_alerts", "alert_scores"} <= keys
    gone = {"train_assignees", "assignees_open", "models/assignee_ranker", "assignee_candidates"}
    assert not keys & gone
    usage = run([sys.executable, "-m", "orchestration", "training-set", "--help"], project, settings)
    assert "{alert_clusters,alerts,remaining,response,tickets}" in usage


@dataclass(frozen=True)
class Changed:
    """The folder of a run of a project without alerts, but with parcels."""

    folder: Path
    settings: dict[str, str]

    @property
    def project(self) -> Path:
        return self.folder / "project"

    @property
    def published(self) -> Path:
        return self.folder / "warehouse" / "warehouse.duckdb"


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Changed:
    """Few families, no search and no tests of dbt: that both domains get through is what counts."""
    folder = tmp_path_factory.mktemp("changed")
    project = project_without(folder, ALERTS)
    for name, content in parcels.FILES.items():
        assert not (project / name).exists()
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(content)
    archive = str(small_archive(folder / "dumps"))
    settings = environment(folder, ISSUES_SOURCE="archive", ISSUES_ARCHIVE=archive)
    settings |= {"PYTHONPATH": "", "PIPELINE_DATABASE": os.devnull}
    left_out = [f"models/{name}" for name in MODELS if name not in FEW]
    left_out += ["models/response_1d", "models/response_2d", "tuned_parameters/*"]
    selection = " or ".join(f'key:"{key}"' for key in left_out)
    config = {"models__remaining": QUICK["models__remaining"]} | FEW_CONFIG
    scored = ("late_scorer", "response_7d", "triage_ranker", "assignee_ranker", "parcel_scorer")
    config |= {f"models__{name}": {"config": {"replicates": 20, "cv_folds": 0}} for name in scored}
    untested = {"DBT_EXCLUDE_RESOURCE_TYPES": "test unit_test"}
    run(command(f"not ({selection})", config), project, settings | untested)
    return Changed(folder, settings)


def test_tickets_work_without_the_files_of_the_alerts(changed: Changed) -> None:
    keys = keys_of(changed.project, changed.settings)
    assert {"raw_issues", "train_tickets", "models/late_scorer", "ticket_predictions"} <= keys
    assert not [key for key in keys if "alert" in key]
    assert list(changed.folder.rglob("dbt_models-*")) == [], "what dbt made for one run stays"
    with duckdb.connect(str(changed.published), read_only=True) as published:
        assert published.sql("select count(*) > 0 from tickets.predictions").fetchall() == [(True,)]
        domains = {name for (name,) in published.sql("select distinct domain from ml.models").fetchall()}
        schemas = {name for (name,) in published.sql("select schema_name from duckdb_tables()").fetchall()}
    assert {"tickets", "assignees"} <= domains and not [name for name in domains if "alert" in name]
    assert {"ml", "bias", "tickets"} <= schemas and "alerts" not in schemas


def test_a_new_domain_is_its_files(changed: Changed) -> None:
    with duckdb.connect(str(changed.published), read_only=True) as published:
        models, measured, views = (
            published.sql(f"select {what} where domain = 'parcels'").fetchall()
            for what in (
                "task, model, alias from ml.models",
                "distinct dimension from bias.score_metrics",
                "feature_versions from feature_store.training_snapshots",
            )
        )
    assert models == [("binary", "parcel_scorer", "champion")]
    assert measured == [("kind",)] and views == [("{}",)]
    reports = (changed.folder / "warehouse" / "models").rglob("bias_parcel_scorer_*.txt")
    texts = [path.read_text() for path in reports]
    assert texts and all(text.startswith("NOTE: These are synthetic parcels") for text in texts)
    command = [sys.executable, "-m", "orchestration", "training-set", "--help"]
    helped = run(command, changed.project, changed.settings)
    assert "--parcels DIR" in helped and "{assignees,parcels,remaining,response,tickets}" in helped
