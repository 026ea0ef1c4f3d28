"""Models are trained again when the tickets have drifted or many more have ended, once per snapshot."""

from pathlib import Path

import dagster as dg
import duckdb
import pytest

from orchestration.definitions import defs
from orchestration.defs.automation.retraining import DRIFT, retraining
from tests.published import write_published

LEARNED, NEWEST = "s" * 40, "n" * 40


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The leaderboard learned from 1,000 ends; the newest snapshot is that one."""
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path))
    write_published(tmp_path / "warehouse.duckdb")
    snapshot(tmp_path, LEARNED, 1000)
    return tmp_path


def snapshot(warehouse: Path, name: str, ends: int) -> None:
    folder = warehouse / "snapshots" / name
    folder.mkdir(parents=True)
    rows = f"select i >= {ends} as is_censored from range({ends} + 7) as t (i)"
    duckdb.execute(f"copy ({rows}) to '{folder / 'label.parquet'}' (format parquet)")
    (warehouse / "snapshots" / "tickets.txt").write_text(name)


def asked(has_drifted: bool = False) -> dg.RunRequest | str:
    """What the sensor asks for, or why it asks for nothing."""
    with dg.DagsterInstance.ephemeral() as instance:
        check = dg.AssetCheckEvaluation(
            asset_key=DRIFT.asset_key, check_name=DRIFT.name, passed=not has_drifted, metadata={}
        )
        instance.report_runless_asset_event(check)
        answer = retraining(dg.build_sensor_context(instance=instance))
    return answer if isinstance(answer, dg.RunRequest) else answer.skip_message


@pytest.mark.parametrize(("ends", "is_enough"), [(1099, False), (1100, True)])
def test_a_tenth_more_ends_are_enough(warehouse: Path, ends: int, is_enough: bool) -> None:
    snapshot(warehouse, NEWEST, ends)
    answer = asked()
    assert isinstance(answer, dg.RunRequest) == is_enough
    if isinstance(answer, dg.RunRequest):
        assert answer.run_key == NEWEST and "100 more tickets have ended" in answer.tags["why"]


def test_a_drift_is_enough_but_not_twice_on_what_was_learned_from(warehouse: Path) -> None:
    assert isinstance(asked(has_drifted=True), str)
    snapshot(warehouse, NEWEST, 1000)
    answer = asked(has_drifted=True)
    assert isinstance(answer, dg.RunRequest) and "have drifted" in answer.tags["why"]
    assert isinstance(asked(), str)


def test_before_anything_was_trained_or_when_it_is_gone_nothing_is_asked_for(warehouse: Path) -> None:
    snapshot(warehouse, NEWEST, 9000)
    (warehouse / "snapshots" / LEARNED / "label.parquet").unlink()
    assert isinstance(asked(), str)
    (warehouse / "warehouse.duckdb").unlink()
    assert isinstance(asked(has_drifted=True), str)


def test_a_refresh_trains_nothing_and_looks_for_drift() -> None:
    job, graph = defs.resolve_job_def("refresh"), defs.resolve_asset_graph()
    assert {graph.get(key).group_name for key in job.asset_layer.selected_asset_keys} == {
        "ingestion", "staging", "intermediate", "features", "training", "service", "serving"
    }  # fmt: skip
    assert "best_model_drift" in job.graph.node_dict


def test_a_prediction_builds_what_serving_reads_and_nothing_else() -> None:
    job, graph = defs.resolve_job_def("predict"), defs.resolve_asset_graph()
    selected = {key.to_user_string() for key in job.asset_layer.selected_asset_keys}
    assert {graph.get(dg.AssetKey.from_user_string(key)).group_name for key in selected} == {
        "ingestion", "staging", "intermediate", "features", "training", "serving"
    }  # fmt: skip
    served = graph.get(dg.AssetKey("ticket_predictions")).parent_keys
    assert {key.to_user_string() for key in served} - selected == {"best_model"}
    assert not selected & {
        "raw_alerts",
        "training_snapshot",
        "train_tickets",
        "label_remaining",
        "similar_tickets",
    }
