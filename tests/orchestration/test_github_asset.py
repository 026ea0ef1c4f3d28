"""`raw_issues` on the live source: what it shows, what it keeps, and how it fails."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orchestration.defs.resources import Project
from orchestration.domains.tickets.landed.ingestion import raw_issues
from orchestration.store.warehouse import open_pipeline_database
from tests.fake_github import TOKEN, FakeGitHub, World, running
from tests.fake_github.seed import generate_issues

NAME, BLOCKED = "owner/name", "owner/blocked"


def materialize(
    folder: Path, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch, **config: Any
) -> dg.ExecuteInProcessResult:
    for name, value in {
        "ISSUES_SOURCE": "github",
        "GITHUB_TOKEN": f" {TOKEN} ,",
        "GITHUB_REPOS": f"{BLOCKED},{NAME}",
        "GITHUB_API_URL": fake.base,
        "WAREHOUSE_DIR": str(folder),
    }.items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.ephemeral() as instance:
        return dg.materialize(
            [raw_issues],
            resources={"project": Project()},
            run_config={"ops": {"raw_issues": {"config": config}}},
            raise_on_error=False,
            instance=instance,
        )


@pytest.fixture
def world() -> World:
    world = World()
    world.add_repository(BLOCKED).blocked = True
    generate_issues(world, NAME, 120)
    return world


def test_one_repository_fails_and_the_others_land(
    tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(FakeGitHub(world)) as fake:
        result = materialize(tmp_path, fake, monkeypatch)
    assert not result.success
    failure = result.failure_data_for_node("raw_issues")
    assert failure is not None and failure.user_failure_data is not None
    assert "owner/blocked: GitHub: owner/blocked: blocked for legal reasons (451)" in str(
        failure.user_failure_data.description
    )
    metadata = failure.user_failure_data.metadata
    assert metadata["dagster/row_count"].value == 120
    table = metadata["state_per_repository"].value
    assert "| owner/name | backfill | 2026-03-02T09:00:0" in table and "| 120 of 120 |" in table
    with open_pipeline_database(tmp_path / "pipeline.duckdb") as database:
        assert database.execute("select count(*) from raw.issues").fetchall() == [(120,)]
    assert TOKEN not in str(failure) + str(metadata)


def test_the_configuration_chooses_repositories_and_everything_again(
    tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(FakeGitHub(world)) as fake:
        assert materialize(tmp_path, fake, monkeypatch, repositories=[NAME]).success
        world.delete(NAME, 7)
        result = materialize(tmp_path, fake, monkeypatch, repositories=[NAME], full_refresh=True)
    assert result.success
    metadata = result.asset_materializations_for_node("raw_issues")[0].metadata
    assert metadata["tombstones"].value == 1
    assert metadata["requests"].value == 1 + 2 + 2 + 1, "name, backfill, sweep, probe"
    assert metadata["rejected"].value == 0
    with open_pipeline_database(tmp_path / "pipeline.duckdb") as database:
        stones = database.execute("select repository, number, reason from raw.tombstones").fetchall()
    assert stones == [(NAME, 7, "deleted")]


def test_progress_is_in_the_log_of_the_run(
    tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with running(FakeGitHub(world)) as fake:
        assert materialize(tmp_path, fake, monkeypatch, repositories=[NAME]).success
    said = capfd.readouterr().err
    assert "backfill: 120 of 120 issues" in said
    assert TOKEN not in said
