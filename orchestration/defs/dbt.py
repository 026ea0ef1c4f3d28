"""The dbt project as assets; the only module that imports dagster-dbt, which takes seconds."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import (
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtCliResource,
    DbtProject,
    dbt_assets,
)

from orchestration.defs.resources import Project
from orchestration.settings import DBT_MANIFEST, DBT_PROJECT_DIR

PROJECT = DbtProject(project_dir=DBT_PROJECT_DIR)
# The dbt of this environment, which need not be activated.
dbt_resource = DbtCliResource(project_dir=PROJECT, dbt_executable=str(Path(sys.executable).with_name("dbt")))
if not DBT_MANIFEST.exists():
    # `make setup` builds the manifest; a code location that is loaded without it builds its own.
    dbt_resource.cli(["parse", "--quiet"], target_path=DBT_MANIFEST.parent).wait()


class NamedByModel(DagsterDbtTranslator):
    """Models keep their own names as asset keys, grouped by layer; raw tables are what ingestion makes."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """The asset that loads a raw table, the model's name otherwise."""
        if dbt_resource_props["resource_type"] == "source":
            source = dbt_resource_props["source_name"]
            return dg.AssetKey("raw_issues" if source == "raw" else source)
        return dg.AssetKey(dbt_resource_props["name"])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The layer: staging, intermediate, features or training."""
        return dbt_resource_props["fqn"][1] if len(dbt_resource_props["fqn"]) > 2 else "seeds"


@dbt_assets(
    manifest=PROJECT.manifest_path,
    project=PROJECT,
    dagster_dbt_translator=NamedByModel(
        # One asset loads all raw tables of a domain.
        DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True)
    ),
    name="dbt_models",
)
def dbt_models(context: dg.AssetExecutionContext, dbt: DbtCliResource, project: Project) -> Iterator[Any]:
    """Build and test every selected model; each dbt test becomes an asset check."""
    settings = project.settings()
    variables = json.dumps({"ticket_scope": settings.ticket_scope})
    with project.database():
        # dbt gives up soon where another process holds the file: wait for it here, and say who does.
        pass
    with settings.dbt_environment():
        yield from dbt.cli(["build", "--vars", variables], context=context).stream()
