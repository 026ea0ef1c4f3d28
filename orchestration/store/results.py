"""From run folders into DuckDB: metrics, predictions, models and bias tables; and what assets make of them.

The schemas `ml` and `bias` hold the current models of each domain, `history` holds the metrics of all runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from ml.store.promotions import KEPT
from ml.store.run_folder import RunFolder
from orchestration.store.warehouse import transaction
from orchestration.tables import RESULTS, Table

DDL = "create schema if not exists bias;" + "".join(table.ddl for table in RESULTS)
CURRENT = ("ml.model_metrics", "ml.horizon_metrics", "ml.predictions", "ml.models")
_SAME_MODEL = "(domain, task, model) in (select (domain, task, model) from evaluation)"


@dataclass(frozen=True)
class CurrentModel:
    """A row of `ml.models` with the snapshot that it was trained on."""

    domain: str
    task: str
    model: str
    model_version: str
    alias: str
    run_id: str
    snapshot_id: str


def current_models(
    database: duckdb.DuckDBPyConnection, domain: str, tasks: Sequence[str]
) -> list[CurrentModel]:
    """The current models of a domain's tasks, the newest run last; they may lie in several folders.

    A champion that is kept from an earlier leaderboard is none of them.
    """
    database.execute(DDL)
    found = database.execute(
        """
        select
            models.domain, models.task, models.model, models.model_version, models.alias, models.run_id,
            runs.snapshot_id
        from ml.models as models inner join ml.runs as runs using (run_id, domain)
        where models.domain = ? and list_contains(?, models.task) and not starts_with(models.run_id, ?)
        order by runs.started_at, models.run_id, models.model
        """,
        [domain, list(tasks), KEPT],
    ).fetchall()
    return [CurrentModel(*row) for row in found]


def set_champion(database: duckdb.DuckDBPyConnection, domain: str, task: str, model: str | None) -> None:
    """Give one model of a domain's task the alias champion, and every other one challenger."""
    database.execute(
        "update ml.models set alias = case when model = ? then 'champion' else 'challenger' end "
        "where domain = ? and task = ?",
        [model, domain, task],
    )


def retire_models(
    database: duckdb.DuckDBPyConnection, domain: str, task: str, remaining: Sequence[str]
) -> None:
    """Take every model of a domain's task but the remaining ones out of `ml`; the history keeps them."""
    with transaction(database):
        for table in CURRENT:
            database.execute(
                f"delete from {table} where domain = ? and task = ? and not list_contains(?, model)",  # noqa: S608
                [domain, task, list(remaining)],
            )


def load_training(
    database: duckdb.DuckDBPyConnection,
    run_dir: Path,
    models: Sequence[str],
    *,
    is_served: bool = False,
    is_current: bool = True,
) -> None:
    """Bring models of a run folder into the history, and into `ml` in place of those of the same name.

    Parameters
    ----------
    run_dir : Path
    models : sequence of str
    is_served : bool
        Models without rivals, such as a scorer: each is the champion. Of others, `set_champion` chooses one.
    is_current : bool
        False for an experiment, which only the history and `ml.runs` remember.
    """
    folder = RunFolder(run_dir)
    database.execute(DDL)
    with transaction(database):
        read_run(database, folder, models)
        # A run that is loaded again takes the place of what the history has of it.
        database.execute(
            f"delete from history.model_metrics where {_SAME_MODEL} and run_id = ?",  # noqa: S608
            [folder.run_id],
        )
        _insert_metrics(database, "history.model_metrics")
        if is_current:
            _make_current(database, folder, models, is_served)


def read_run(database: duckdb.DuckDBPyConnection, folder: RunFolder, models: Sequence[str]) -> None:
    """Load the run; the evaluations of some of its models are at hand as a temporary table."""
    # A model that was champion and is still the same stays it until the next choice.
    database.execute(
        """
        create or replace temp table reigning as
        select distinct model_version from ml.models where alias = 'champion'
        """
    )
    for run in folder.runs():
        keys = [run["run_id"], run["domain"]]
        database.execute("delete from ml.runs where run_id = ? and domain = ?", keys)
        database.execute(
            "insert into ml.runs values ($run_id, $domain, $snapshot_id, $started_at, $finished_at, "
            "$git_sha, $engine, $seed, $status)",
            run,
        )
    database.execute(
        """
        create or replace temp table evaluation as
        from read_json(?, maximum_object_size = 100000000, columns = {
            model_version: 'varchar', run_id: 'varchar', domain: 'varchar', task: 'varchar', model: 'varchar',
            params: 'json', feature_list: 'varchar[]', files: 'map(varchar, varchar)',
            metrics: 'struct(
                split varchar, metric varchar, value double, ci_low double, ci_high double, n bigint
            )[]',
            horizon_metrics: 'struct(
                split varchar, observed_after_days double, horizon_days double,
                metric varchar, value double, ci_low double, ci_high double, n bigint
            )[]'
        })
        """,
        [[str(folder.evaluation_file(evaluation.model)) for evaluation in folder.evaluations(models)]],
    )


