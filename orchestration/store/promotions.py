"""The journal of the promotions into DuckDB: `ml.promotions`, and the champion among `ml.models`."""

import json
from dataclasses import asdict
from pathlib import Path

import duckdb

from ml.store.promotions import KEPT, Promotion, Promotions, kept_folder
from orchestration.store.results import CURRENT, DDL, CurrentModel, insert_models, read_run
from orchestration.store.warehouse import quoted, transaction


def follow_promotions(
    database: duckdb.DuckDBPyConnection, runs_dir: Path, domain: str, task: str
) -> Promotion | None:
    """Make the champion of the journal the champion of `ml`, and of nobody else; the journal's last word.

    One that is not on the leaderboard any more joins it from where promoted versions are kept, with its
    figures and bias. Without a line about the task in the journal nothing is changed.
    """
    history = Promotions(runs_dir).of(domain, task)
    if not history:
        return None
    champion = history[-1]
    database.execute(DDL)
    with transaction(database):
        database.execute("delete from ml.promotions where domain = ? and task = ?", [domain, task])
        for one in history:
            row = asdict(one) | {"figures": json.dumps(one.figures)}
            names = ", ".join(row)
            values = ", ".join(f"${name}" for name in row)
            database.execute(f"insert into ml.promotions ({names}) values ({values})", row)  # noqa: S608
        _take_out_kept(database, domain, task)
        ((is_there,),) = database.execute(
            "select count(*) > 0 from ml.models where domain = ? and task = ? and model_version = ?",
            [domain, task, champion.to_version],
        ).fetchall()
        if not is_there:
            _bring_in_kept(database, runs_dir, champion)
        database.execute(
            "update ml.models set alias = if(model_version = ?, 'champion', 'challenger')"
            " where domain = ? and task = ?",
            [champion.to_version, domain, task],
        )
    return champion


def champion(database: duckdb.DuckDBPyConnection, domain: str, task: str) -> CurrentModel | None:
    """The champion of a domain's task; none when every model was refused, or none was chosen yet."""
    database.execute(DDL)
    found = database.execute(
        """
        select
            models.domain, models.task, models.model, models.model_version, models.alias, models.run_id,
            runs.snapshot_id
        from ml.models as models inner join ml.runs as runs using (run_id, domain)
        where models.domain = ? and models.task = ? and models.alias = 'champion'
        order by runs.started_at, models.run_id, models.model
        """,
        [domain, task],
    ).fetchall()
    return CurrentModel(*found[-1]) if found else None


def _bias_tables(database: duckdb.DuckDBPyConnection) -> list[str]:
    """Those whose rows are about one model."""
    found = database.execute(
        """
        select table_name from duckdb_columns()
        where database_name = current_database() and schema_name = 'bias' and column_name in ('task', 'model')
        group by table_name having count(*) = 2 order by table_name
        """
    ).fetchall()
    return [name for (name,) in found]


def _take_out_kept(database: duckdb.DuckDBPyConnection, domain: str, task: str) -> None:
    for table in (*CURRENT, *(f"bias.{name}" for name in _bias_tables(database))):
        database.execute(
            f"delete from {table} where domain = ? and task = ? and starts_with(run_id, ?)",  # noqa: S608
            [domain, task, KEPT],
        )


def _bring_in_kept(database: duckdb.DuckDBPyConnection, runs_dir: Path, champion: Promotion) -> None:
    folder = kept_folder(runs_dir, champion.to_version)
    read_run(database, folder, [champion.model])
    insert_models(database, folder, [champion.model])
    for table in _bias_tables(database):
        if folder.has_table(table):
            name = f"bias.{quoted(table)}"
            known = [column for column, *_ in database.execute(f"describe {name}").fetchall()]
            file = str(folder.table_file(table))
            there = [
                column for column, *_ in database.execute("describe from read_parquet(?)", [file]).fetchall()
            ]
            common = ", ".join(quoted(column) for column in there if column in known)
            database.execute(f"insert into {name} by name select {common} from read_parquet(?)", [file])  # noqa: S608
