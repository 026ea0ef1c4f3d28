"""From a run folder into DuckDB: metrics, predictions, models and bias tables of one training run.

The schemas `ml` and `bias` hold the newest run of each domain, `history` holds the metrics of all runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from ml.store.run_folder import RunFolder
from orchestration.store.warehouse import transaction

DDL = """
create schema if not exists ml;
create schema if not exists bias;
create schema if not exists history;
create schema if not exists tickets;
create table if not exists ml.runs (
    run_id varchar, domain varchar, snapshot_id varchar, started_at timestamp, finished_at timestamp,
    git_sha varchar, engine varchar, seed bigint, status varchar
);
create table if not exists ml.model_metrics (
    run_id varchar, domain varchar, task varchar, model varchar, split varchar, metric varchar,
    value double, ci_low double, ci_high double, n bigint
);
create table if not exists ml.predictions (
    run_id varchar, domain varchar, task varchar, model varchar, item_id varchar, event_at timestamp,
    split varchar, y_true double, y_pred double, p10 double, p90 double
);
create table if not exists ml.models (
    model_version varchar, run_id varchar, domain varchar, task varchar, model varchar, path varchar,
    sha256 varchar, params json, feature_list varchar[], alias varchar
);
create table if not exists history.model_metrics as from ml.model_metrics limit 0;
"""


@dataclass(frozen=True)
class CurrentRun:
    """The run whose results are in the schema `ml`: its name, its snapshot and its models."""

    run_id: str
    snapshot_id: str
    models: list[str]


def current_run(
    database: duckdb.DuckDBPyConnection, domain: str, tasks: Sequence[str] = ("regression",)
) -> CurrentRun:
    """The current run of a domain's tasks, which were trained together.

    Raises
    ------
    ValueError
        Nothing has been trained yet; the sentence says what to do.
    """
    database.execute(DDL)
    found = database.execute(
        """
        select run_id, any_value(runs.snapshot_id), list(models.model order by models.model)
        from ml.models as models inner join ml.runs as runs using (run_id, domain)
        where models.domain = $domain and list_contains($tasks, models.task)
        group by run_id
        """,
        {"domain": domain, "tasks": list(tasks)},
    ).fetchall()
    if not found:
        raise ValueError(f"No model of {domain} has been trained yet: materialize trained_models first.")
    return CurrentRun(*found[0])


def load_training(
    database: duckdb.DuckDBPyConnection, run_dir: Path, models: Sequence[str], *, is_served: bool = False
) -> None:
    """Bring models of a run folder into `ml` as the current ones; add to the history.

    Parameters
    ----------
    run_dir : Path
    models : sequence of str
    is_served : bool
        Models without rivals, such as a scorer: each is the champion, and takes the place of its own earlier
        version alone. Others are a leaderboard: they take the place of all models of their domain's task,
        and `set_champion` chooses one.
    """
    folder = RunFolder(run_dir)
    database.execute(DDL)
    with transaction(database):
        _load(database, folder, models, is_served)


def _load(
    database: duckdb.DuckDBPyConnection, folder: RunFolder, models: Sequence[str], is_served: bool
) -> None:
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
            )[]'
        })
        """,
        [[str(folder.evaluation_file(evaluation.model)) for evaluation in folder.evaluations(models)]],
    )
    # A model that was champion and is still the same stays it until the next choice.
    database.execute(
        """
        create or replace temp table reigning as
        select distinct model_version from ml.models where alias = 'champion'
        """
    )
    replaced = "(domain, task, model) in (select (domain, task, model) from evaluation)"
    if not is_served:
        replaced = "(domain, task) in (select (domain, task) from evaluation)"
    for table in ("ml.model_metrics", "ml.predictions", "ml.models"):
        database.execute(f"delete from {table} where {replaced}")  # noqa: S608 - our own names
    # A run that is loaded again takes the place of what the history has of it.
    database.execute(
        f"delete from history.model_metrics where {replaced} and run_id = ?",  # noqa: S608
        [folder.run_id],
    )
    for table in ("ml.model_metrics", "history.model_metrics"):
        database.execute(
            f"""
            insert into {table}
            select run_id, domain, task, model, unnest(metrics, recursive := true) from evaluation
            """  # noqa: S608
        )
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
            model_version, run_id, domain, task, model, model || '.skops', files[model || '.skops'], params,
            feature_list, if($is_served or model_version in (from reigning), 'champion', 'challenger')
        from evaluation
        """,
        {"is_served": is_served},
    )


def load_bias(
    database: duckdb.DuckDBPyConnection,
    run_dir: Path,
    domain: str,
    tables: Sequence[str],
    tasks: Sequence[str] = ("regression",),
) -> None:
    """Replace the domain's bias rows of some tasks with the folder's files; the history keeps every summary.

    How the items are spread over the slices is the same for every task, so `bias.distribution` has none.
    """
    folder = RunFolder(run_dir)
    database.execute(DDL)
    with transaction(database):
        for table in tables:
            file = str(folder.table_file(table))
            _replace_rows(database, f"bias.{table}", file, "domain", domain, tasks)
            if table == "summary":
                _replace_rows(database, "history.bias_summary", file, "run_id", folder.run_id, tasks)


def set_champion(database: duckdb.DuckDBPyConnection, domain: str, task: str, model: str | None) -> None:
    """Give one model of a domain's task the alias champion, and every other one challenger."""
    database.execute(
        "update ml.models set alias = case when model = ? then 'champion' else 'challenger' end "
        "where domain = ? and task = ?",
        [model, domain, task],
    )


def _replace_rows(
    database: duckdb.DuckDBPyConnection, table: str, file: str, key: str, value: str, tasks: Sequence[str]
) -> None:
    """Rows of the `tasks` whose `key` is `value` give way to the file's; missing columns are added."""
    schema, name = table.split(".")
    database.execute(f"create table if not exists {table} as from read_parquet(?) limit 0", [file])
    known = {
        row[0]
        for row in database.execute(
            "select column_name from duckdb_columns() where schema_name = ? and table_name = ?",
            [schema, name],
        ).fetchall()
    }
    for column, dtype, *_ in database.execute("describe from read_parquet(?)", [file]).fetchall():
        if column not in known:
            database.execute(f'alter table {table} add column "{column}" {dtype}')
    of_tasks = " and list_contains($tasks, task)" if "task" in known else ""
    database.execute(
        f"delete from {table} where {key} = $value{of_tasks}",  # noqa: S608 - our own names
        {"value": value} | ({"tasks": list(tasks)} if of_tasks else {}),
    )
    database.execute(f"insert into {table} by name from read_parquet(?)", [file])


@dataclass(frozen=True)
class Champion:
    """The model that is served."""

    model: str
    model_version: str
    run_id: str
    snapshot_id: str


def champion(database: duckdb.DuckDBPyConnection, domain: str, task: str = "regression") -> Champion | None:
    """The champion of a domain's task; none when every model was refused."""
    found = database.execute(
        """
        select models.model, models.model_version, models.run_id, runs.snapshot_id
        from ml.models as models inner join ml.runs as runs using (run_id, domain)
        where models.domain = ? and models.task = ? and models.alias = 'champion'
        """,
        [domain, task],
    ).fetchall()
    return Champion(*found[0]) if found else None


def load_ticket_predictions(database: duckdb.DuckDBPyConnection, predictions: pa.Table) -> None:
    """Replace `tickets.predictions` by the rows given."""
    database.execute(DDL)
    database.register("predicted", predictions)
    database.execute(
        "create or replace table tickets.predictions as from predicted order by repository, number"
    )
    database.unregister("predicted")
