"""The dbt project, its manifest and the names of its models as assets.

Imported where the manifest is missing or old, it makes it: that is how `make setup` does it.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtCliResource, DbtProject
from dagster_dbt.asset_utils import default_asset_key_fn
from packaging.version import Version

from orchestration.defs.dbt.checks import in_words
from orchestration.facts import dbt_arguments
from orchestration.settings import DBT_MANIFEST, DBT_PARSED, DBT_PROJECT_DIR, Settings
from orchestration.store.dbt_process import DBT


class InstalledDbt(DbtCliResource):
    """The dbt of this environment, which need not be activated."""

    @cached_property
    def _cli_version(self) -> Version:
        # dagster-dbt starts dbt once more, for seconds, to ask for what the installed package says.
        return Version(version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> None:  # type: ignore[override]
        """None: it would read the project once more, to ask the database for what dbt itself tells here."""


def is_current(manifest: Path) -> bool:
    """Whether the manifest is there and no source of the dbt project is newer; folders tell what is gone."""
    if not manifest.exists():
        return False
    sources = [*DBT_PROJECT_DIR.glob("*.yml")]
    for folder in ("models", "macros", "seeds", "tests"):
        sources += [DBT_PROJECT_DIR / folder, *(DBT_PROJECT_DIR / folder).rglob("*")]
    return all(source.stat().st_mtime <= manifest.stat().st_mtime for source in sources)


def parse(target: Path) -> None:
    """Parse the project as a run with these settings does; two processes that do it at once do no harm."""
    settings = Settings.from_environment()
    target.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target, prefix=".parse-") as name, settings.dbt_environment():
        dbt_resource.cli([*dbt_arguments("parse", settings), "--quiet"], target_path=Path(name)).wait()
        for file in (DBT_PARSED.name, DBT_MANIFEST.name):
            (Path(name) / file).replace(target / file)


PROJECT = DbtProject(project_dir=DBT_PROJECT_DIR)
dbt_resource = InstalledDbt(
    project_dir=str(DBT_PROJECT_DIR), dbt_executable=DBT[0], global_config_flags=list(DBT[1:])
)
if not is_current(DBT_MANIFEST):
    parse(DBT_MANIFEST.parent)


class NamedByModel(DagsterDbtTranslator):
    """Models keep their own names as asset keys, grouped by layer and tagged with their domain.

    The yml of a source says in its meta which asset loads its tables.
    """

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """The asset that loads a raw table, the model's name otherwise."""
        if dbt_resource_props["resource_type"] == "source":
            return default_asset_key_fn(dbt_resource_props)
        return dg.AssetKey(dbt_resource_props["name"])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The layer: staging, intermediate, features or training."""
        _, layer, *_ = dbt_resource_props["fqn"]
        return layer

    def get_tags(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, str]:
        """The domain: the folder below the layer."""
        _, _, domain, *_ = dbt_resource_props["fqn"]
        return {**super().get_tags(dbt_resource_props), "domain": domain}

    def get_asset_check_spec(
        self,
        asset_spec: dg.AssetSpec,
        manifest: Mapping[str, Any],
        unique_id: str,
        project: DbtProject | None,
    ) -> dg.AssetCheckSpec | None:
        """A test with a description of what it asks."""
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        asked = manifest["nodes"].get(unique_id, {}).get("test_metadata")
        return spec._replace(description=in_words(asked)) if spec and asked else spec


translator = NamedByModel(
    # One asset loads all raw tables of a domain.
    DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True)
)
