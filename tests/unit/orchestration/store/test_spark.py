"""Raw tables go to Spark as Parquet, what it wrote is seen in the database, and what is missing is said."""

from importlib.metadata import PackageNotFoundError
from pathlib import Path

import duckdb
import pytest

from orchestration.store import spark
from orchestration.store.spark import (
    export_raw,
    make_room,
    refuse_what_is_elsewhere,
    require_spark,
    show_built,
    take_down,
)


@pytest.fixture
def versions(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What is installed, as this environment would say it."""
    found = {"pyspark": "4.3.0", "dbt-spark": "1.11.0"}

    def version(name: str) -> str:
        if name not in found:
            raise PackageNotFoundError(name)
        return found[name]

    monkeypatch.setattr(spark, "version", version)
    return found


@pytest.mark.parametrize("missing", ["pyspark", "dbt-spark"])
def test_what_is_not_installed_is_said(versions: dict[str, str], missing: str) -> None:
    del versions[missing]
    with pytest.raises(ValueError, match=f"which needs {missing}, and that is not installed"):
        require_spark()


@pytest.mark.parametrize("old", ["3.5.7", "4.2.9"])
def test_a_spark_without_asof_joins_is_refused(versions: dict[str, str], old: str) -> None:
    versions["pyspark"] = old
    with pytest.raises(ValueError, match=f"needs ASOF joins, and pyspark {old} has none"):
        require_spark()


def test_without_java_it_is_said_what_to_install(
    versions: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for home in ("", str(tmp_path)):
        monkeypatch.setenv("JAVA_HOME", home)
        with pytest.raises(ValueError, match="needs Java, and there is none: install Java 17"):
            require_spark()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").touch(mode=0o755)
    require_spark()


def test_raw_tables_go_out_as_parquet_and_replace_what_was_there(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    connection.execute("create table raw.things as select 1 as a, timestamp '2024-01-01' as at")
    source = [{"schema": "raw", "name": "things"}]
    folder = tmp_path / "it's raw"
    export_raw(connection, source, folder)
    connection.execute("insert into raw.things values (2, '2024-01-02')")
    export_raw(connection, source, folder)
    written = connection.read_parquet(str(folder / "things" / "*.parquet"))
    assert written.order("a").fetchall() == connection.sql("from raw.things order by a").fetchall()
    assert [path.name for path in folder.iterdir()] == ["things"]


def test_what_spark_wrote_is_seen_under_its_name_whatever_had_it(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    nodes = [{"schema": "training", "alias": name} for name in ("one", "two", "three")]
    connection.execute("create schema training; create table training.one (old int)")
    connection.execute("create view training.two as select 0 as old")
    for node in nodes:
        folder = tmp_path / "training.db" / node["alias"]
        folder.mkdir(parents=True)
        connection.execute(f"copy (select '{node['alias']}' as name) to '{folder / 'part-0.parquet'}'")
    for _ in range(2):
        show_built(connection, nodes, tmp_path)
        for node in nodes:
            found = connection.execute(f"from training.{node['alias']}").fetchall()
            assert found == [(node["alias"],)]
    connection.execute("drop view training.one; create table training.one (new int)")
    take_down(connection, nodes)
    left = connection.execute("from duckdb_tables() select table_name where schema_name = 'training'")
    assert left.fetchall() == [("one",)]
    left = connection.execute("from duckdb_views() select view_name where schema_name = 'training'")
    assert left.fetchall() == []
    # A run that was killed leaves folders that Spark would stumble over.
    make_room(nodes[:2], tmp_path)
    assert [folder.name for folder in (tmp_path / "training.db").iterdir()] == ["three"]


def test_what_another_engine_built_is_not_read_on_spark() -> None:
    reads = {"raw": [], "staged": ["raw"], "trained": ["staged"]}
    manifest = {
        "macros": {},
        "nodes": {
            name: {"alias": name, "resource_type": "model", "depends_on": {"nodes": on, "macros": []}}
            for name, on in reads.items()
        },
    }
    keys = {name: f"{name} on spark" for name in reads}
    refuse_what_is_elsewhere(manifest, keys, {}, [*reads])
    refuse_what_is_elsewhere(manifest, keys, {"raw": keys["raw"], "staged": keys["staged"]}, ["trained"])
    with pytest.raises(ValueError, match=r"read as of now \(raw, staged\): select it, too, by a \+"):
        refuse_what_is_elsewhere(manifest, keys, {"raw": "raw on duckdb", "staged": "old"}, ["trained"])
