"""The late scorer as an asset, on a small snapshot."""

import json
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from orchestration.defs.resources import Project
from orchestration.defs.tickets_ranking import late_scorer
from tests.unit.ml import synthetic


def test_it_trains_on_the_newest_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path))
    settings = json.dumps({"name": "tickets", "timeline": "slice_depot"})
    synthetic.write(tmp_path / "snapshots" / "abc", *synthetic.frames(), settings)
    (tmp_path / "snapshots" / "tickets.txt").write_text("abc")
    config = {"ops": {"models__late_scorer": {"config": {"horizon_days": 3, "replicates": 20}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        done = dg.materialize(
            [late_scorer, dg.AssetSpec("training_snapshot")],
            selection=[late_scorer],
            resources={"project": Project()},
            run_config=config,
            instance=instance,
        )
    metadata = done.asset_materializations_for_node("models__late_scorer")[0].metadata
    auc = metadata["auc"].value
    assert isinstance(auc, float) and 0.6 < auc < 1
    (folder,) = (tmp_path / "models").iterdir()
    predictions = pd.read_parquet(folder / "predictions_late_scorer.parquet")
    assert set(predictions["y_true"].dropna()) == {0.0, 1.0} and predictions["y_pred"].between(0, 1).all()
