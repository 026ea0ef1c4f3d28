"""The dbt project as Dagster sees it: parsed once, named by its models, sorted by layer and domain."""

import json
import os
import re
from pathlib import Path

import dagster as dg
import pytest

from orchestration.defs.dbt.assets import dbt_models
from orchestration.defs.dbt.project import dbt_resource, is_current, parse
from orchestration.facts import FACTS, dbt_arguments
from orchestration.settings import DBT_MANIFEST, DBT_PROJECT_DIR, Settings
from orchestration.store.feature_registry import feature_views


@pytest.mark.parametrize("scope", ["all", "assigned"])
def test_a_run_uses_what_set_up_has_parsed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, scope: str
) -> None:
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path / "warehouse"))
    monkeypatch.setenv("TICKET_SCOPE", scope)
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path / "target"))
    parse(tmp_path / "target")

    # In another warehouse, and with other memory: nothing is written by these.
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path / "other"))
    monkeypatch.setenv("DUCKDB_MEMORY_LIMIT", "1GB")
    settings = Settings.from_environment()
    with settings.dbt_environment():
        invocation = dbt_resource.cli(dbt_arguments("parse", settings)).wait()
    said = (invocation.target_path / "dbt.log").read_text()
    assert "Nothing changed, skipping partial parsing." in said
    assert "Unable to do partial parsing" not in said


@pytest.mark.parametrize(
    ("changed", "views"),
    [
        ({"text_characters": 1}, {"feat_issue_content"}),
        ({"horizons_days": [1]}, {"feat_repository_state"}),
        ({"first_plausible_day": "2000-01-01"}, {"feat_repository_state"}),
        ({"candidate_limit": 1}, {"feat_candidate_activity"}),
        ({"unknown_to_all": 1}, set()),
    ],
)
def test_a_changed_variable_makes_a_new_version_of_the_views_that_are_made_with_it(
    changed: dict[str, object], views: set[str]
) -> None:
    manifest = json.loads(DBT_MANIFEST.read_text())
    before, after = (
        {view.name: view.sql_hash for view in feature_views(manifest, {**FACTS, **more})}
        for more in ({}, changed)
    )
    found = {name for name in before if before[name] != after[name]}
    assert views <= found and bool(found) == bool(views) and found < set(before)


def test_a_manifest_is_as_old_as_its_newest_source(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    assert not is_current(manifest)
    manifest.touch()
    assert is_current(manifest)
    newest = max(path.stat().st_mtime for path in (DBT_PROJECT_DIR / "macros").rglob("*"))
    os.utime(manifest, (newest - 1, newest - 1))
    assert not is_current(manifest)


def test_groups_are_layers_and_tags_are_domains() -> None:
    assert is_current(DBT_MANIFEST)
    found = {
        key.path[-1]: (spec.group_name, spec.tags["domain"]) for key, spec in dbt_models.specs_by_key.items()
    }
    for path in (DBT_PROJECT_DIR / "models").rglob("*.sql"):
        layer, domain = path.relative_to(DBT_PROJECT_DIR / "models").parts[:2]
        assert found[path.stem] == (layer, domain)


def test_raw_tables_come_from_the_asset_that_their_yml_names() -> None:
    above = {key for spec in dbt_models.specs for key in (dep.asset_key for dep in spec.deps)}
    assert above - dbt_models.keys == {dg.AssetKey("raw_issues"), dg.AssetKey("raw_alerts")}


def test_every_room_of_models_says_what_it_is_for_and_stays_small() -> None:
    models = DBT_PROJECT_DIR / "models"
    rooms: dict[str, int] = {}
    for path in models.rglob("*.sql"):
        room = "_".join(path.parent.relative_to(models).parts)
        rooms[room] = rooms.get(room, 0) + 1
    charters = re.findall(r"{% docs (\w+) %}\S.*\.{% enddocs %}", (models / "rooms.md").read_text())
    assert sorted(charters) == sorted(rooms)
    assert max(rooms.values()) <= 12
