"""What assets are given: the project's settings as a plain object. No work is done here."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
import duckdb
from pydantic import PrivateAttr

from ml.store.lock import only_one
from orchestration.declarations import Domain
from orchestration.settings import PROJECT_ROOT, Settings
from orchestration.store.publication import make_ready, publish
from orchestration.store.steps import Made, StepTable, hashes_of
from orchestration.store.warehouse import open_pipeline_database
from orchestration.tables import descriptions
from orchestration.views import VIEWS

# What every domain writes to; the tables of its own it declares.
SHARED_SCHEMAS = ("ml", "bias", "history", "feature_store")
# What stands for the published file among what steps made.
PUBLICATION = "publication"
# Stands for the hash of a published file that is still to be written.
_BEHIND = ""
# That whatever belongs into the file is ready: versions of the project before took part of it from elsewhere.
_READY = "ready"
# Whether the steps of this run are forks of this process: it holds the warehouse for all of them.
_forks_steps = False


class Project(dg.ConfigurableResource):
    """The project as a run sees it; the environment is read when an asset asks, not at import."""

    # Whether this process worked on the database since it looked whether the published file is as it must be.
    _is_behind: bool = PrivateAttr(default=False)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["Project"]:
        """Say what a run works on, and let no other run work on it meanwhile; its steps may be processes."""
        with self.under_way(context.run.run_id if context.run else ""):
            if context.log:
                described = self.settings().described().items()
                context.log.info("; ".join(f"{name}: {value}" for name, value in described))
            try:
                yield self
            finally:
                if self._is_behind and not _forks_steps:
                    self.write_published()

    @contextmanager
    def under_way(self, run_id: str) -> Iterator[None]:
        """Let no other run work on the warehouse; all processes of one may hold it together."""
        folder = self.settings().warehouse_dir
        with only_one(folder / ".run.lock", f"is under way in {folder}", run_id):
            yield

    @contextmanager
    def around_steps(self, run_id: str, *, use_database: bool) -> Iterator[None]:
        """Hold the warehouse while a run's steps are forked, and write the published file after the last."""
        global _forks_steps
        with self.under_way(run_id):
            _forks_steps = True
            try:
                yield
            finally:
                _forks_steps = False
            # One that was broken off leaves it to the next run.
            if use_database:
                self.write_published()

    def writes_at_the_end(self, executor: str) -> bool:
        """Whether the published file is written at the end of a run of this executor at the latest."""
        return _forks_steps or "in_process" in executor

    def settings(self) -> Settings:
        """The settings in force."""
        return Settings.from_environment()

    @contextmanager
    def database(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The pipeline's database, open for as long as the block runs."""
        settings = self.settings()
        with open_pipeline_database(
            settings.pipeline_database,
            # Another step of the run may be at work on it.
            wait_seconds=60 if settings.run_executor in ("in_process", "side_by_side") else 600,
            memory_limit=settings.duckdb_memory_limit,
        ) as database:
            self._is_behind = True
            yield database

    def publish(self, domain: Domain) -> dict[str, int]:
        """Let readers have the new results of a domain: the file is written when the step is over.

        Where the daily page is made in the same run it is written once for all steps, before the page. A run
        that fails before that writes it at its end; what a killed one had ready, the next one publishes.
        """
        file, names = self.settings().published_database, [one.name for one in domain.training_sets]
        with self.database() as database:
            rows = make_ready(database, SHARED_SCHEMAS, names, domain.tables)
            StepTable(database).remember(Made(PUBLICATION, "", _READY, {file.name: _BEHIND}, ""))
        return rows

    def write_published(self) -> None:
        """Replace the file that users read, unless it holds what is ready just as it was written."""
        settings = self.settings()
        with self.database() as database:
            table = StepTable(database)
            written = table.made_by(PUBLICATION)
            if written and written.version == _READY and not written.is_intact(settings.warehouse_dir):
                publish(database, settings.published_database, descriptions(), VIEWS)
                files = hashes_of([settings.published_database], settings.warehouse_dir)
                table.remember(Made(PUBLICATION, "", _READY, files, ""))
        self._is_behind = False

    def column_schema(self, table: str) -> dg.TableSchema:
        """The columns of a published table with their types, and what they mean."""
        schema, name = table.split(".")
        _, meanings = descriptions().get(table, ("", {}))
        with self.database() as database:
            columns = database.execute(
                "select column_name, data_type from duckdb_columns()"
                " where database_name = current_database() and schema_name = ? and table_name = ?"
                " order by column_index",
                [schema, name],
            ).fetchall()
        return dg.TableSchema(
            [dg.TableColumn(column, dtype, meanings.get(column)) for column, dtype in columns]
        )

    def git_sha(self) -> str:
        """Commit of the code that runs, `unknown` outside a git checkout."""
        answer = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=PROJECT_ROOT, capture_output=True, text=True, check=False
        )
        return answer.stdout.strip() or "unknown"
