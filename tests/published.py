"""A published file: a small one as the pipeline leaves it, or of whatever is in a pipeline's database."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from orchestration.store.publication import make_ready
from orchestration.store.publication import publish as write
from orchestration.store.warehouse import open_pipeline_database
from orchestration.tables import RESULTS, SERVED

HOSTILE = '</script><img src=x onerror="alert(1)"> & more'
ORIGIN: Mapping[str, Any] = {"run_id": "r1", "domain": "tickets", "task": "regression"}


def publish(
    pipeline: Path, published: Path, schemas: Sequence[str], domains: Sequence[str] | None = None, **how: Any
) -> dict[str, int]:
    """Make the schemas ready, and write the published file; rows per table."""
    with open_pipeline_database(pipeline) as database:
        rows = make_ready(database, schemas, domains)
        write(database, published, **how)
    return rows


def write_published(path: Path, tickets: int = 4) -> Path:
    """Write a published file: so many open tickets of two repositories, number 1 the likeliest to stay open.

    The champion is `linear`; ticket 2 is overdue, ticket 3 has no prediction, ticket 4 a hostile title.
    """
    with duckdb.connect(str(path)) as database:
        database.execute("create schema bias; create schema tickets; create schema feature_store")
        database.execute("".join(table.ddl for table in (*RESULTS, *SERVED)))
        insert(
            database,
            "ml.runs",
            **ORIGIN,
            snapshot_id="s" * 40,
            finished_at="2026-01-01",
            git_sha="c" * 40,
            seed=7,
        )
        for model, error in (("linear", 1.5), ("median", 2.5)):
            alias = "champion" if model == "linear" else "challenger"
            version = f"{model}-1"
            insert(database, "ml.models", **ORIGIN, model=model, model_version=version, alias=alias)
            figures = {"mae_log": error, "auc_7d": 0.75, "ece_7d": 0.04, "rate_7d": 0.5}
            for metric, value in figures.items():
                row = {"model": model, "split": "test", "metric": metric, "value": value, "n": 90}
                insert(
                    database, "ml.model_metrics", **ORIGIN, **row, ci_low=value - 0.01, ci_high=value + 0.01
                )
        left = {**ORIGIN, "domain": "remaining", "run_id": "r2", "model": "remaining"}
        insert(database, "ml.models", **left, model_version="remaining-1", alias="champion")
        for band, off in (("beyond_365d", 0.09), ("0d", 0.01), ("to_1d", 0.02)):
            for metric, value in (("remaining_ece", off), ("remaining_coverage_80", 0.8 + off)):
                row = {"split": "test", "metric": f"{metric}_age_{band}", "value": value, "n": 70}
                insert(database, "ml.model_metrics", **left, **row)
        for number, hours in enumerate((10.0, 11.0, 12.0, 4000.0)):
            insert(
                database,
                "ml.predictions",
                **ORIGIN,
                model="linear",
                item_id=f"a/b#9{number}",
                split="test",
                y_true=hours,
                y_pred=10.0,
            )
        for repository in ("a/b", "a/c"):
            insert(
                database,
                "tickets.repositories",
                repository=repository,
                source="archive",
                is_synthetic=False,
                observed_until="2026-01-02",
            )
        database.execute(
            """
            create table bias.ranking_concentration as
                select
                    'assignee_ranker' as model, 'test' as split, '(all)' as dimension, who, 0.9 as gini,
                    null::double as ci_low, null::double as ci_high, share as top_share, 70 as n_lists
                from
                    (values ('ranked_first', 0.14), ('first_by_most_active', 0.28), ('relevant', 0.11))
                        as people (who, share)
            """
        )
        for number in range(1, tickets + 1):
            ticket = {"item_id": f"a/{'bc'[number % 2]}#{number}", "repository": f"a/{'bc'[number % 2]}"}
            insert(
                database,
                "tickets.predictions",
                **ticket,
                number=number,
                title=HOSTILE if number == 4 else f"The thing number {number} breaks",
                url="javascript:alert(1)" if number == 4 else f"https://example.org/{number}",
                author="=cmd()" if number == 4 else "ann",
                labels=["bug", f"area-{number % 3}"],
                age_days=float(number),
                is_overdue=number == 2,
                triage_rank=number,
                reasons=[{"effect": "later", "reason": "no answer for 12 days"}],
                is_answered=number == 1,
                scored_at="2026-01-03 04:05:06",
                **(
                    {"reason": "It has no features."}
                    if number == 3
                    else {
                        "remaining_hours": 24.0 * number,
                        "remaining_p10": 12.0 * number,
                        "remaining_p90": 48.0 * number if number != 2 else 1e6,
                        "p_within_7d": number / (tickets + 1),
                        "p_within_30d": number / (tickets + 1),
                    }
                ),
            )
            for rank, login in enumerate(("bob", "cid", "dan", "eve"), start=1):
                insert(
                    database,
                    "tickets.assignee_candidates",
                    **ticket,
                    number=number,
                    login=login,
                    rank=rank,
                    probability=0.5 / rank,
                    current_load=rank,
                    reasons=[{"feature": "acts_share_30d", "contribution": 0.5}],
                )
            insert(
                database,
                "tickets.similar",
                **ticket,
                number=number,
                similar_item_id="a/b#77",
                rank=1,
                state="closed",
                score=0.9,
                title="It broke before",
                url="https://example.org/77",
                resolution_hours=48.0,
                resolution_kind="duplicate",
            )
        _serve(database)
        database.execute(
            """
            create table feature_store.feature_registry (feature varchar, description varchar);
            insert into feature_store.feature_registry values
                ('acts_share_30d', 'Share of the work of 30 days. x');
            create table bias.summary (
                run_id varchar, domain varchar, task varchar, model varchar, split varchar, dimension varchar,
                verdict varchar, worst_slice varchar, relative_gap double, shrunk_gap double, flagged boolean,
                is_outcome boolean
            );
            insert into bias.summary values
                ('r1', 'tickets', 'regression', 'linear', 'test', 'repo', 'biased', 'a/c', 0.5, 0.4, true,
                 false),
                ('r1', 'tickets', 'regression', 'linear', 'test', 'label', 'no bias found', 'bug', 0.1, 0.1,
                 false, false)
            """
        )
    return path


def _serve(database: duckdb.DuckDBPyConnection) -> None:
    """Service levels: a/b answers in hours and closes nearly all, of a/c it is not known when it closes."""
    served = {"period": "last 365 days", "group": "all", "n": 50, "n_censored": 3}
    for repository, metric, value, low, high in (
        ("a/b", "time_to_first_response_median", 5.25, 4.0, 7.5),
        ("a/b", "time_to_close_final_median", 240.0, 120.0, None),
        ("a/b", "closed_within_7d", 0.25, 0.2, 0.3),
        ("a/b", "closed_within_90d", 0.95, 0.9, 0.97),
        ("a/c", "time_to_first_response_median", 96.0, 72.0, 144.0),
        ("a/c", "time_to_close_final_median", None, 670.0, None),
        ("a/c", "closed_within_7d", 0.125, 0.1, 0.15),
        ("a/c", "closed_within_90d", None, None, None),
    ):
        level = {"repository": repository, "metric": metric, "value": value, "ci_low": low, "ci_high": high}
        reason = None if value is not None else "not reached"
        insert(database, "tickets.service_metrics", **served, **level, reason=reason)
        # Of others than all together, and of other times, which the page does not mean.
        aside = {**served, **level, "value": 0.9, "ci_low": None, "ci_high": None}
        insert(database, "tickets.service_metrics", **aside | {"period": "2024"})
        insert(database, "tickets.service_metrics", **aside | {"group": "bot"})
    for repository, days, difference, q_value in (
        ("(all)", 2, 0.5, 0.001),
        ("(all)", 7, 0.0625, 0.01),
        ("a/b", 7, -0.03, 0.02),
        ("a/c", 7, 0.2, 0.5),
    ):
        insert(
            database,
            "tickets.response_gaps",
            repository=repository,
            horizon_days=days,
            n_newcomers=40,
            n_regulars=60,
            share_waiting_newcomers=0.4,
            share_waiting_regulars=0.3,
            raw_difference=0.1,
            adjusted_difference=difference,
            ci_low=difference - 0.05,
            ci_high=difference + 0.05,
            overlap=0.83,
            q_value=q_value,
        )
    for repository, metric, q_value in (
        ("a/b", "closed_within_30d", 0.04),
        ("a/c", "closed_within_30d", float("nan")),
        ("a/c", "closed_within_7d", 0.001),
    ):
        row = {"repository": repository, "period": "last 365 days", "metric": metric, "group": "newcomer"}
        figures = {"reference": "regular", "value": -0.125, "q_value": q_value}
        insert(database, "tickets.service_differences", **row, **figures)


def insert(database: duckdb.DuckDBPyConnection, table: str, **row: Any) -> None:
    """Insert one row, what is not named is null; of the origin only what the table has."""
    known = {name for name, *_ in database.execute(f"describe {table}").fetchall()}
    named = {name: value for name, value in row.items() if name in known or name not in ORIGIN}
    names, values = ", ".join(f'"{name}"' for name in named), ", ".join(f"${name}" for name in named)
    database.execute(f"insert into {table} ({names}) values ({values})", named)
