"""The dbt project as assets; the only module that imports dagster-dbt, which takes seconds.

Imported where the manifest is missing or old, it makes it: that is how `make setup` does it.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg
from dagster_dbt import (
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtCliResource,
    DbtProject,
    dbt_assets,
)
from dagster_dbt.asset_utils import default_asset_key_fn
from packaging.version import Version

from orchestration.defs.dbt_checks import in_words
from orchestration.defs.executor import HOLDS_DATABASE
from orchestration.defs.resources import Project
from orchestration.defs.unchanged import UNCHANGED
from orchestration.facts import FACTS, dbt_arguments
from orchestration.settings import DBT_MANIFEST, DBT_PARSED, DBT_PROJECT_DIR, Settings
from orchestration.store.builds import (
    built_keys,
    current_with,
    keys_of,
    out_of_date,
    record_builds,
    tests_to_run,
)
from orchestration.store.dbt_process import DBT
from orchestration.store.spark import (
    export_raw,
    make_room,
    refuse_what_is_elsewhere,
    require_spark,
    show_built,
    take_down,
)
from orchestration.store.warehouse import row_counts


class InstalledDbt(DbtCliResource):
    """The dbt of this environment, which need not be activated."""

    @cached_property
    def _cli_version(self) -> Version:
        # dagster-dbt starts dbt once more, for seconds, to ask for what the installed package says.
        return Version(version("dbt-core"))


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


@dbt_assets(
    manifest=PROJECT.manifest_path,
    project=PROJECT,
    dagster_dbt_translator=translator,
    name="dbt_models",
    op_tags=HOLDS_DATABASE,
)
def dbt_models(context: dg.AssetExecutionContext, dbt: DbtCliResource, project: Project) -> Iterator[Any]:
    """Build and test every selected model that would come out otherwise; dbt tests become asset checks."""
    settings, manifest = project.settings(), json.loads(DBT_MANIFEST.read_text())
    is_on_spark = settings.dbt_target == "spark"
    if is_on_spark:
        require_spark()
    variables = {**FACTS, **settings.dbt_variables}
    with project.database() as database:  # waits for whoever holds the file, and says who does
        keys = keys_of(database, manifest, variables, settings.dbt_target)
        built, rows = built_keys(database), row_counts(database)
    assets = {key: translator.get_asset_key(manifest["nodes"][key]) for key in keys}
    unique_ids = {asset.to_python_identifier(): key for key, asset in assets.items()}
    asked = [key for key, asset in assets.items() if asset in context.selected_asset_keys]
    stale = out_of_date(manifest, keys, built, asked)
    changed = [key for key, is_stale in stale.items() if is_stale]
    context.log.info("%d of %d models are as they were.", len(asked) - len(changed), len(asked))
    if not changed:
        context.log.info("%sall of them.", UNCHANGED)
    for key, is_stale in stale.items():
        if not is_stale:
            name = assets[key].to_python_identifier()
            counted = rows.get((manifest["nodes"][key]["schema"], manifest["nodes"][key]["alias"]))
            yield dg.Output(None, output_name=name, metadata={"unchanged": True, **_as_rows(counted)})
    if not changed:
        return
    current = current_with(manifest, keys, built, changed)
    tables = settings.spark_dir / "tables"
    if is_on_spark:
        refuse_what_is_elsewhere(manifest, keys, built, changed)
        with project.database() as database:
            export_raw(database, manifest["sources"].values(), settings.spark_dir / "raw")
        make_room((manifest["nodes"][key] for key in changed), tables)
    else:
        with project.database() as database:
            take_down(database, (manifest["nodes"][key] for key in changed))
    with settings.dbt_environment(settings.dbt_target):
        # By name: dbt itself would leave out a test that also reads a model which is not built now.
        named = [*changed, *tests_to_run(manifest, changed, current)]
        nodes = {**manifest["nodes"], **manifest["unit_tests"]}
        names = " ".join(".".join(nodes[key]["fqn"]) for key in sorted(named))
        command = [*dbt_arguments("build", settings), "--indirect-selection", "empty", "--select", names]
        invocation = dbt.cli(command, manifest=manifest, dagster_dbt_translator=translator)
        counts: dict[str, int] = {}
        for event in invocation.stream_raw_events():
            counts |= _rows_told_in(event.raw_event)
            for made in event.to_default_asset_events(
                manifest, translator, context, invocation.target_path, PROJECT
            ):
                if isinstance(made, dg.Output):
                    counted = counts.get(unique_ids[made.output_name])
                    made = made.with_metadata({**made.metadata, **_as_rows(counted)})
                yield made
    with project.database() as database:
        if is_on_spark:
            show_built(database, (manifest["nodes"][key] for key in changed), tables)
        record_builds(database, manifest, keys, current)
    # The next run with these settings need not parse from the start, whatever set-up was made with.
    (invocation.target_path / DBT_PARSED.name).replace(DBT_PARSED)
    # Of a run that failed the folder stays: its log tells why.
    shutil.rmtree(invocation.target_path)


def _rows_told_in(event: Mapping[str, Any]) -> dict[str, int]:
    """What `tell_rows` of the dbt project says of a model, by its unique id; nothing in any other event."""
    if event["info"]["name"] != "JinjaLogInfo" or not event["info"]["msg"].endswith(" rows"):
        return {}
    return {event["data"]["node_info"]["unique_id"]: int(event["info"]["msg"].removesuffix(" rows"))}


def _as_rows(counted: int | None) -> dict[str, int]:
    """Metadata that the UI shows as the number of rows; a view has none."""
    return {} if counted is None else {"dagster/row_count": counted}
