"""A run builds the models that would come out otherwise, and no others."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from orchestration.defs.dbt.assets import dbt_models
from orchestration.defs.dbt.project import dbt_resource
from orchestration.defs.resources import Project
from orchestration.settings import DBT_PARSED, DBT_PROJECT_DIR, Settings
from orchestration.store.dbt_process import DBT
from orchestration.store.warehouse import open_pipeline_database
from tests.dbt.conftest import load
from tests.dbt.records import random_records

ALERT, RECORD, ISSUE = "stg_alerts__alert", "base_github__record", "stg_github__issue"
LABEL = "stg_github__label"
Build = Callable[..., set[str]]


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Build:
    """Materialize the models named, and say which of them dbt has built."""
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path))
    with open_pipeline_database(tmp_path / "pipeline.duckdb") as database:
        load(database, random_records(1, repositories=1, items=10))

    def run(*models: str, raises: bool = True) -> set[str]:
        result = dg.materialize(
            [dbt_models, champion],
            selection=[dg.AssetKey(model) for model in models],
            resources={"project": Project(), "dbt": dbt_resource},
            raise_on_error=raises,
        )
        events = result.get_asset_materialization_events()
        assert not result.success or {event.asset_key.path[0] for event in events} == set(models)
        with open_pipeline_database(tmp_path / "pipeline.duckdb") as database:
            tables = dict(database.sql("select table_name, schema_name from duckdb_tables()").fetchall())
            for event in events:
                name = event.asset_key.path[0]
                metadata = event.materialization.metadata
                columns = database.execute(
                    "select column_name, data_type from duckdb_columns() where table_name = ?", [name]
                ).fetchall()
                schema = metadata.get(
                    "dagster/column_schema", dg.MetadataValue.table_schema(dg.TableSchema([]))
                )
                assert [(column.name, column.type) for column in schema.value.columns] == columns
                assert ("made_of" in metadata) is bool(columns)
                told = metadata.get("dagster/row_count")
                if name in tables:
                    ((rows,),) = database.sql(f"select count(*) from {tables[name]}.{name}").fetchall()
                    assert told is not None and told.value == rows
                else:
                    assert told is None
        return {
            event.asset_key.path[0]
            for event in events
            if "unchanged" not in event.materialization.metadata  # type: ignore[union-attr]
        }

    return run


@dg.asset(deps=[RECORD])
def champion() -> None:
    """Stands for whatever learns and publishes further down."""


def execute(folder: Path, sql: str) -> None:
    with open_pipeline_database(folder / "pipeline.duckdb") as database:
        database.execute(sql)


def test_only_what_reads_a_changed_table_is_built_again(
    build: Build, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert build(ALERT, RECORD, ISSUE) == {ALERT, RECORD, ISSUE}
    assert f"PASS {ISSUE}::" in capfd.readouterr().out
    assert build(ALERT, RECORD, ISSUE) == set()
    execute(tmp_path, "update raw.issues set loaded_at = loaded_at + interval 1 day")
    assert build(ALERT, RECORD, ISSUE) == set()
    # Two rows that trade their values: the same values lie in the table.
    execute(tmp_path, "update raw.issues set number = case number when 1 then 2 else 1 end where number < 3")
    assert build(ALERT, ISSUE) == {ISSUE}
    # That was made from records that are not as of now: with these it is made once more.
    assert build(ALERT, RECORD, ISSUE) == {RECORD, ISSUE}
    execute(tmp_path, f"drop table staging.{RECORD} cascade")
    assert build(ALERT, RECORD, ISSUE) == {RECORD, ISSUE}
    # Its unit test reads no data, and its code is as it was.
    said = capfd.readouterr().out
    assert f"PASS {ISSUE}_is_sound" in said and f"{ISSUE}::" not in said


def test_what_was_built_by_hand_or_failed_its_tests_is_built_again(build: Build, tmp_path: Path) -> None:
    build(LABEL, RECORD)
    command = ["build", "--quiet", "--select", RECORD, "--target-path", str(tmp_path / "target")]
    with Settings.from_environment().dbt_environment():
        where = ["--project-dir", str(DBT_PROJECT_DIR), "--profiles-dir", str(DBT_PROJECT_DIR)]
        where += ["--partial-parse-file-path", str(DBT_PARSED)]
        subprocess.run([*DBT, *command, "--log-path", str(tmp_path), *where], check=True)
    assert build(LABEL, RECORD) == {LABEL, RECORD}
    assert build(LABEL, RECORD) == set()
    # Each record twice.
    execute(tmp_path, "create or replace table raw.issues as from raw.issues union all from raw.issues")
    # Nothing below them is made, neither then nor in a later run.
    for _ in range(2):
        built = build(RECORD, champion.key.path[0], raises=False)
        assert RECORD in built and champion.key.path[0] not in built
    execute(tmp_path, "create or replace table raw.issues as select distinct * from raw.issues")
    assert build(RECORD, champion.key.path[0]) == {RECORD, champion.key.path[0]}
