"""What is said of open tickets: true to the model of the remaining time, and never of the past."""

import duckdb
import numpy as np
import pandas as pd
import pytest

from ml.tasks import RANKER, REMAINING
from ml.tasks.remaining.model import RemainingModel
from ml.tasks.remaining.settings import RemainingConfig
from ml.tasks.scoring.settings import ScoringConfig
from orchestration.domains.tickets.serving.predictions import OpenTickets, load_predictions, predict_open
from orchestration.domains.tickets.serving.served import Served
from orchestration.facts import FACTS
from tests.unit.ml import grouped, lives

WEB = "https://example.org"
CHANCES = [f"p_within_{days}d" for days in FACTS["horizons_days"]]


@pytest.fixture(scope="module")
def model() -> RemainingModel:
    params = {"n_estimators": 60, "learning_rate": 0.1, "num_leaves": 7}
    config = RemainingConfig(params=params, replicates=0, seeds=1, origins=2)
    return REMAINING.train(lives.dataset(1500), config).estimator


@pytest.fixture(scope="module")
def opened() -> OpenTickets:
    """Machines that still run at the end of the watch; one more ticket has no features."""
    items, labels = lives.frames(1500, seed=1)
    end = labels["observed_until"].max()
    running = labels.loc[labels["is_censored"], "item_id"]
    created = items[(items["age_days"] == 0) & items["item_id"].isin(running)].reset_index(drop=True)
    age = (end - created["event_at"]) / pd.Timedelta(days=1)
    now = created.assign(
        event_at=end, age_days=age, n_comments_member=0, n_comments_other=2, waiting_days=5.0
    )
    now.loc[0, ["n_comments_member", "n_comments_other"]] = [pd.NA, pd.NA]
    now.loc[1, "n_comments_other"] = 0
    tickets = pd.DataFrame(
        {
            "item_id": [*created["item_id"], "bare"],
            "repository": "o/r",
            "number": np.arange(len(created) + 1),
            "title": "It fails",
            "author": "ann",
            "labels": [["bug"]] * (len(created) + 1),
            "age_days": [*age, 3.0],
            "is_on_github": [False, *[True] * len(created)],
            "created_at": [*created["event_at"], end],
            "observed_at": end,
        }
    )
    return OpenTickets(tickets, now, created)


@pytest.fixture(scope="module")
def rows(model: RemainingModel, opened: OpenTickets) -> pd.DataFrame:
    """As they stand in the table."""
    with duckdb.connect() as database:
        load_predictions(database, predict_open(opened, Served(remaining=(model, "v1")), WEB), days_kept=9)
        return database.sql("from tickets.predictions order by number").df()


def test_one_row_per_open_ticket_with_a_prediction_or_a_reason(
    opened: OpenTickets, rows: pd.DataFrame
) -> None:
    assert list(rows["item_id"]) == list(opened.tickets["item_id"])
    assert rows["reason"].notna().tolist() == [*[False] * (len(rows) - 1), True]
    assert rows["remaining_hours"].isna().tolist() == rows["reason"].notna().tolist()
    assert rows["url"].isna().tolist() == [True, *[False] * (len(rows) - 1)]
    assert rows["url"].iloc[1] == f"{WEB}/o/r/issues/1"
    answered = rows["is_answered"].astype(object).where(rows["is_answered"].notna(), None)
    assert answered.tolist()[:3] == [None, False, True]


def test_no_closing_is_in_the_past_and_chances_rise(rows: pd.DataFrame) -> None:
    told = rows[rows["reason"].isna()]
    assert (told["remaining_p10"] >= 0).all()
    assert (told["remaining_p10"] <= told["remaining_hours"]).all()
    assert (told["remaining_hours"] <= told["remaining_p90"]).all()
    dated = told[told["expected_closing_at"].notna()]
    assert (dated["expected_closing_at"] >= dated["observed_at"]).all() and len(dated) > 100
    whole, left = (
        told[["predicted_hours", "p10", "p90"]],
        told[["remaining_hours", "remaining_p10", "remaining_p90"]],
    )
    assert np.allclose(whole.to_numpy() - left.to_numpy(), 24 * told[["age_days"]].to_numpy())
    chances = told[CHANCES].to_numpy()
    assert ((chances >= 0) & (chances <= 1)).all() and (np.diff(chances, axis=1) >= 0).all()


def test_overdue_is_what_is_older_than_nine_in_ten_like_it_became(
    model: RemainingModel, opened: OpenTickets, rows: pd.DataFrame
) -> None:
    limit = model.predict(opened.created)["p90"].to_numpy()
    overdue = rows["is_overdue"].iloc[:-1].to_numpy(dtype=bool)
    assert (overdue == (24 * opened.now["age_days"].to_numpy() > limit)).all()
    assert 0 < overdue.sum() < len(overdue)


