"""The alerts' assets from the embedded batches to the scores: run for real, twice, and looked at."""

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from ml.stats.rank_metrics import hold_above_cut
from tests.orchestration.alert_warehouse import TASKS, materialize, trained_alerts, warehouse

__all__ = ["trained_alerts", "warehouse"]


def read(warehouse: Path) -> tuple[pd.DataFrame, dict[str, bytes]]:
    with duckdb.connect(str(warehouse / "pipeline.duckdb"), read_only=True) as database:
        scores = database.sql("from alerts.scores").df()
    texts = {path.name: path.read_bytes() for path in (warehouse / "models").rglob("*.txt")}
    return scores, texts


def test_every_alert_of_the_newest_batch_is_scored_once_and_alike_on_repeat(warehouse: Path) -> None:
    scores, texts = read(warehouse)
    with duckdb.connect(str(warehouse / "pipeline.duckdb"), read_only=True) as database:
        newest = database.sql(
            "select item_id, severity_rank from training.train_alerts "
            "where event_at = (select max(event_at) from training.train_alerts)"
        ).df()
        tasks = database.sql("select distinct domain, task, model from ml.models order by all").fetchall()
        aucs = database.sql("select value from ml.model_metrics where split = 'test' and metric = 'auc'").df()
    assert sorted(scores["item_id"]) == sorted(newest["item_id"])
    assert scores["probability"].between(0, 1).all()
    assert sorted(scores["rank"]) == list(range(1, len(newest) + 1))
    assert (scores["reasons"].map(len) == 5).all()
    assert scores["scorer_version"].nunique() == 1 and scores["scorer_version"].notna().all()
    critical = set(newest.loc[newest["severity_rank"] == 4, "item_id"])
    ranks = scores.set_index("item_id")["rank"]
    assert all(ranks[item] <= max(20, len(critical)) for item in critical)
    assert tasks == [
        ("alert_clusters", "binary", "alert_cluster_scorer"),
        ("alerts", "binary", "alert_scorer"),
        ("alerts", "ranking", "alert_ranker"),
    ]
    assert len(aucs) == 3 and aucs["value"].between(0, 1).all()

    for folder in (warehouse / "models").iterdir():
        for file in folder.glob("eval_*.json"):
            file.unlink()
    materialize(warehouse)
    again, texts_again = read(warehouse)
    pd.testing.assert_frame_equal(again.drop(columns="reasons"), scores.drop(columns="reasons"))
    assert [list(map(dict, row)) for row in again["reasons"]] == [
        list(map(dict, row)) for row in scores["reasons"]
    ]
    assert texts_again == texts and {f"{name}.txt" for name in TASKS} <= set(texts)


def test_more_critical_alerts_than_places_fill_the_places() -> None:
    rank = np.array([1, 2, 3, 4])
    assert list(hold_above_cut(rank, np.array([False, True, True, True]), cut=2)) == [4, 1, 2, 3]
