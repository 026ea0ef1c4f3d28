"""The alerts' assets from the embedded batches to the scores: run for real, twice, and looked at."""

from pathlib import Path

import dagster as dg
import duckdb
import numpy as np
import pandas as pd
import pytest

from ml.stats.rank_metrics import hold_above_cut
from orchestration.defs.resources import Project
from orchestration.domains.alerts.assets import alert_models, alert_scores, alert_snapshots
from orchestration.domains.alerts.domain import DOMAIN
from orchestration.domains.alerts.loading import load_alert_batches
from orchestration.domains.alerts.sources.batches import get_alert_source
from orchestration.settings import Settings
from orchestration.store.warehouse import open_pipeline_database
from orchestration.training_set import build

QUICK = {"config": {"cv_folds": 0}}
TASKS = [task.name for task in DOMAIN.tasks]
ASSETS = [*alert_snapshots, *alert_models, alert_scores]
CONFIG = {"ops": {f"models__{name}": QUICK for name in TASKS}}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse with the embedded batches loaded and transformed."""
    folder = tmp_path_factory.mktemp("alerts")
    settings = Settings(warehouse_dir=folder)
    source = get_alert_source(None)
    with open_pipeline_database(settings.pipeline_database) as database:
        load_alert_batches(database, source.land(settings.landing_dir), source=source.name)
    build(settings, DOMAIN.training_sets)
    return folder


def materialize(warehouse: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[pd.DataFrame, dict[str, bytes]]:
    monkeypatch.setenv("WAREHOUSE_DIR", str(warehouse))
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            ASSETS,
            resources={"project": Project()},
            run_config=CONFIG,
            instance=instance,
            raise_on_error=True,
        )
    assert result.success
    with duckdb.connect(str(warehouse / "pipeline.duckdb"), read_only=True) as database:
        scores = database.sql("from alerts.scores").df()
    texts = {path.name: path.read_bytes() for path in (warehouse / "models").rglob("*.txt")}
    return scores, texts


def test_every_alert_of_the_newest_batch_is_scored_once_and_alike_on_repeat(
    warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores, texts = materialize(warehouse, monkeypatch)
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
    again, texts_again = materialize(warehouse, monkeypatch)
    pd.testing.assert_frame_equal(again.drop(columns="reasons"), scores.drop(columns="reasons"))
    assert [list(map(dict, row)) for row in again["reasons"]] == [
        list(map(dict, row)) for row in scores["reasons"]
    ]
    assert texts_again == texts and {f"{name}.txt" for name in TASKS} <= set(texts)


def test_more_critical_alerts_than_places_fill_the_places() -> None:
    rank = np.array([1, 2, 3, 4])
    assert list(hold_above_cut(rank, np.array([False, True, True, True]), cut=2)) == [4, 1, 2, 3]