def _make_current(
    database: duckdb.DuckDBPyConnection, folder: RunFolder, models: Sequence[str], is_served: bool
) -> None:
    for table in CURRENT:
        database.execute(f"delete from {table} where {_SAME_MODEL}")  # noqa: S608 - our own names
    insert_models(database, folder, models, is_served)


def insert_models(
    database: duckdb.DuckDBPyConnection, folder: RunFolder, models: Sequence[str], is_served: bool = False
) -> None:
    """Bring models that `read_run` read into `ml`."""
    _insert_metrics(database, "ml.model_metrics")
    _insert_metrics(database, "ml.horizon_metrics", "horizon_metrics")
    for model in models:
        database.execute(
            """
            insert into ml.predictions
            select run_id, domain, task, model, item_id, event_at, split, y_true, y_pred, p10, p90
            from read_parquet($file), (from evaluation where model = $model)
            """,
            {"file": str(folder.predictions_file(model)), "model": model},
        )
        database.execute(
            """
            insert into ml.models
            select
                model_version, run_id, domain, task, model, $file, files[$file], params, feature_list,
                if($is_served or model_version in (from reigning), 'champion', 'challenger')
            from evaluation where model = $model
            """,
            {"file": folder.model_file(model).name, "model": model, "is_served": is_served},
        )


def _insert_metrics(database: duckdb.DuckDBPyConnection, table: str, of: str = "metrics") -> None:
    database.execute(
        f"""
        insert into {table}
        select run_id, domain, task, model, unnest({of}, recursive := true) from evaluation
        """  # noqa: S608 - our own names
    )


def load_bias(
    database: duckdb.DuckDBPyConnection,
    domain: str,
    tasks: Sequence[str],
    run_dirs: Sequence[Path],
    tables: Sequence[str],
) -> None:
    """Replace the bias rows of a domain's tasks by the files of the folders that its current models are in.

    The history keeps every summary. How the items are spread over the slices is the same for every task and
    model, so `bias.distribution` is that of the last folder.
    """
    database.execute(DDL)
    with transaction(database):
        for table in tables:
            folders = [RunFolder(run_dir) for run_dir in run_dirs]
            there = [str(folder.table_file(table)) for folder in folders if folder.has_table(table)]
            _replace_rows(database, f"bias.{table}", there, domain, tasks)
            if table == "summary":
                _replace_rows(database, "history.bias_summary", there, domain, tasks, only_runs=True)


def _replace_rows(
    database: duckdb.DuckDBPyConnection,
    table: str,
    files: Sequence[str],
    domain: str,
    tasks: Sequence[str],
    only_runs: bool = False,
) -> None:
    """A domain's rows of some tasks, or of the files' runs, give way to the files'; columns are added."""
    known: set[str] = set()
    for file in files:
        database.execute(f"create table if not exists {table} as from read_parquet(?) limit 0", [file])
        known = {name for name, *_ in database.execute(f"describe {table}").fetchall()}
        for column, dtype, *_ in database.execute("describe from read_parquet(?)", [file]).fetchall():
            if column not in known:
                database.execute(f'alter table {table} add column "{column}" {dtype}')
    if not files:
        return
    replaced = "domain = $domain"
    values: dict[str, Any] = {"domain": domain}
    if "task" in known:
        replaced, values["tasks"] = f"{replaced} and list_contains($tasks, task)", list(tasks)
    else:
        files = files[-1:]
    if only_runs:
        replaced += " and run_id in (select run_id from read_parquet($files))"
        values["files"] = list(files)
    database.execute(f"delete from {table} where {replaced}", values)  # noqa: S608 - our own names
    rows = "from read_parquet(?, union_by_name = true) where domain = ?"
    database.execute(f"insert into {table} by name {rows}", [list(files), domain])


def replace_table(database: duckdb.DuckDBPyConnection, table: Table, rows: pd.DataFrame, order: str) -> None:
    """Put rows, ordered by some columns, into a table in place of what was there; none leave it empty."""
    with transaction(database):
        write_table(database, table, rows, order)


def write_table(database: duckdb.DuckDBPyConnection, table: Table, rows: pd.DataFrame, order: str) -> None:
    """Do as `replace_table` inside a transaction of the caller's."""
    database.execute(f"drop table if exists {table.name}")
    database.execute(table.ddl)
    if rows.empty:  # a frame without rows has no types that SQL could read
        return
    database.register("written", pa.Table.from_pandas(rows, preserve_index=False))
    database.execute(f"insert into {table.name} by name from written order by {order}")
    database.unregister("written")
