"""The asset `raw_issues` on an archive: what is said of files that cannot be read, and until when."""

import gzip
import json
from pathlib import Path

import dagster as dg
import pytest

from orchestration.defs.resources import Project
from orchestration.domains.tickets.landed.ingestion import raw_issues, rejected_records
from tests.unit.landed import record


def materialize(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dg.ExecuteInProcessResult:
    monkeypatch.setenv("WAREHOUSE_DIR", str(folder / "warehouse"))
    monkeypatch.setenv("ISSUES_SOURCE", "archive")
    monkeypatch.setenv("ISSUES_ARCHIVE", str(folder / "dumps"))
    with dg.DagsterInstance.ephemeral() as instance:
        return dg.materialize(
            [raw_issues, rejected_records],
            instance=instance,
            resources={"project": Project()},
            raise_on_error=False,
        )


def test_a_file_that_cannot_be_read_fails_the_check_until_it_is_corrected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dumps = tmp_path / "dumps"
    dumps.mkdir()
    (dumps / "good.jsonl").write_text("\n".join(json.dumps(record(number)) for number in range(1, 2000)))
    (dumps / "falsely.jsonl.gz").write_text(json.dumps(record(5000)))
    (dumps / "notes.txt").write_text("x")
    result = materialize(tmp_path, monkeypatch)
    assert result.success
    (check,) = result.get_asset_check_evaluations()
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert "falsely" in str(check.description) and "is no gzip file" in str(check.description)
    (event,) = result.asset_materializations_for_node("raw_issues")
    assert "notes.txt" in str(event.metadata["files_not_read"].value)

    (dumps / "falsely.jsonl.gz").write_bytes(gzip.compress(json.dumps(record(5000)).encode()))
    (check,) = materialize(tmp_path, monkeypatch).get_asset_check_evaluations()
    assert check.passed and check.metadata["rejected"].value == 0


def test_a_folder_of_which_nothing_loads_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dumps").mkdir()
    (tmp_path / "dumps" / "events.jsonl").write_text(f"{json.dumps({'payload': {'issue': record()}})}\n" * 3)
    result = materialize(tmp_path, monkeypatch)
    assert not result.success
    (failure,) = [event for event in result.all_node_events if event.event_type_value == "STEP_FAILURE"]
    said = str(failure.step_failure_data.error)
    assert "The commonest reason, of 3 records: an event of GH Archive" in said and "events" in said
