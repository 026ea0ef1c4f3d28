"""The tickets' scorer and ranker as assets on a small snapshot: trained, loaded, tuned, or skipped."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pandas as pd
import pytest
import yaml

from ml.data.dataset import snapshot_id_of
from orchestration.defs.resources import Project
from orchestration.domains.tickets.assets import ticket_models, ticket_tuning
from orchestration.domains.tickets.tasks import TRIAGE_RANKER
from orchestration.store.promotions import champion
from orchestration.store.results import current_models, load_training, retire_models
from orchestration.store.served import load_served
from orchestration.store.snapshots import current_snapshot
from orchestration.store.warehouse import open_pipeline_database
from tests.unit.ml import synthetic

SETTINGS = {
    "name": "tickets",
    "timeline": "slice_depot",
    "weight_by": "slice_depot",
    "baselines": {"size": ["size"]},
}
ASSETS = {
    asset.key.to_user_string(): asset
    for asset in (*ticket_models, *ticket_tuning)
    if asset.key.path[1] in ("late_scorer", "triage_ranker")
}
QUICK = {"replicates": 20}


def frames(n: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    items, labels = synthetic.frames(n)
    hours = labels["y"].fillna(1e9)
    old = items["event_at"] + pd.Timedelta(days=TRIAGE_RANKER.horizon_days) <= synthetic.END
    grade = (hours <= 24).astype(int) + (hours <= 60) + (hours <= 120)
    labels["relevance"] = pd.array(grade.where(old), dtype="Int64")
    return items, labels


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path))
    write(tmp_path, *frames(600))
    return tmp_path


def write(warehouse: Path, items: pd.DataFrame, labels: pd.DataFrame) -> None:
    taken = synthetic.write(warehouse / "taken", items, labels, json.dumps(SETTINGS))
    name = snapshot_id_of(taken)
    (warehouse / "snapshots").mkdir(exist_ok=True)
    taken.rename(warehouse / "snapshots" / name)
    (warehouse / "snapshots" / "tickets.txt").write_text(name)


def materialize(
    keys: Sequence[str], instance: dg.DagsterInstance, raise_on_error: bool = True, **config: Any
) -> dg.ExecuteInProcessResult:
    chosen = [ASSETS[key] for key in keys]
    ops = {key.replace("/", "__"): {"config": config} for key in keys}
    return dg.materialize(
        [*chosen, dg.AssetSpec("training_snapshot")],
        selection=chosen,
        resources={"project": Project()},
        run_config={"ops": ops},
        instance=instance,
        raise_on_error=raise_on_error,
    )


@contextmanager
def loaded(warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The pipeline's database as a step finds it that works on it."""
    with open_pipeline_database(warehouse / "pipeline.duckdb") as database:
        load_served(database, warehouse / "models")
        yield database


def metadata(result: dg.ExecuteInProcessResult, key: str) -> dict[str, Any]:
    (event,) = result.asset_materializations_for_node(key.replace("/", "__"))
    return {name: value.value for name, value in event.metadata.items()}


