"""The mirror of the promotions in MLflow, on a registry of its own, and what is said without MLflow."""

import sys
from pathlib import Path

import pytest

from ml.runs.mirror import CHAMPION, mirror
from ml.runs.promote import challenge, roll_back
from ml.runs.train import train_models
from ml.tasks.duration.task import TrainingConfig
from tests.unit.ml import synthetic


def test_without_mlflow_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(ValueError, match="make setup-mlflow"):
        mirror(tmp_path, "sqlite:////tmp/nowhere.db")


# Of MLflow and what it stands on.
@pytest.mark.filterwarnings("default")
def test_every_version_is_there_once_and_the_alias_follows_the_champion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mlflow = pytest.importorskip("mlflow", reason="needs `make setup-mlflow`")
    monkeypatch.chdir(tmp_path)
    data, runs = synthetic.dataset(400), tmp_path / "models"
    for trained in train_models(
        data, ["median", "linear"], runs / "r", TrainingConfig(trials=0, replicates=0)
    ):
        assert challenge(trained, data, runs, who="ann", gate="passed", passes=True).is_promoted
    uri, name = f"sqlite:///{tmp_path / 'registry.db'}", "fairtriage.parcels.regression"
    assert [mirror(runs, uri), mirror(runs, uri)] == [2, 0]
    client = mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)

    champion = client.get_model_version_by_alias(name, CHAMPION)
    assert champion.tags["fairtriage.version"] == trained.model_version and champion.tags["who"] == "ann"
    run = client.get_run(champion.run_id)
    assert run.data.metrics["test/mae_log"] == pytest.approx(trained.value("test", "mae_log"))
    assert {f"{key}" for key in run.data.params} == set(trained.params)
    assert {"linear.skops", "eval_linear.json"} <= {
        one.path for one in client.list_artifacts(champion.run_id)
    }
    assert not (tmp_path / "mlruns").exists()

    roll_back(runs, "parcels", "regression", who="bob", why="too early")
    assert mirror(runs, uri) == 0
    back = client.get_model_version_by_alias(name, CHAMPION)
    assert back.tags["fairtriage.version"].startswith("median-")
    assert len(client.search_model_versions(f"name = '{name}'")) == 2
