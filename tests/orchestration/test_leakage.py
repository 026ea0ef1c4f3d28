"""The check for leaks: a feature that knows the outcome stops the run before anything learns from it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orchestration.defs.resources import Project
from orchestration.domains.alerts.assets import alert_scores, alert_snapshots
from orchestration.domains.alerts.tasks import ALERTS
from orchestration.store.warehouse import open_pipeline_database
from tests.orchestration.alert_warehouse import trained_alerts, warehouse

__all__ = ["trained_alerts", "warehouse"]


def run(folder: Path, assets: Sequence[Any], **known: list[str]) -> dg.ExecuteInProcessResult:
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        patch.setenv("WAREHOUSE_DIR", str(folder))
        return dg.materialize(
            assets,
            resources={"project": Project()},
            run_config={"ops": {ALERTS.snapshot: {"config": known}}},
            instance=instance,
            raise_on_error=False,
        )


def test_a_leak_leaves_snapshot_and_published_file_as_they_were_in_a_later_run_too(warehouse: Path) -> None:
    with open_pipeline_database(warehouse / "pipeline.duckdb") as database:
        database.execute(
            """
            create or replace table training.train_alerts as
            select train.*, coalesce(label.y, 0.5) + (hash(item_id) % 1000) / 800 as verdict
            from training.train_alerts as train left join training.label_alerts as label using (item_id)
            """
        )
    kept = [warehouse / "snapshots" / f"{ALERTS.name}.txt", warehouse / "warehouse.duckdb"]
    before = [file.read_bytes() for file in kept]
    for _ in range(2):
        result = run(warehouse, [alert_snapshots[0], alert_scores])
        assert not result.success and not result.asset_materializations_for_node("alert_scores")
        (leaking,) = [check for check in result.get_asset_check_evaluations() if not check.passed]
        assert (leaking.check_name, leaking.severity) == ("leakage", dg.AssetCheckSeverity.ERROR)
        assert "verdict" in str(leaking.description) and "known_in_time" in str(leaking.description)
        assert [file.read_bytes() for file in kept] == before
    # Whoever looks at a feature and finds it known in time says so.
    assert run(warehouse, [alert_snapshots[0]], known_in_time=["verdict"]).success
    assert kept[0].read_bytes() != before[0]
