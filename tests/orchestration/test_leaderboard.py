"""The tickets' leaderboard, champion and predictions on a small snapshot: what a later run may change."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

from ml.data.dataset import snapshot_id_of
from ml.stats.figure import Figure
from ml.store.record import Evaluation
from orchestration.defs.resources import Project
from orchestration.domains.tickets.assets import bias_metrics, ticket_predictions, trained_models
from orchestration.domains.tickets.leaderboard import join
from orchestration.domains.tickets.mitigation import bias_mitigation
from orchestration.domains.tickets.selection import best_model
from orchestration.store.results import set_champion
from orchestration.store.warehouse import open_pipeline_database
from tests.unit.ml import synthetic

SETTINGS = {"name": "tickets", "timeline": "slice_depot", "weight_by": "slice_depot", "note": ""}
AFTER = [bias_metrics, bias_mitigation, best_model, ticket_predictions]
NAMES = ["linear", "lightgbm"]
# Open for 40 days at the end of the records, when nobody had answered yet.
OPEN = """
    create table training.tickets_open as
    select
        item_id, 'o/r' as repository, row_number() over (order by item_id) as number, 'It fails' as title,
        'ann' as author, ['bug'] as labels, 40.0 as age_days, true as is_on_github, event_at as created_at,
        event_at + to_days(40) as observed_at
    from items order by item_id limit 30;
    create table training.train_remaining as select *, 0.0 as age_days from items;
    create table training.remaining_open as
    select
        items.* replace (tickets_open.observed_at as event_at), tickets_open.age_days, 0 as n_comments_member,
        0 as n_comments_other, 40.0 as waiting_days
    from items inner join training.tickets_open using (item_id)
