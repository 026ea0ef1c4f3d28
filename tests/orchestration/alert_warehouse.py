"""The alerts' assets on the embedded batches, trained once for all tests that look at them."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orchestration.defs.resources import Project
from orchestration.domains.alerts.assets import alert_models, alert_scores, alert_snapshots
from orchestration.domains.alerts.domain import DOMAIN
from orchestration.domains.alerts.loading import load_alert_batches
from orchestration.domains.alerts.sources.batches import get_alert_source
from orchestration.settings import Settings
from orchestration.store.warehouse import open_pipeline_database
from orchestration.training_set import build
from tests.once import made_once

QUICK = {"config": {"cv_folds": 0, "replicates": 100}}
TASKS = [task.name for task in DOMAIN.tasks]
ASSETS = [*alert_snapshots, *alert_models, alert_scores]
CONFIG = {"ops": {f"models__{name}": QUICK for name in TASKS}}


def train(folder: Path) -> None:
    """A warehouse with the embedded batches loaded and transformed, and with models trained on them."""
    settings = Settings(warehouse_dir=folder)
    source = get_alert_source(None)
    with open_pipeline_database(settings.pipeline_database) as database:
        load_alert_batches(database, source.land(settings.landing_dir), source=source.name)
    build(settings, DOMAIN.training_sets)
    materialize(folder)


def materialize(folder: Path, assets: Sequence[Any] = ASSETS, config: Any = CONFIG) -> None:
    """From the snapshots to the scores, or some assets only."""
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        patch.setenv("WAREHOUSE_DIR", str(folder))
        result = dg.materialize(
            assets, resources={"project": Project()}, run_config=config, instance=instance
        )
    assert result.success


@pytest.fixture(scope="session")
def trained_alerts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The warehouse with the alerts' models, to be read."""
    with made_once(tmp_path_factory, "alerts", train) as folder:
        yield folder


@pytest.fixture(scope="module")
def warehouse(trained_alerts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of it, of the module's own."""
    folder = tmp_path_factory.mktemp("copy") / "warehouse"
    # Contents alone: the copies can be written.
    shutil.copytree(trained_alerts, folder, copy_function=shutil.copyfile)
    return folder
