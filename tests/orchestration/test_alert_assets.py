"""The alerts' assets from the embedded batches to the scores: run for real, twice, and looked at."""

import hashlib
import json
import shutil
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from orchestration.domains.alerts.assets import alert_scores, alert_snapshots
from orchestration.domains.alerts.domain import DOMAIN
from orchestration.domains.alerts.loading import load_alert_batches
from orchestration.domains.alerts.sources.batches import AlertBatchSource
from orchestration.domains.alerts.tasks import ALERTS
from orchestration.settings import Settings
from orchestration.store.warehouse import open_pipeline_database
from orchestration.training_set import build
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
    assert critical and set(scores.loc[scores["must_review"], "item_id"]) == critical
    assert not scores["may_be_known"].any()
    by_probability = scores.sort_values("probability_rank")["probability"]
    assert by_probability.is_monotonic_decreasing and scores["probability_rank"].is_unique
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


def test_the_orders_are_measured_as_the_models_are(warehouse: Path) -> None:
    """The figures of both models' own records, and the price of putting critical alerts first."""
    with duckdb.connect(str(warehouse / "pipeline.duckdb"), read_only=True) as database:
        orders = database.sql("from alerts.review_orders").df().set_index(["review_order", "metric"])["value"]
        own = database.sql(
            "select model, metric, value from ml.model_metrics where domain = 'alerts' and split = 'test'"
        ).df()
    figures = own.set_index(["model", "metric"])["value"]
    assert len(orders) == 9 and orders.between(0, 1).all()
    assert orders["rank", "ndcg@10"] == pytest.approx(figures["alert_ranker", "ndcg@10"])
    for metric in ("precision@20", "average_precision"):
        assert orders["rank", metric] == pytest.approx(figures["alert_ranker", metric])
        # Calibrated chances keep the order of the scores.
        assert orders["probability", metric] == pytest.approx(figures["alert_scorer", metric], abs=0.02)


def test_the_orders_are_judged_at_earlier_cuts_too(warehouse: Path) -> None:
    """On synthetic batches nothing is a bar but the order of the rules."""
    with duckdb.connect(str(warehouse / "pipeline.duckdb"), read_only=True) as database:
        table = database.sql(
            "select model, split, metric, value, ci_low, ci_high from ml.model_metrics "
            "where split like 'origin%'"
        ).df()
    for model, rows in table.groupby("model"):
        values = rows.pivot(index="metric", columns="split", values="value")
        cuts = values.drop(columns="origins")
        assert 3 <= cuts.shape[1] <= 10, model
        mean = rows[rows["split"] == "origins"].set_index("metric")
        pd.testing.assert_series_equal(values["origins"], cuts.mean(axis=1), check_names=False)
        assert (mean["ci_low"] <= mean["value"]).all() and (mean["value"] <= mean["ci_high"]).all()
        assert values.loc["auc", "origins"] > values.loc["auc_baseline", "origins"], model
    assert set(table["model"]) == set(TASKS)


def test_a_batch_that_is_named_is_scored_and_an_unknown_one_is_a_sentence(warehouse: Path) -> None:
    with duckdb.connect(str(warehouse / "pipeline.duckdb"), read_only=True) as database:
        query = "select distinct group_id from training.train_alerts order by 1 limit 2"
        batches = [batch for (batch,) in database.sql(query).fetchall()]
    materialize(warehouse, [alert_scores], serving(batches))
    scores, _ = read(warehouse)
    assert set(scores["batch_id"]) == set(batches) and scores["may_be_known"].all()
    with pytest.raises(ValueError, match="are not in the snapshot"):
        materialize(warehouse, [alert_scores], serving(["1999-01-01/28"]))


def serving(batches: list[str]) -> dict[str, object]:
    return {"ops": {"alert_scores": {"config": {"batches": batches}}}}


def test_a_batch_without_truth_is_scored_by_the_champion_and_never_learned_from(
    warehouse: Path, trained_alerts: Path
) -> None:
    """It is loaded and scored by the models that are there; trained again, they are the same models."""
    settings = Settings(warehouse_dir=warehouse)
    before, texts = read(warehouse)
    folder = settings.landing_dir / "alerts" / "synthetic"
    last = sorted((folder / "batches" if (folder / "batches").is_dir() else folder).glob("*/*"))[-1]
    source = AlertBatchSource(next_batch(last), name="sample")
    with open_pipeline_database(settings.pipeline_database) as database:
        report = load_alert_batches(database, source.land(settings.landing_dir), source="sample")
    assert len(report.loaded) == 1 and not report.refused and "alert_ground_truth" not in report.rows
    build(settings, DOMAIN.training_sets)
    materialize(warehouse, [*alert_snapshots, alert_scores], {})
    scores, _ = read(warehouse)
    assert (
        list(scores["batch_id"].unique()) == list(report.loaded)
        and len(scores) == report.rows["alert_alerts"]
    )
    assert set(scores["scorer_version"]) == set(before["scorer_version"]) and not scores["may_be_known"].any()
    materialize(warehouse)
    newest = settings.snapshots_dir / f"{ALERTS.name}.txt"
    of_the_batch = newest.read_text()
    again, texts_again = read(warehouse)
    assert set(texts_again.values()) == set(texts.values()), "not a tree is another one"
    np.testing.assert_allclose(again["probability"], scores["probability"])

    # A database restored from a copy is of the snapshot before, and it is that which models learn from again.
    shutil.copyfile(trained_alerts / "pipeline.duckdb", settings.pipeline_database)
    materialize(warehouse, alert_snapshots, {})
    assert newest.read_text() == (trained_alerts / "snapshots" / newest.name).read_text() != of_the_batch


def next_batch(last: Path) -> Path:
    """A delivery of one batch a week after the last, with new alerts, and no truth."""
    day = date.fromisoformat(last.parent.name) + timedelta(days=7)
    folder = last.parents[2] / "new" / day.isoformat() / last.name
    folder.mkdir(parents=True)
    meta = json.loads((last / "META.json").read_text()) | {"processing_date": day.isoformat()}
    for file in sorted(last.glob("*.parquet")):
        if file.stem == "ground_truth":
            continue
        frame = pd.read_parquet(file)
        if "processing_date" in frame:
            frame["processing_date"] = day
        for column in ("alert_id", "primary_alert_id", "cluster_id"):
            if column in frame:
                frame[column] = frame[column] + "-new"
        if "related_alert_ids" in frame:
            frame["related_alert_ids"] = [[f"{one}-new" for one in ids] for ids in frame["related_alert_ids"]]
        frame.to_parquet(folder / file.name, index=False)
        md5 = hashlib.md5((folder / file.name).read_bytes()).hexdigest()
        meta["files"][file.name] |= {"md5": md5, "rows": len(frame)}
    del meta["files"]["ground_truth.parquet"]
    (folder / "META.json").write_text(json.dumps(meta))
    return folder.parents[1]