def test_the_remaining_time_is_that_of_the_age_and_not_that_of_a_new_ticket(rows: pd.DataFrame) -> None:
    """Of lives that end less and less often the old have more to go than the new."""
    told = rows[rows["reason"].isna()].sort_values("age_days")
    young, old = told.head(100)["remaining_hours"].median(), told.tail(100)["remaining_hours"].median()
    assert old > young


def test_reasons_say_which_way(rows: pd.DataFrame) -> None:
    reasons = [one for told in rows["reasons"].iloc[:-1] for one in told]
    assert {one["effect"] for one in reasons} == {"sooner", "later"}
    # How old it is says by itself the wrong direction: what is old has outlived what is fast.
    assert not any(one["reason"].startswith("open for ") for one in reasons)


def test_the_triage_is_an_order_and_who_is_late_already_has_no_chance_of_it(opened: OpenTickets) -> None:
    config = ScoringConfig(
        validation_groups=3, test_groups=4, cv_folds=0, replicates=0, params={"n_estimators": 20}
    )
    ranker = RANKER.train(grouped.dataset(), config).estimator
    items = grouped.dataset().items.drop_duplicates("item_id").head(60).reset_index(drop=True)
    n = len(items)
    tickets = opened.tickets.head(n).assign(
        item_id=items["item_id"].to_numpy(), repository=["o/a", "o/b"] * (n // 2)
    )
    now = items.assign(
        age_days=[1.0, 6.9, 7.0] * (n // 3), n_comments_member=0, n_comments_other=0, waiting_days=1.0
    )
    found = predict_open(
        OpenTickets(tickets, now, items), Served(triage=ranker, late=ranker, late_days=7), WEB
    )
    scores = pd.Series(ranker.predict(items)["score"].to_numpy(), items["item_id"])
    for _, own in found.sort_values("triage_rank").groupby("repository"):
        assert own["triage_rank"].tolist() == list(range(1, len(own) + 1))
        assert scores[own["item_id"]].is_monotonic_decreasing
    assert found["late_probability"].isna().tolist() == [False, False, True] * (n // 3)
    assert found["reason"].str.contains("no champion").all()


SAID = "from tickets.prediction_history order by said_on, number"


def said_on(rows: pd.DataFrame, day: str, hours: float) -> pd.DataFrame:
    """Five of the rows as they would be scored on a day: all with so many hours left."""
    return rows.head(5).assign(scored_at=pd.Timestamp(day), remaining_hours=hours)


def test_the_history_keeps_what_was_said_on_each_day(rows: pd.DataFrame) -> None:
    with duckdb.connect() as database:
        for day, hours in (("2026-01-01", 1.0), ("2026-01-02 03:00", 2.0)):
            load_predictions(database, said_on(rows, day, hours), days_kept=9)
        before = database.sql(SAID).df()
        # A second run of a day takes the place of the first, and leaves the days before as they were.
        load_predictions(database, said_on(rows, "2026-01-02 23:00", 3.0).head(4), days_kept=9)
        after = database.sql(SAID).df()
        assert after["remaining_hours"].tolist() == [1.0] * 5 + [3.0] * 4
        pd.testing.assert_frame_equal(after.head(5), before.head(5))
        assert not after.duplicated(["item_id", "said_on"]).any()
        assert "title" not in after and after["p_within_7d"].notna().all()
        # A day without open tickets says nothing new.
        load_predictions(database, rows.head(0), days_kept=9)
        pd.testing.assert_frame_equal(database.sql(SAID).df(), after)
        load_predictions(database, said_on(rows, "2026-01-10", 4.0), days_kept=9)
        assert database.sql(
            f"select distinct said_on::varchar {SAID.split(' order')[0]} order by all"
        ).fetchall() == [
            ("2026-01-02",),
            ("2026-01-10",),
        ]


def test_what_fails_half_way_leaves_table_and_history_as_they_were(rows: pd.DataFrame) -> None:
    with duckdb.connect() as database:
        load_predictions(database, said_on(rows, "2026-01-01", 1.0), days_kept=9)
        with pytest.raises(duckdb.Error):
            load_predictions(database, said_on(rows, "2026-01-02", 2.0).assign(age_days="old"), days_kept=9)
        for table in ("predictions", "prediction_history"):
            hours = database.sql(f"select distinct remaining_hours from tickets.{table}").fetchall()
            assert hours == [(1.0,)]


def test_a_history_of_an_earlier_version_gets_the_new_columns(rows: pd.DataFrame) -> None:
    with duckdb.connect() as database:
        database.execute("create schema tickets")
        database.execute(
            "create table tickets.prediction_history as "
            "select date '2026-01-01' as said_on, 'o/r#0' as item_id"
        )
        load_predictions(database, said_on(rows, "2026-01-02", 2.0), days_kept=9)
        assert database.sql(SAID).df()["remaining_hours"].tolist()[1:] == [2.0] * 5
