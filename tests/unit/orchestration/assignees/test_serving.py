"""Whom to propose: a short list per ticket, in the table of its own, and an empty one where none is open."""

from dataclasses import replace

import duckdb
import pandas as pd
import pytest

from ml.data.dataset import Dataset
from ml.tasks import RANKER
from ml.tasks.scoring.model import ScoringModel
from ml.tasks.scoring.settings import ScoringConfig
from orchestration.domains.assignees.reasons import in_words
from orchestration.domains.assignees.serving import load_candidates, of_repositories, propose
from tests.unit.ml import grouped


@pytest.fixture(scope="module")
def model() -> ScoringModel:
    config = ScoringConfig(
        validation_groups=3, test_groups=4, cv_folds=0, replicates=0, params={"n_estimators": 20}
    )
    data = grouped.dataset()
    asked = Dataset(data.items, data.labels, replace(data.config, groups_are_questions=True))
    return RANKER.train(asked, config).estimator


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
        "select 'o/r#' || n as item_id, 'o/r' as repository, n::bigint as number from range(1, 3) as t (n);"
        "create schema staging;"
        "create table staging.stg_github__assignee (item_id varchar, assignee_login varchar)"
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
    first, second = proposed["login"].iloc[:2]
    held = [("o/r#1", first), ("o/r#2", first), ("o/r#3", second)]
    database.executemany("insert into staging.stg_github__assignee values (?, ?)", held)
    load_candidates(database, proposed)
    load = database.sql("select login, any_value(current_load) from tickets.assignee_candidates group by all")
    found = dict(load.fetchall())
    assert (found[first], found[second]) == (2, 0)
    assert rows == [("o/r#1", "o/r", 1, 3, 5, "v1"), ("o/r#2", "o/r", 2, 3, 5, "v1")]


def test_chances_leave_a_share_for_somebody_else_and_only_the_first_is_proposed(
    model: ScoringModel, items: pd.DataFrame
) -> None:
    everybody = propose(items, model, "v1", most=100)
    assert everybody.groupby("item_id")["probability"].sum().max() < 1
    assert (everybody.loc[everybody["is_confident"], "rank"] == 1).all()
    pd.testing.assert_frame_equal(
        propose(items, model, "v1", most=2), everybody[everybody["rank"] <= 2].reset_index(drop=True)
    )


@pytest.mark.parametrize(
    ("reasons", "values", "said"),
    [
        ([("is_author", 0.5), ("topic_handled_share", 0.2)], {"is_author": True, "topic_handled": 3},
         "opened the ticket; handled 3 tickets of its topic"),
        ([("is_author", 0.5), ("words_shared", 0.1)], {"is_author": False, "words_shared": 1},
         "handled tickets that share 1 word with it"),
        ([("handled_30d", -0.5), ("handled_180d", 0.4), ("handled_place_180d", 0.1)], {"handled_180d": 7},
         "handled 7 tickets in the last 180 days"),
        ([("days_since_handled", 0.3)], {"days_since_handled": 0.4}, "had a ticket closed 0 days before"),
        ([("author_handled", 0.3), ("something_new", 1.0)], {"author_handled": None}, "was seen here lately"),
        ([("acts_180d", 0.3)], {"acts_180d": float("nan")}, "was seen here lately"),
        ([], {}, "was seen here lately"),
    ],
)  # fmt: skip
def test_reasons_are_words_with_the_persons_numbers(
    reasons: list[tuple[str, float]], values: dict[str, object], said: str
) -> None:
    given = [{"feature": feature, "contribution": weight} for feature, weight in reasons]
    assert in_words(given, values) == said


def test_no_open_ticket_gives_an_empty_table(
    model: ScoringModel, items: pd.DataFrame, database: duckdb.DuckDBPyConnection
) -> None:
    load_candidates(database, propose(items, model, "v1", most=3))
    load_candidates(database, propose(items.head(0), model, "v1", most=3))
    table = database.sql("from tickets.assignee_candidates")
    assert table.fetchall() == [] and "probability" in table.columns


def test_only_the_repositories_that_are_named_are_served() -> None:
    items = pd.DataFrame({"item_id": ["a", "b", "c"], "slice_repo": ["x/y", "x/z", "x/y"]})
    assert list(of_repositories(items, ["x/y"])["item_id"]) == ["a", "c"]
    assert of_repositories(items, []) is items
    with pytest.raises(ValueError, match=r"\['x/w'\] have no open ticket"):
        of_repositories(items, ["x/y", "x/w"])
