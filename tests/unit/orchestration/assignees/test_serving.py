"""Whom to propose: a short list per ticket, in the table of its own, and an empty one where none is open."""

import duckdb
import pandas as pd
import pytest

from ml.tasks import RANKER
from ml.tasks.scoring.model import ScoringModel
from ml.tasks.scoring.settings import ScoringConfig
from orchestration.domains.assignees.serving import load_candidates, propose
from tests.unit.ml import grouped


@pytest.fixture(scope="module")
def model() -> ScoringModel:
    config = ScoringConfig(
        validation_groups=3, test_groups=4, cv_folds=0, replicates=0, params={"n_estimators": 20}
    )
    return RANKER.train(grouped.dataset(), config).estimator


@pytest.fixture
def items() -> pd.DataFrame:
    newest = grouped.dataset().items.query("group_id == 'week-13'")
    tickets = [f"o/r#{1 + k // 20}" for k in range(len(newest))]
    return newest.assign(group_id=tickets, entity_id=[f"person{k % 20}" for k in range(len(newest))])


@pytest.fixture
def database() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(
        "create schema training; create table training.tickets_open as "
        "select 'o/r#' || n as item_id, 'o/r' as repository, n::bigint as number from range(1, 3) as t (n)"
    )
    return connection


def test_the_likeliest_people_of_every_open_ticket(
    model: ScoringModel, items: pd.DataFrame, database: duckdb.DuckDBPyConnection
) -> None:
    proposed = propose(items, model, "v1", most=3)
    scores = items.assign(score=model.score_new(items)["score"].to_numpy())
    for ticket, own in proposed.groupby("item_id"):
        best = scores[scores["group_id"] == ticket].nlargest(3, "score")["entity_id"]
        assert list(own["login"]) == list(best) and list(own["rank"]) == [1, 2, 3]
    load_candidates(database, proposed)
    rows = database.sql(
        "select item_id, repository, number, count(*), min(len(reasons)), any_value(model_version) "
        "from tickets.assignee_candidates group by all order by all"
    ).fetchall()
    # The third ticket is not open any more: nobody is proposed for it.
    assert rows == [("o/r#1", "o/r", 1, 3, 5, "v1"), ("o/r#2", "o/r", 2, 3, 5, "v1")]


def test_no_open_ticket_gives_an_empty_table(
    model: ScoringModel, items: pd.DataFrame, database: duckdb.DuckDBPyConnection
) -> None:
    load_candidates(database, propose(items, model, "v1", most=3))
    load_candidates(database, propose(items.head(0), model, "v1", most=3))
    table = database.sql("from tickets.assignee_candidates")
    assert table.fetchall() == [] and "probability" in table.columns