def test_both_are_trained_and_loaded_beside_each_other(warehouse: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        result = materialize(["models/late_scorer", "models/triage_ranker"], instance, **QUICK)
        again = materialize(["models/late_scorer"], instance, **QUICK, horizon_days=3)
    late, triage = (metadata(result, f"models/{name}") for name in ("late_scorer", "triage_ranker"))
    assert 0.6 < late["auc"] < 1 and late["horizon_days"] == 7
    assert 0.7 < triage["ndcg_at_10"] <= 1 and triage["horizon_days"] == TRIAGE_RANKER.horizon_days
    assert metadata(again, "models/late_scorer")["model_version"] != late["model_version"]
    assert not (warehouse / "pipeline.duckdb").exists(), "training opens no database"
    with loaded(warehouse) as database:
        rows = database.sql("select task, model, alias from ml.models order by all").fetchall()
        assert rows == [("binary", "late_scorer", "champion"), ("ranking", "triage_ranker", "champion")]
        late_now = champion(database, "tickets", "binary")
        assert late_now is not None and late_now.run_id != Path(late["run_folder"]).name
        assert late_now.snapshot_id == (warehouse / "snapshots" / "tickets.txt").read_text()
        (closed_early, p_low, p_high) = database.sql(
            "select mean(y_true), min(y_pred), max(y_pred) from ml.predictions where model = 'late_scorer'"
        ).fetchall()[0]
        assert 0 < closed_early < 1 and 0 <= p_low < p_high <= 1
        metrics = database.sql("select distinct metric from ml.model_metrics").fetchall()
        assert {("auc_size",), ("auc_gain_vs_size",), ("ndcg@5_gain_vs_size",)} <= set(metrics)
        past = database.sql("select count(distinct run_id) from history.model_metrics").fetchall()
        assert past == [(3,)], "the history keeps both late scorers and the ranker"
        assert current_models(database, "tickets", ["regression"]) == []
    (warehouse / "models" / "late_scorer.runs").write_bytes(b"\xff/\n\0 gone")
    with loaded(warehouse) as database:
        assert champion(database, "tickets", "binary") == late_now, "of what is damaged nothing is believed"


def test_a_leaderboard_and_served_models_do_not_displace_each_other(warehouse: Path) -> None:
    from ml.data.dataset import Dataset
    from ml.runs.train import train_models
    from ml.tasks.duration.task import TrainingConfig

    with dg.DagsterInstance.ephemeral() as instance:
        materialize(["models/late_scorer", "models/triage_ranker"], instance, **QUICK)
    run = warehouse / "models" / "hours"
    names = ["median", "linear"]
    dataset = Dataset.from_dir(current_snapshot(warehouse / "snapshots", "tickets"))
    train_models(dataset, names, run, TrainingConfig(trials=0, replicates=0))
    with loaded(warehouse) as database:
        load_training(database, run, names)
        load_training(database, run, ["median"])
        current = current_models(database, "tickets", ["regression"])
        assert [one.model for one in current] == ["linear", "median"]
        retire_models(database, "tickets", "regression", ["median"])
        models = database.sql("select model, alias from ml.models order by all").fetchall()
        assert models == [
            ("late_scorer", "champion"),
            ("median", "challenger"),
            ("triage_ranker", "champion"),
        ]
        for table in ("ml.model_metrics", "ml.predictions"):
            found = database.sql(f"select distinct model from {table} order by all").fetchall()
            assert found == [("late_scorer",), ("median",), ("triage_ranker",)]
    with dg.DagsterInstance.ephemeral() as instance:
        materialize(["models/late_scorer"], instance, **QUICK, seed=1)
    with loaded(warehouse) as database:
        assert database.sql("select count(*), count(distinct model) from ml.models").fetchall() == [(3, 3)]


def test_too_little_data_skips_with_a_reason_and_the_run_goes_on(warehouse: Path) -> None:
    write(warehouse, *frames(8))
    with dg.DagsterInstance.ephemeral() as instance:
        result = materialize(list(ASSETS), instance)
        log = [entry.user_message for entry in instance.all_logs(result.run_id)]
    assert result.success
    for key in ASSETS:
        assert result.asset_materializations_for_node(key.replace("/", "__")) == []
        (reason,) = [
            message for message in log if message.startswith(f"{key} is skipped, there is too little")
        ]
        assert len(reason) > 80
    assert not list((warehouse / "models").rglob("eval_*.json"))


def test_other_errors_are_not_taken_for_too_little_data(warehouse: Path) -> None:
    items, labels = frames(600)
    write(warehouse, items.assign(gives_it_away=labels["y"].fillna(1e5)), labels)
    with dg.DagsterInstance.ephemeral() as instance, pytest.raises(ValueError, match="a leak; drop it"):
        materialize(["models/late_scorer"], instance)


@pytest.mark.parametrize("name", ["late_scorer", "triage_ranker"])
def test_tuned_parameters_are_taken_up_when_asked_for(warehouse: Path, name: str) -> None:
    model, tuned = f"models/{name}", f"tuned_parameters/{name}"
    with dg.DagsterInstance.ephemeral() as instance:
        plain = metadata(materialize([model], instance, **QUICK), model)
        with pytest.raises(ValueError, match=f"no tuned parameters of {name}: materialize {tuned} first"):
            materialize([model], instance, **QUICK, use_tuned=True)
        # The first trial is that of the defaults: a search must be long enough to beat them.
        found = metadata(materialize([tuned], instance, trials=6, rows=200), tuned)
        better = metadata(materialize([model], instance, **QUICK, use_tuned=True), model)
    assert not (warehouse / "pipeline.duckdb").exists(), "neither does a search"
    best = yaml.safe_load((warehouse / "models" / "tuned" / name / "best_params.yaml").read_text())
    assert found["trials"] == 6 and found["best_params"] == best["best_params"]
    # Early stopping has the last word on the number of trees.
    expected = {key: value for key, value in best["best_params"].items() if key != "n_estimators"}
    assert expected.items() <= better["params"].items()
    assert not expected.items() <= plain["params"].items()
    assert better["params"]["n_estimators"] <= best["best_params"]["n_estimators"]
    assert better["model_version"] != plain["model_version"]
    with loaded(warehouse) as database:
        assert database.sql("select model_version from ml.models").fetchall() == [(better["model_version"],)]