"""
QUICK = {"bias_mitigation": {"config": {"best": 1, "methods": ["prediction_adjustment"]}}}


def tables(warehouse: Path, query: str) -> list[tuple[Any, ...]]:
    with open_pipeline_database(warehouse / "pipeline.duckdb") as database:
        return database.sql(query).fetchall()


def materialize(assets: Sequence[dg.AssetsDefinition], config: Mapping[str, Any]) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        done = dg.materialize(
            assets, resources={"project": Project()}, run_config={"ops": config}, instance=instance
        )
    assert done.success


def train(**config: Any) -> dict[str, Any]:
    return {"trained_models": {"config": {"trials": 0, **config}}}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A snapshot of parcels, some of which are still under way, and all that follows from it."""
    folder = tmp_path_factory.mktemp("leaderboard")
    items, labels = synthetic.frames(700)
    taken = synthetic.write(folder / "taken", items, labels, json.dumps(SETTINGS))
    (folder / "snapshots").mkdir()
    name = snapshot_id_of(taken)
    taken.rename(folder / "snapshots" / name)
    (folder / "snapshots" / "tickets.txt").write_text(name)
    with open_pipeline_database(folder / "pipeline.duckdb") as database:
        database.execute("create schema training")
        database.register("items", items)
        database.execute(OPEN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WAREHOUSE_DIR", str(folder))
        materialize([trained_models, *AFTER], train(models=NAMES) | QUICK)
        yield folder


MODELS = "from ml.models order by all"
CHAMPION = "select model, model_version, run_id from ml.models where alias = 'champion'"
VERSIONS = "select distinct model_version from tickets.predictions order by all"


def test_the_baseline_stands_there_whatever_was_asked_for(warehouse: Path) -> None:
    assert tables(warehouse, "select model from ml.models order by all") == [
        ("lightgbm",), ("linear",), ("median",),
    ]  # fmt: skip


def test_a_worse_experiment_changes_nothing_but_the_history(warehouse: Path) -> None:
    before = {query: tables(warehouse, query) for query in (MODELS, CHAMPION, VERSIONS)}
    assert len(before[CHAMPION]) == 1 and before[VERSIONS] == [before[CHAMPION][0][1:2]]
    experiment = train(models=["linear"], run_id="my_run_123", subset_size=60)
    materialize([trained_models, *AFTER], experiment | QUICK)
    assert {query: tables(warehouse, query) for query in before} == before
    remembered = "select distinct model from history.model_metrics where run_id = 'my_run_123' order by all"
    assert tables(warehouse, remembered) == [("linear",), ("median",)]


def test_one_model_trained_again_leaves_the_others_where_they_were(warehouse: Path) -> None:
    before = tables(warehouse, MODELS)
    materialize([trained_models], train(models=["linear"]))
    assert tables(warehouse, MODELS) == before


def test_every_open_ticket_has_a_prediction_or_a_reason(warehouse: Path) -> None:
    """One came after the champion's snapshot, and one has no features."""
    with open_pipeline_database(warehouse / "pipeline.duckdb") as database:
        for relation in ("train_remaining", "remaining_open"):
            database.execute(
                f"insert into training.{relation} by name select * replace ('new' as item_id, "
                f"event_at + interval 90 days as event_at) from training.{relation} order by item_id limit 1"
            )
        for item, number in (("new", 98), ("bare", 99)):
            database.execute(
                "insert into training.tickets_open by name select * replace (? as item_id, ? as number) "
                "from training.tickets_open limit 1",
                [item, number],
            )
    materialize([ticket_predictions], {})
    found = tables(
        warehouse,
        "select item_id, predicted_hours is not null, p_within_90d is not null, reason "
        "from tickets.predictions",
    )
    by_item = {item: rest for item, *rest in found}
    assert len(by_item) == 32 and by_item["new"][:2] == [True, True]
    assert by_item["bare"][:2] == [False, False] and "TICKET_SCOPE" in by_item["bare"][2]
    assert sum(is_predicted for is_predicted, *_ in by_item.values()) == 31


def test_what_is_seen_from_the_creation_says_so_and_shows_nothing_outlived(warehouse: Path) -> None:
    outlived, shown, overdue, agrees, reasons, pages = tables(
        warehouse,
        "select count(p_within_1d) + count(p_within_7d) + count(p_within_30d), count(p_within_365d), "
        "count(*) filter (where is_overdue), bool_and(is_overdue = (p90 < 40 * 24)), "
        "list(distinct reason), count(distinct url) "
        "from tickets.predictions where item_id <> 'bare'",
    )[0]
    assert (outlived, shown, agrees, pages) == (0, 31, True, 31) and 0 < overdue < 31
    assert len(reasons) == 1 and "seen from the creation" in reasons[0]
    assert tables(
        warehouse, "select distinct is_answered, waiting_days from tickets.predictions where number < 90"
    ) == [(False, 40.0)]


def test_what_breaks_a_gate_is_neither_promoted_nor_published_then_or_later(warehouse: Path) -> None:
    published, journal = warehouse / "warehouse.duckdb", warehouse / "models" / "promotions.jsonl"
    before = published.read_bytes(), journal.read_bytes(), tables(warehouse, VERSIONS)
    journal.unlink()
    for limits in (
        {"calibration_limit": 0.0},
        {"severity": "ERROR", "thresholds": {"*": {"shrunk_gap": -1.0}}},
    ):
        config = {"best_model": {"config": {"beyond_noise": False, **limits}}}
        with pytest.raises(dg.DagsterError, match="1 blocking asset check failed"):
            materialize([best_model, ticket_predictions], config)
        assert published.read_bytes() == before[0] and not journal.exists()
    journal.write_bytes(before[1])
    materialize([ticket_predictions], {})
    assert tables(warehouse, VERSIONS) == before[2] and journal.read_bytes() == before[1]


def test_without_an_open_ticket_the_table_is_empty(warehouse: Path) -> None:
    relations = ("tickets_open", "remaining_open", "train_remaining")
    with open_pipeline_database(warehouse / "pipeline.duckdb") as database:
        for relation in relations:
            database.execute(f"create table training.{relation}_kept as from training.{relation}")
            database.execute(f"delete from training.{relation}")
    materialize([ticket_predictions], {})
    assert tables(warehouse, "from tickets.predictions") == []
    with open_pipeline_database(warehouse / "pipeline.duckdb") as database:
        for relation in relations:
            database.execute(f"insert into training.{relation} from training.{relation}_kept")


def test_without_a_champion_no_old_prediction_stays(warehouse: Path) -> None:
    (warehouse / "models" / "promotions.jsonl").unlink()
    with open_pipeline_database(warehouse / "pipeline.duckdb") as database:
        (reigning,) = database.sql(CHAMPION).fetchall()
        set_champion(database, "tickets", "regression", None)
    materialize([ticket_predictions], {})
    found = tables(
        warehouse,
        "select distinct predicted_hours, p10, p_within_90d, model_version, reason from tickets.predictions "
        "where item_id <> 'bare'",
    )
    assert len(found) == 1 and found[0][:4] == (None,) * 4 and "no champion" in found[0][4]
    materialize([best_model, ticket_predictions], {})
    assert tables(warehouse, CHAMPION) == [reigning]


def evaluation(model: str, run_id: str, error: float, snapshot_id: str = "s") -> Evaluation:
    figure = Figure("validation", "mae_log", error, None, None, 10)
    return Evaluation(
        run_id=run_id, domain="tickets", task="regression", model=model, snapshot_id=snapshot_id, key="k",
        seed=0, settings={}, params={}, feature_list=[], best_iteration=None, metrics=[figure], seconds={},
        started_at="", finished_at="", git_sha=None, engine="local", status="succeeded",
    )  # fmt: skip


STANDING = [evaluation(name, "a", 1.0) for name in ("median", "forest", "linear", "linear+adjusted")]


@pytest.mark.parametrize(
    ("trained", "expected"),
    [
        ([evaluation("linear", "b", 1.1)], "a a a a"),
        ([evaluation("linear", "b", 1.0)], "a a a a"),
        # A better one takes its place, and what was made of the old one goes.
        ([evaluation("linear", "b", 0.9)], "a a b"),
        ([evaluation("svm", "b", 9.0)], "a a a a b"),
        # The same run again, whatever its figures.
        ([replace(one, key="new") for one in STANDING[:3]], "a a a a"),
        ([evaluation("linear", "b", 0.1, "later")], "a a a a"),
        ([evaluation(n, "b", 2.0, "later") for n in ("median", "forest", "linear")], "b b b"),
    ],
)
def test_who_is_on_the_leaderboard_after_a_training(trained: list[Evaluation], expected: str) -> None:
    board = sorted(join(STANDING, trained), key=lambda one: (one.run_id, one.model))
    assert " ".join(sorted(one.run_id for one in board)) == expected
    assert join([], trained) == trained
    assert len({one.model for one in board}) == len(board)


def test_the_same_run_again_is_the_newer_record() -> None:
    again = [replace(one, key="new") for one in STANDING]
    assert {one.key for one in join(STANDING, again)} == {"new"}


def test_there_is_something_to_compare(warehouse: Path) -> None:
    shown = pd.DataFrame(tables(warehouse, "select model, alias from ml.models"), columns=["model", "alias"])
    assert set(NAMES) <= set(shown["model"]) and (shown["alias"] == "champion").sum() == 1
