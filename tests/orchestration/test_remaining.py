"""The model of the remaining time as an asset on a small snapshot: trained, loaded, judged by slices."""

import json
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from ml.data.dataset import snapshot_id_of
from orchestration.defs.resources import Project
from orchestration.domains.tickets.assets import remaining_bias, ticket_models
from orchestration.store.promotions import champion
from orchestration.store.warehouse import open_pipeline_database
from tests.unit.ml import lives, synthetic

SETTINGS = {"name": "remaining", "timeline": "slice_hall", "weight_by": "slice_hall"}
MODEL = next(asset for asset in ticket_models if asset.key.path == ["models", "remaining"])
QUICK = {"replicates": 20, "seeds": 1, "origins": 2}


def run(warehouse: Path, items: pd.DataFrame, labels: pd.DataFrame) -> dg.ExecuteInProcessResult:
    taken = synthetic.write(warehouse / "taken", items, labels, json.dumps(SETTINGS))
    name = snapshot_id_of(taken)
    (warehouse / "snapshots").mkdir()
    taken.rename(warehouse / "snapshots" / name)
    (warehouse / "snapshots" / "remaining.txt").write_text(name)
    return dg.materialize(
        [MODEL, remaining_bias, dg.AssetSpec("remaining_snapshot")],
        selection=[MODEL, remaining_bias],
        resources={"project": Project()},
        run_config={"ops": {"models__remaining": {"config": QUICK}}},
    )


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path))
    return tmp_path


def test_it_is_trained_loaded_with_its_cells_and_judged_by_slices(warehouse: Path) -> None:
    items, labels = lives.frames(n=1500)
    bands = items["age_days"].map(lambda days: "at creation" if days == 0 else "later")
    assert run(warehouse, items.assign(slice_age=bands), labels).success
    with open_pipeline_database(warehouse / "pipeline.duckdb") as database:
        best = champion(database, "remaining", "regression")
        assert best is not None and best.model == "remaining"
        cells = database.sql(
            "select observed_after_days, horizon_days, metric, value from ml.horizon_metrics "
            "where split = 'test'"
        ).df()
        assert (cells["observed_after_days"] < cells["horizon_days"]).all()
        of_week = cells[(cells["observed_after_days"] == 7) & (cells["horizon_days"] == 30)]
        figures = dict(zip(of_week["metric"], of_week["value"], strict=True))
        assert 0 < figures["brier"] < 0.3 and 0 <= figures["precision"] <= 1 and "auc_group_rate" in figures
        plain = {row[0] for row in database.sql("select metric from ml.model_metrics").fetchall()}
        assert {"integrated_brier_origins", "mae_log", "auc_7d"} <= plain and "precision" not in plain
        slices = database.sql("select distinct slice from bias.slice_metrics where dimension = 'age'")
        assert {"at creation", "later"} <= {row[0] for row in slices.fetchall()}


def test_too_little_is_skipped_with_a_reason(warehouse: Path, caplog: pytest.LogCaptureFixture) -> None:
    items, labels = lives.frames(n=4)
    result = run(warehouse, items, labels)
    assert result.success and not result.asset_materializations_for_node("models__remaining")
