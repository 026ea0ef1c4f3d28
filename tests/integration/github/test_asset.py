"""The asset `raw_issues` on the fake: what it shows, what it keeps to itself, and when it fails."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orchestration.defs.resources import Project
from orchestration.domains.tickets.landed.ingestion import raw_issues
from tests.fake_github import TOKEN, FakeGitHub, Fault, SystemClock, World, breakage, running
from tests.fake_github.seed import generate_issues
from tests.integration.github.workshop import NAME, Workshop, facts, facts_in, is_page

OPEN = "import duckdb, sys; duckdb.connect(sys.argv[1], read_only=True).close()"


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    world = World(SystemClock())
    generate_issues(world, NAME, 150)
    with running(FakeGitHub(world)) as server:
        yield server


@pytest.fixture
def shop(fake: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """The environment of a user who reads from the fake."""
    settings = {
        "ISSUES_SOURCE": "github",
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_REPOS": NAME,
        "GITHUB_API_URL": fake.base,
        "WAREHOUSE_DIR": str(tmp_path),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return Workshop(fake, tmp_path)


def materialize(**config: Any) -> tuple[bool, str, str]:
    """Run the asset: whether it succeeded, everything that Dagster keeps of it, and its metadata."""
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [raw_issues],
            resources={"project": Project()},
            instance=instance,
            run_config={"ops": {"raw_issues": {"config": config}}},
            raise_on_error=False,
        )
        records = instance.all_logs(result.run_id)
        events = [record.dagster_event for record in records if record.dagster_event]
        metadata = [
            f"{name}: {value.value}"
            for event in events
            if event.is_step_materialization
            for name, value in event.step_materialization_data.materialization.metadata.items()
        ]
        return result.success, "\n".join(map(str, records)), "\n".join(metadata)


def test_the_asset_shows_its_state_and_keeps_the_token(shop: Workshop) -> None:
    success, said, metadata = materialize()
    assert success, said
    assert facts_in(shop.table()) == facts(shop.fake.world)
    for shown in ("requests: 3", "points: 6", "owner/name", "watermark"):
        assert shown in metadata
    assert TOKEN not in said + metadata
    assert shop.keeps_the_token()


def test_the_database_is_closed_while_fetching(shop: Workshop) -> None:
    assert materialize()[0]
    opened: list[int] = []

    def look() -> None:
        command = [sys.executable, "-c", OPEN, str(shop.database)]
        opened.append(subprocess.run(command, timeout=20).returncode)

    shop.fake.faults.append(Fault(is_page, breakage.then(look)))
    assert materialize()[0]
    assert opened == [0]


def test_one_repository_fails_and_the_others_land(shop: Workshop) -> None:
    generate_issues(shop.fake.world, "owner/second", 5)
    success, said, _ = materialize(repositories=["owner/second", "owner/none", NAME])
    assert not success
    assert "owner/none" in said
    assert len(shop.table()) == 155


@pytest.mark.parametrize("token", ["", "ghp_" + "wrong" * 7])
def test_a_missing_or_refused_token_says_what_to_do(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", token)
    success, said, _ = materialize()
    assert not success
    assert "GITHUB_TOKEN=" in said and "https://github.com/settings/personal-access-tokens" in said
    assert not token or token not in said


def test_a_full_refresh_and_a_sweep_are_configuration(shop: Workshop) -> None:
    assert materialize()[0]
    shop.fake.world.delete(NAME, 7)
    shop.fake.world.repositories[4000].issues[9].title = "undated"
    first = len(shop.fake.requests)
    success, said, _ = materialize(full_refresh=True, sweep=True)
    assert success, said
    assert shop.tombstones() == {7: "deleted"}
    assert shop.table()[NAME, 9]["title"] == "undated"
    assert json.dumps([request.path for request in shop.fake.requests[first:]]).count("/issues/7") == 1
