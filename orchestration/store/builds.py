"""What every dbt model was last built from, so that a run builds only what would come out otherwise.

A key covers the SQL of a model and of all that it reads, the variables in it, its tests, and the content of
the raw tables that it is made of. The keys lie in the database beside the models; whoever runs dbt by hand
empties them (see `on-run-start` in dbt_project.yml): they never speak of relations that somebody else made.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import duckdb

from orchestration.store.feature_registry import lineage, sql_hash
from orchestration.store.steps import Made, StepTable
from orchestration.store.warehouse import transaction
from orchestration.tables import MODEL_BUILDS

# What stands for them among what steps made.
_UNIT_TESTS = "unit_tests"


def tests_of(manifest: Mapping[str, Any]) -> dict[str, set[str]]:
    """The tests of a manifest, unit tests among them, with the models and seeds that each of them reads."""
    nodes = {key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "test"}
    return {
        key: {name for name in node["depends_on"]["nodes"] if name in manifest["nodes"]}
        for key, node in {**nodes, **manifest.get("unit_tests", {})}.items()
    }


def keys_of(
    database: duckdb.DuckDBPyConnection,
    manifest: Mapping[str, Any],
    variables: Mapping[str, Any],
    target: str = "duckdb",
) -> dict[str, str]:
    """What each model and seed would be built from on a target now, as one hash by unique id."""
    raw = {key: _content(database, source) for key, source in manifest["sources"].items()}
    tested: dict[str, list[str]] = {}
    for test, read in tests_of(manifest).items():
        for model in read:
            tested.setdefault(model, []).append(test)
    keys = {}
    for key, node in manifest["nodes"].items():
        if node["resource_type"] not in ("model", "seed"):
            continue
        sources = {
            name
            for one in lineage(manifest, key)
            for name in manifest["nodes"].get(one, {}).get("depends_on", {}).get("nodes", [])
            if name in raw
        }
        decides = [
            duckdb.__version__,
            target,
            node["relation_name"],
            node["config"]["materialized"],
            sql_hash(manifest, key, variables),
            {name: raw[name] for name in sorted(sources)},
            sorted([test, sql_hash(manifest, test, variables)] for test in tested.get(key, [])),
        ]
        keys[key] = hashlib.sha256(json.dumps(decides).encode()).hexdigest()
    return keys


def _content(database: duckdb.DuckDBPyConnection, source: Mapping[str, Any]) -> list[Any]:
    """Rows of a raw table and a hash of them in any order; when a row was loaded does not count."""
    columns = database.execute(
        "select column_name from duckdb_columns() where schema_name = ? and table_name = ?"
        " and column_name != 'loaded_at' order by column_index",
        [source["schema"], source["name"]],
    ).fetchall()
    if not columns:
        return []
    names = ", ".join(f'"{name}"' for (name,) in columns)
    found = database.execute(
        f"select count(*), bit_xor(hash({names}))::varchar, sum(hash({names})::hugeint)::varchar "  # noqa: S608
        f"from {source['schema']}.{source['name']}"
    ).fetchall()
    return [*found[0], names]


def built_keys(database: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """What each model that is there was last built from, by unique id."""
    database.execute(MODEL_BUILDS.ddl)
    return dict(
        database.execute(
            f"""
            select builds.model, builds.built_from
            from {MODEL_BUILDS.name} as builds
            where (builds.schema_name, builds.relation) in (
                select (table_schema, table_name) from information_schema.tables
            )
            """  # noqa: S608
        ).fetchall()
    )


def out_of_date(
    manifest: Mapping[str, Any], keys: Mapping[str, str], built: Mapping[str, str], asked: Iterable[str]
) -> dict[str, bool]:
    """Which of the models that are asked for would come out otherwise now; what reads a model comes after it.

    With one that is built again goes whatever reads it.
    """
    stale: dict[str, bool] = {}
    read_by = {key: lineage(manifest, key) for key in asked}
    for key in sorted(read_by, key=lambda key: len(read_by[key])):
        stale[key] = keys[key] != built.get(key) or any(stale.get(read, False) for read in read_by[key])
    return stale


def current_with(
    manifest: Mapping[str, Any], keys: Mapping[str, str], built: Mapping[str, str], changed: Collection[str]
) -> set[str]:
    """The models that are as of now once those that changed are built, they and all that they are made of."""
    own = {key for key, value in built.items() if keys.get(key) == value} | set(changed)
    return {key for key in own if all(read in own for read in lineage(manifest, key) if read in keys)}


def record_builds(
    database: duckdb.DuckDBPyConnection,
    manifest: Mapping[str, Any],
    keys: Mapping[str, str],
    current: Collection[str],
) -> None:
    """Keep the keys of the models that are as of now, and forget all others."""
    nodes = manifest["nodes"]
    rows = [[key, nodes[key]["schema"], nodes[key]["alias"], keys[key]] for key in sorted(current)]
    with transaction(database):
        database.execute(MODEL_BUILDS.ddl)
        database.execute(f"delete from {MODEL_BUILDS.name}")  # noqa: S608
        if rows:
            database.executemany(f"insert into {MODEL_BUILDS.name} values (?, ?, ?, ?)", rows)  # noqa: S608


def tests_to_run(
    manifest: Mapping[str, Any],
    changed: Collection[str],
    current: Collection[str],
    passed: Collection[str] = (),
) -> list[str]:
    """The tests that read something that is built now and nothing that is not as of now, by unique id.

    Of an older state and a newer one no test could hold; it runs when the older one is built. Those that have
    passed, of which none reads the data, are left out.
    """
    return sorted(
        test
        for test, read in tests_of(manifest).items()
        if not read.isdisjoint(changed) and read <= {*changed, *current} and test not in passed
    )


def unit_test_keys(manifest: Mapping[str, Any], variables: Mapping[str, Any], target: str) -> dict[str, str]:
    """What decides whether each unit test passes, as one hash by unique id: the code alone, and no data."""
    decides = [duckdb.__version__, target]
    return {
        test: hashlib.sha256(json.dumps([*decides, sql_hash(manifest, test, variables)]).encode()).hexdigest()
        for test in manifest.get("unit_tests", {})
    }


def passed_unit_tests(database: duckdb.DuckDBPyConnection, keys: Mapping[str, str]) -> set[str]:
    """The unit tests that passed when they were last run, and would do so again."""
    made = StepTable(database).made_by(_UNIT_TESTS)
    passed = json.loads(made.said) if made else {}
    return {test for test, key in keys.items() if passed.get(test) == key}


def record_unit_tests(
    database: duckdb.DuckDBPyConnection, keys: Mapping[str, str], passed: Collection[str]
) -> None:
    """Keep which unit tests have passed, and forget all others."""
    said = json.dumps({test: keys[test] for test in sorted(passed)})
    StepTable(database).remember(Made(_UNIT_TESTS, "", "", {}, said))
