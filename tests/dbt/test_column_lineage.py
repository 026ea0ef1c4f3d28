"""What the columns of a table are made of, as it is shown and published."""

import json
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from sqlglot import MappingSchema

from orchestration.defs.dbt.columns import ShownColumns, column_lineage
from orchestration.store.column_lineage import record_lineage, recorded_lineage
from orchestration.store.warehouse import relations_of
from tests.paths import ROOT

TICKETS, EVENTS = "staging.tickets", "staging.events"
READABLE = MappingSchema(dialect="duckdb")
READABLE.add_table(TICKETS, {"id": "unknown", "at": "unknown"})
READABLE.add_table(EVENTS, {"id": "unknown", "kind": "unknown"})


@pytest.mark.parametrize(
    ("sql", "column", "read"),
    [
        ("select id + 1 as next from staging.tickets", "next", [(TICKETS, "id")]),
        ("with t as (from db.staging.tickets) select t.* from t", "at", [(TICKETS, "at")]),
        ("select coalesce(at, kind) as a from staging.tickets join staging.events using (id)", "a",
         [(EVENTS, "kind"), (TICKETS, "at")]),
        ("select id, kind from staging.tickets as t asof left join staging.events as e"
         " on t.id = e.id and t.at >= e.kind", "kind", [(EVENTS, "kind")]),
        ("select id from staging.tickets union all select kind from staging.events", "id",
         [(EVENTS, "kind"), (TICKETS, "id")]),
        ("select max(at) over (partition by id) as latest from staging.tickets", "latest",
         [(TICKETS, "at"), (TICKETS, "id")]),
        ("select count(*) as n from staging.tickets group by id", "n", []),
    ],
)  # fmt: skip
def test_a_column_is_made_of_the_columns_that_give_its_value(
    sql: str, column: str, read: list[tuple[str, str]]
) -> None:
    assert column_lineage(sql, READABLE)[column] == read


def shown_columns(compiled: Path) -> ShownColumns:
    with duckdb.connect() as database:
        for tables in (ROOT / "warehouse").glob("raw*.sql"):
            database.execute(tables.read_text())
        relations = relations_of(database)
    manifest = json.loads((compiled / "target" / "manifest.json").read_text())
    return ShownColumns(manifest, "duckdb", relations, {}, lambda node: dg.AssetKey(node["name"]))


def test_every_column_of_the_project_is_made_of_columns_that_are_there(compiled: Path) -> None:
    nodes = json.loads((compiled / "target" / "manifest.json").read_text())["nodes"]
    models = {key: node for key, node in nodes.items() if node["resource_type"] == "model"}
    shown = shown_columns(compiled)
    for key in models:
        shown.built(key, compiled / "target")
    assert shown.untraced == []
    declared = {f"{node['schema']}.{node['alias']}": set(node["columns"]) for node in models.values()}
    assert {relation: set(columns) for relation, columns in shown.traced.items()} == declared
    reads = [read for columns in shown.traced.values() for read in columns.values()]
    made = [(table, column) for read in reads for table, column in read if table in declared]
    assert all(column in declared[table] for table, column in made)
    # Most are made of something: the others are counted, or constant.
    assert sum(map(bool, reads)) > 0.95 * len(reads) > 1000
    assert shown.traced["training.train_remaining"]["title_length"] == [
        ("features.feat_issue_content", "title_length")
    ]
    with duckdb.connect() as database:
        for _ in range(2):
            record_lineage(database, shown.traced)
            kept = {table: {name: read for name, read in columns.items() if read} for table, columns in
                    shown.traced.items()}  # fmt: skip
            assert recorded_lineage(database) == kept
        # Nothing says that any of these tables is up to date.
        record_lineage(database, {})
        assert recorded_lineage(database) == {}


def test_what_cannot_be_read_has_no_lineage_and_is_counted(compiled: Path, tmp_path: Path) -> None:
    shown = shown_columns(compiled)
    file = tmp_path / "compiled/fairtriage/models/training/tickets/train_remaining.sql"
    file.parent.mkdir(parents=True)
    file.write_text("select from where")
    assert shown.built("model.fairtriage.train_remaining", tmp_path) == {}
    assert shown.untraced == ["training.train_remaining"]


def test_a_model_that_is_built_by_key_is_traced_as_a_run_builds_it(compiled: Path, tmp_path: Path) -> None:
    """Its SQL then reads which keys have changed, which no other table is made of."""
    nodes = json.loads((compiled / "target" / "manifest.json").read_text())["nodes"]
    whole, carried = shown_columns(compiled), shown_columns(compiled)
    for key, node in nodes.items():
        if node["config"]["materialized"] == "by_key":
            file = f"compiled/fairtriage/{node['original_file_path']}"
            sql = (compiled / "target" / file).read_text()
            for read in node["config"]["meta"]["inputs"]:
                relation = nodes[f"model.fairtriage.{read}"]["relation_name"]
                assert relation in sql
                changed = f'select key from carried."{node["alias"]}__changed"'
                some = f"(select * from {relation} where {node['config']['meta']['key']} in ({changed}))"
                sql = sql.replace(relation, some)
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file).write_text(sql)
            whole.built(key, compiled / "target")
            carried.built(key, tmp_path)
    assert carried.untraced == [] and carried.traced == whole.traced != {}
