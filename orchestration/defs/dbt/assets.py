"""The models and seeds of the dbt project as assets, its tests as their checks."""

import json
import shutil
from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliResource, dbt_assets

from orchestration.defs.dbt.columns import ShownColumns
from orchestration.defs.dbt.project import PROJECT, translator
from orchestration.defs.executor import HOLDS_DATABASE
from orchestration.defs.resources import Project
from orchestration.defs.unchanged import UNCHANGED
from orchestration.facts import FACTS, dbt_arguments
from orchestration.settings import DBT_MANIFEST, DBT_PARSED
from orchestration.store.builds import (
    built_keys,
    current_with,
    keys_of,
    out_of_date,
    passed_unit_tests,
    record_builds,
    record_unit_tests,
    tests_to_run,
    unit_test_keys,
)
from orchestration.store.column_lineage import record_lineage, recorded_lineage
from orchestration.store.spark import (
    export_raw,
    make_room,
    refuse_what_is_elsewhere,
    require_spark,
    show_built,
    take_down,
)
from orchestration.store.warehouse import relations_of


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
        built, relations, lineage = built_keys(database), relations_of(database), recorded_lineage(database)
        units = unit_test_keys(manifest, variables, settings.dbt_target)
        passed = passed_unit_tests(database, units)
    assets = {key: translator.get_asset_key(manifest["nodes"][key]) for key in keys}
    unique_ids = {asset.to_python_identifier(): key for key, asset in assets.items()}
    asked = [key for key, asset in assets.items() if asset in context.selected_asset_keys]
    stale = out_of_date(manifest, keys, built, asked)
    changed = [key for key, is_stale in stale.items() if is_stale]
    context.log.info("%d of %d models are as they were.", len(asked) - len(changed), len(asked))
    if not changed:
        context.log.info("%sall of them.", UNCHANGED)
    shown = ShownColumns(manifest, settings.dbt_target, relations, lineage, translator.get_asset_key)
    for key, is_stale in stale.items():
        if not is_stale:
            name = assets[key].to_python_identifier()
            yield dg.Output(None, output_name=name, metadata={"unchanged": True, **shown.unchanged(key)})
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
        tests = tests_to_run(manifest, changed, current, passed)
        named = [*changed, *tests]
        nodes = {**manifest["nodes"], **manifest["unit_tests"]}
        names, without = (
            " ".join(".".join(nodes[key]["fqn"]) for key in sorted(chosen)) for chosen in (named, passed)
        )
        command = [*dbt_arguments("build", settings), "--indirect-selection", "empty", "--select", names]
        if passed:
            # A unit test's name begins with that of its model, which names both.
            command += ["--exclude", without]
        invocation = dbt.cli(command, manifest=manifest, dagster_dbt_translator=translator)
        for event in invocation.stream_raw_events():
            shown.hear(event.raw_event)
            for made in event.to_default_asset_events(
                manifest, translator, context, invocation.target_path, PROJECT
            ):
                if isinstance(made, dg.Output):
                    known = shown.built(unique_ids[made.output_name], invocation.target_path)
                    made = made.with_metadata({**made.metadata, **known})
                yield made
    with project.database() as database:
        if is_on_spark:
            show_built(database, (manifest["nodes"][key] for key in changed), tables)
        record_builds(database, manifest, keys, current)
        record_unit_tests(database, units, passed | (units.keys() & set(tests)))
        record_lineage(database, shown.traced)
    if shown.untraced:
        names = ", ".join(shown.untraced)
        context.log.warning(
            "What %d tables' columns are made of stays unknown: %s.", len(shown.untraced), names
        )
    # The next run with these settings need not parse from the start, whatever set-up was made with.
    (invocation.target_path / DBT_PARSED.name).replace(DBT_PARSED)
    # Of a run that failed the folder stays: its log tells why.
    shutil.rmtree(invocation.target_path)
