"""Transforms on Spark: raw tables go there as Parquet, what it built is seen in the pipeline's database."""

import os
import shutil
from collections.abc import Collection, Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from ml.store.files import move_folder_into_place
from orchestration.store.feature_registry import lineage
from orchestration.store.warehouse import quoted, transaction

# The first with LEFT ASOF JOIN … MATCH_CONDITION.
_OLDEST = (4, 3)


def require_spark() -> None:
    """Check that Spark can be started here.

    Raises
    ------
    ValueError
        Its packages or Java are absent, or it is too old for the join as of a time.
    """
    try:
        found = version("pyspark")
        version("dbt-spark")
    except PackageNotFoundError as error:
        raise ValueError(
            f"DBT_TARGET is 'spark', which needs {error.name}, and that is not installed: "
            "make setup-cluster does it."
        ) from error
    if tuple(int(part) for part in found.split(".")[:2]) < _OLDEST:
        raise ValueError(
            f"DBT_TARGET is 'spark', which needs ASOF joins, and pyspark {found} has none: "
            "install 4.3 or newer."
        )
    home = os.environ.get("JAVA_HOME")
    if not shutil.which("java", path=str(Path(home) / "bin") if home else None):
        raise ValueError(
            "DBT_TARGET is 'spark', which needs Java, and there is none: install Java 17 "
            "(openjdk-17-jre-headless of Debian), or set JAVA_HOME to it."
        )


def export_raw(
    database: duckdb.DuckDBPyConnection, sources: Iterable[Mapping[str, Any]], folder: Path
) -> None:
    """Write raw tables that a manifest names as Parquet, a folder each, in place of what was there."""
    folder.mkdir(parents=True, exist_ok=True)
    for source in sources:
        name = f"{quoted(source['schema'])}.{quoted(source['name'])}"
        with TemporaryDirectory(dir=folder, prefix=".export-", ignore_cleanup_errors=True) as temporary:
            file = Path(temporary) / "part.parquet"
            database.execute(f"copy (from {name}) to '{_text(file)}' (format parquet)")
            move_folder_into_place(Path(temporary), folder / source["name"])


def make_room(nodes: Iterable[Mapping[str, Any]], folder: Path) -> None:
    """Remove the tables below a folder that are about to be built: Spark refuses what a killed run left."""
    for node in nodes:
        shutil.rmtree(_table_folder(node, folder), ignore_errors=True)


def refuse_what_is_elsewhere(
    manifest: Mapping[str, Any], keys: Mapping[str, str], built: Mapping[str, str], changed: Collection[str]
) -> None:
    """Check that what the models to be built read is on Spark, too, as of now.

    Raises
    ------
    ValueError
        Some of it was built by another engine, or from other data, and is not built now.
    """
    read = {one for key in changed for one in lineage(manifest, key) if one in keys} - set(changed)
    absent = sorted(manifest["nodes"][key]["alias"] for key in read if built.get(key) != keys[key])
    if absent:
        named = ", ".join(absent[:3]) + (", …" if len(absent) > 3 else "")
        raise ValueError(
            f"DBT_TARGET is 'spark', which has not built what is read as of now ({named}): "
            "select it, too, by a + before the name of the model."
        )


def show_built(database: duckdb.DuckDBPyConnection, nodes: Iterable[Mapping[str, Any]], folder: Path) -> None:
    """Make the tables that Spark wrote below a folder views of the database, under their own names.

    Whoever reads a relation then need not know which engine made it.
    """
    with transaction(database):
        for node in nodes:
            schema, relation = node["schema"], node["alias"]
            name = f"{quoted(schema)}.{quoted(relation)}"
            files = _table_folder(node, folder) / "*.parquet"
            database.execute(f"create schema if not exists {quoted(schema)}")
            for kind in _kinds(database, node):
                database.execute(f"drop {kind} {name}")
            database.execute(f"create view {name} as from read_parquet('{_text(files)}')")


def take_down(database: duckdb.DuckDBPyConnection, nodes: Iterable[Mapping[str, Any]]) -> None:
    """Drop the views of what is about to be built here: dbt puts no seed in the place of a view."""
    with transaction(database):
        for node in nodes:
            if "view" in _kinds(database, node):
                database.execute(f"drop view {quoted(node['schema'])}.{quoted(node['alias'])}")


def _kinds(database: duckdb.DuckDBPyConnection, node: Mapping[str, Any]) -> list[str]:
    """What has the name of a node: a view, a table, or nothing."""
    found = database.execute(
        "select if(table_type = 'VIEW', 'view', 'table') from information_schema.tables"
        " where table_schema = ? and table_name = ?",
        [node["schema"], node["alias"]],
    ).fetchall()
    return [kind for (kind,) in found]


def _table_folder(node: Mapping[str, Any], folder: Path) -> Path:
    return folder / f"{node['schema']}.db" / str(node["alias"])


def _text(path: Path) -> str:
    return str(path).replace("'", "''")
