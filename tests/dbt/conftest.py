"""The transforms under test: compiled once by dbt, then run on scratch databases in memory."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from orchestration.store.dbt_process import DBT
from tests.dbt.records import Record, raw_rows
from tests.once import made_once
from tests.paths import ROOT

Models = list[tuple[str, str]]  # name with schema, compiled SQL
Transform = Callable[[Iterable[Record]], duckdb.DuckDBPyConnection]


class Dbt:
    """dbt on this project, with every file that it writes in a scratch folder.

    What was parsed with some variables is of no use to others: who wants others takes a folder of its own.
    """

    def __init__(self, folder: Path, project: Path = ROOT / "dbt_project", **variables: Any) -> None:
        self.folder = folder
        self.project = project
        self.variables = variables

    def __call__(
        self, *arguments: str, database: Path | str = ":memory:"
    ) -> subprocess.CompletedProcess[str]:
        """Run one dbt command in a process of its own and return what it said.

        Only for a file of another name than `memory` would dbt parse again: tables are compiled with it.
        """
        project = str(self.project)
        command = [*DBT, *arguments]
        command += [
            "--project-dir",
            project,
            "--profiles-dir",
            project,
            "--vars",
            json.dumps(self.variables),
        ]
        command += ["--target-path", str(self.folder / "target"), "--log-path", str(self.folder / "logs")]
        environment = {**os.environ, "PIPELINE_DATABASE": str(database)}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def render(self, sql: str) -> str:
        """Render one statement with the project's macros."""
        done = self("compile", "--quiet", "--inline", sql)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def models(self) -> Models:
        """Compile the project and return its models."""
        done = self("compile", "--quiet")
        assert done.returncode == 0, done.stdout
        return self.compiled()

    def compiled(self) -> Models:
        """Return (schema.name, SQL) of every model and seed, in an order in which they can run."""
        nodes = json.loads((self.folder / "target" / "manifest.json").read_text())["nodes"]
        models = {key: node for key, node in nodes.items() if node["resource_type"] in ("model", "seed")}
        parents = {
            key: set(node["depends_on"].get("nodes", [])) & set(models) for key, node in models.items()
        }
        return [
            (f"{models[key]['schema']}.{models[key]['name']}", self._sql(models[key]))
            for key in TopologicalSorter(parents).static_order()
        ]

    def _sql(self, node: dict[str, Any]) -> str:
        if node["resource_type"] == "model":
            return str(node["compiled_code"])
        return (
            f"from read_csv('{self.project / node['original_file_path']}', header = true, all_varchar = true)"
        )


Tombstone = tuple[str, int, str, datetime]  # repository, number, reason, seen_at


def load(
    database: duckdb.DuckDBPyConnection, records: Iterable[Record], tombstones: Iterable[Tombstone] = ()
) -> None:
    """Create the raw tables and fill ``raw.issues`` and ``raw.tombstones``."""
    rows = pd.DataFrame(raw_rows(records))  # noqa: F841 - DuckDB reads it by its name
    for tables in sorted((ROOT / "warehouse").glob("raw*.sql")):
        database.execute(tables.read_text())
    database.execute(
        """
        insert into raw.issues
            (repository, number, record, updated_at, source, file, line, fetched_at, loaded_at)
        select repository, number, record, null, 'sample', 'test.jsonl', row_number() over (), now(), now()
        from rows
        """
    )
    for tombstone in tombstones:
        database.execute("insert into raw.tombstones values (?, ?, ?, ?)", list(tombstone))


def run_models(
    models: Models, records: Iterable[Record], tombstones: Iterable[Tombstone] = ()
) -> duckdb.DuckDBPyConnection:
    """Run compiled models on records in a new database in memory."""
    database = duckdb.connect()
    database.execute("set TimeZone = 'UTC'; set threads = 1")
    load(database, records, tombstones)
    for name, sql in models:
        database.execute(f"create schema if not exists {name.split('.')[0]}")
        database.execute(f"create table {name} as ({sql}\n)")
    return database


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of dbt after it has compiled the project, for all processes of this test run."""
    with made_once(tmp_path_factory, "dbt", lambda folder: Dbt(folder).models()) as folder:
        yield folder


@pytest.fixture(scope="session")
def dbt(compiled: Path, tmp_path_factory: pytest.TempPathFactory) -> Dbt:
    """dbt with its files in a scratch folder of this test process; it need not parse from the start."""
    folder = tmp_path_factory.mktemp("dbt")
    shutil.copytree(compiled / "target", folder / "target", copy_function=shutil.copyfile)
    return Dbt(folder)


@pytest.fixture(scope="session")
def every_model(compiled: Path) -> Models:
    """The project, compiled once."""
    return Dbt(compiled).compiled()


@pytest.fixture(scope="module")
def models(every_model: Models, request: pytest.FixtureRequest) -> Models:
    """Of the project what a file of tests says in `READS` that it reads, and all that this is made of."""
    needed = set(getattr(request.module, "READS", (name for name, _ in every_model)))
    for name, sql in reversed(every_model):
        if name in needed:
            needed |= {other for other, _ in every_model if '"."'.join(other.split(".")) in sql}
    return [model for model in every_model if model[0] in needed]


@pytest.fixture(scope="session")
def varied_models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Models]:
    """The project, compiled for another scope and other kinds of closings that count than by default."""

    def varied(folder: Path) -> Dbt:
        return Dbt(folder, ticket_scope="assigned", resolving_kinds=["completed", "stale"])

    with made_once(tmp_path_factory, "varied", lambda folder: varied(folder).models()) as folder:
        yield varied(folder).compiled()


@pytest.fixture(scope="module")
def transform(models: Models) -> Iterator[Transform]:
    """Run the models on records; the databases are closed at the end."""
    opened = []

    def run(records: Iterable[Record]) -> duckdb.DuckDBPyConnection:
        opened.append(run_models(models, records))
        return opened[-1]

    yield run
    for database in opened:
        database.close()
