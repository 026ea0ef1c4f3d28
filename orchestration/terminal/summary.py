"""What a run brought, from the files that it left: the published one is read as any client would read it."""

from collections.abc import Iterator

import duckdb

from ml.store.run_folder import RunFolder
from orchestration.page.write import LATEST, PAGE
from orchestration.settings import Settings
from orchestration.store.warehouse import open_pipeline_database

_CHAMPION = """
    select
        models.run_id, models.model, error.value, error.ci_low, error.ci_high, error.n,
        gain.value, gain.ci_low, gain.ci_high
    from ml.models as models
    left join ml.model_metrics as error
        on error.run_id = models.run_id and error.model = models.model and error.split = 'test'
        and error.metric = 'mae_log'
    left join ml.model_metrics as gain
        on gain.run_id = models.run_id and gain.model = models.model and gain.split = 'test'
        and gain.metric = 'mae_log_gain_vs_median'
    where models.domain = 'tickets' and models.task = 'regression' and models.alias = 'champion'
"""
_LEADERS = """
    select models.model, models.alias, value, ci_low, ci_high
    from ml.models as models
    inner join ml.model_metrics as error using (run_id, domain, task, model)
    where domain = 'tickets' and task = 'regression' and split = 'test' and metric = 'mae_log'
    order by value, models.model
    limit 3
"""
_BIAS = """
    select verdict, dimension, worst_slice
    from bias.summary
    inner join ml.models using (run_id, domain, task, model)
    where
        domain = 'tickets' and task = 'regression' and alias = 'champion' and split = 'test'
        and not is_outcome
    order by flagged desc, shrunk_gap desc nulls last, dimension
"""


def summary(settings: Settings) -> Iterator[tuple[str, str]]:
    """What came out, as pairs of a heading and a sentence; what a run did not make is left out."""
    with open_pipeline_database(settings.pipeline_database) as database:
        yield from _issues(database)
    published = settings.published_database
    if not published.exists():
        return
    # Others may have written into this file: nothing in it may reach for the rest of the machine.
    with duckdb.connect(
        str(published), read_only=True, config={"enable_external_access": "false"}
    ) as database:
        tables = {f"{schema}.{table}" for schema, table in _tables(database)}
        if {"ml.models", "ml.model_metrics"} <= tables:
            yield from _champion(database, settings)
        if {"ml.models", "ml.model_metrics"} <= tables:
            yield from _leaderboard(database)
        if {"ml.models", "bias.summary"} <= tables:
            yield from _bias(database)
        if "tickets.predictions" in tables:
            open_tickets = database.execute("select count(*) from tickets.predictions").fetchall()[0][0]
            yield "Open tickets", f"{open_tickets:,} with predicted hours, in tickets.predictions"
    page = settings.reports_dir / LATEST / PAGE
    if page.exists():
        yield "Daily page", str(page)
    yield "Published", str(published)


def _issues(database: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, str]]:
    rows, repositories, source, is_synthetic = database.execute(
        """
        select count(*), count(distinct repository), max(source), bool_and(source = 'sample')
        from raw.issues
        """
    ).fetchall()[0]
    rejected = database.execute("select coalesce(sum(rejected), 0) from raw.loads").fetchall()[0][0]
    if rows:
        nature = "SYNTHETIC, from the embedded sample" if is_synthetic else f"from {source}"
        yield (
            "Issues",
            (
                f"{rows:,} of {repositories:,} repositories, {nature}; {rejected:,} records rejected"
                + (" (see raw.rejected_records)" if rejected else "")
            ),
        )


def _champion(database: duckdb.DuckDBPyConnection, settings: Settings) -> Iterator[tuple[str, str]]:
    found = database.execute(_CHAMPION).fetchall()
    if not found:
        yield "Champion", "none: no model passed, see the log"
        return
    run_id, model, error, low, high, n, gain, gain_low, gain_high = found[0]
    told = f"{model}"
    if error is not None:
        told += f": mean error of log hours {_interval(error, low, high)} on {n:,} test tickets"
    if gain is not None:
        verdict = "beats" if gain_low is not None and gain_low > 0 else "does not beat"
        told += f"; {verdict} the median ({_interval(gain, gain_low, gain_high)} better)"
    yield "Champion", told
    page = RunFolder(settings.runs_dir / run_id).page
    if page.exists():
        yield "Bias report", str(page)


def _leaderboard(database: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, str]]:
    for place, (model, alias, error, low, high) in enumerate(database.execute(_LEADERS).fetchall(), start=1):
        crown = ", champion" if alias == "champion" else ""
        yield (
            "" if place > 1 else "Leaderboard",
            f"{place}. {model:<20} {_interval(error, low, high)}{crown}",
        )


def _bias(database: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, str]]:
    rows = database.execute(_BIAS).fetchall()
    if not rows:
        return
    told = []
    for verdict in dict.fromkeys(row[0] for row in rows):
        dimensions = [dimension for said, dimension, _ in rows if said == verdict]
        told.append(f"{verdict} ({', '.join(dimensions)})")
    yield "Bias", "; ".join(told)
    _, dimension, worst = rows[0]
    if worst is not None:
        yield "Worst slice", f"{dimension} = {worst}"


def _interval(value: float, low: float | None, high: float | None) -> str:
    return f"{value:.2f}" if low is None or high is None else f"{value:.2f} [{low:.2f}, {high:.2f}]"


def _tables(database: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """Of tables alone: a view is not what was published."""
    return database.execute("select schema_name, table_name from duckdb_tables()").fetchall()
