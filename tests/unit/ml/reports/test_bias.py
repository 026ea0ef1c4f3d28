"""The bias of a run as a user meets it: files, tables in DuckDB, the page and the command line."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import duckdb
import jsonschema
import pandas as pd
import pytest

from ml.bias import typed
from ml.bias.report.document import BIAS_SCHEMA
from ml.bias.tables import names
from ml.cli import main
from ml.data.dataset import Dataset
from ml.mitigation.run import MitigationConfig, accepted_models, mitigate_models
from ml.reports.bias import BOTH, EXPLAINED, LEDGER, write_bias, write_bias_page
from ml.runs.train import train_models
from ml.store.run_folder import RunFolder
from ml.tasks.duration.task import TrainingConfig
from orchestration.store.promotions import champion
from orchestration.store.results import current_models, load_bias, load_training, set_champion
from tests.unit.ml import crews

TABLES = ("slice_metrics", *BOTH, *EXPLAINED)
QUICK = TrainingConfig(trials=0, replicates=0)
NOTE = "All parcels are made up."


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bias")
    dataset = Dataset.from_dir(crews.folder(folder / "data", factor=5.0))
    run_dir = folder / "runs" / "r"
    evaluations = train_models(dataset, ["median", "linear"], run_dir, QUICK)
    write_bias(dataset, evaluations, run_dir)
    mitigate_models(
        dataset, evaluations, run_dir, MitigationConfig(methods=("sample_weights", "prediction_adjustment"))
    )
    write_bias_page(dataset.config, evaluations, run_dir)
    return run_dir


@pytest.mark.parametrize("table", [*TABLES, LEDGER])
def test_every_table_loads_with_described_columns_and_types(run: Path, table: str) -> None:
    with duckdb.connect() as database:
        load_bias(database, "parcels", ["regression"], [run], (table,))
        described = database.sql(f"describe bias.{table}").fetchall()
        rows = database.sql(
            f"select count(*), any_value(run_id), any_value(domain) from bias.{table}"
        ).fetchall()
    columns = {name: dtype for name, dtype, *_ in described}
    assert list(columns)[:2] == ["run_id", "domain"]
    assert set(columns) == {"run_id", "domain", *names(table)}
    assert set(columns.values()) <= {"VARCHAR", "DOUBLE", "BIGINT", "BOOLEAN"}
    if table != "intersections":
        assert rows[0][0] > 0 and rows[0][1:] == ("r", "parcels")


@pytest.mark.parametrize("table", [*TABLES, LEDGER])
def test_an_empty_table_has_the_types_of_a_full_one(run: Path, table: str, tmp_path: Path) -> None:
    full = pd.read_parquet(run / f"bias_{table}.parquet")
    bare = typed(pd.DataFrame(columns=full.columns, dtype=object), table)
    assert bare.dtypes.to_dict() == full.dtypes.to_dict()
    bare.to_parquet(tmp_path / f"bias_{table}.parquet", index=False)
    with duckdb.connect() as database:
        load_bias(database, "parcels", ["regression"], [tmp_path], (table,))
        load_bias(database, "parcels", ["regression"], [run], (table,))
        assert database.sql(f"select count(*) from bias.{table}").fetchall()[0][0] == len(full)


def test_the_page_stands_alone_and_tells_what_helped(run: Path) -> None:
    page = (run / "bias.html").read_text(encoding="utf-8")
    # Files beside it may be linked, nothing further away.
    for outside in (
        r"<script",
        r"<link",
        r"<img",
        r"@import",
        r"url\(",
        r"(src|href)\s*=\s*[\"'](?!#|[\w.]+[\"'])",
    ):
        assert not re.search(outside, page, flags=re.IGNORECASE), outside
    assert NOTE in page and "night" in page and "<svg" in page
    assert "prediction_adjustment" in page and "accepted" in page


def test_the_note_is_in_every_report(run: Path) -> None:
    texts = sorted(run.glob("bias_*.txt"))
    assert len(texts) == 6 and all(NOTE in path.read_text() for path in texts)


def test_the_document_follows_its_schema(run: Path) -> None:
    document = json.loads((run / "bias.json").read_text())
    jsonschema.validate(document, BIAS_SCHEMA)
    assert document["note"] == NOTE and document["run_id"] == "r"
    assert set(document["tables"]) == {*TABLES, LEDGER}
    assert document["settings"]["mix_slices"] == ["slice_depot"]


def test_the_gate_exits_with_2_and_says_why(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = ["bias-report", "--run", "r", "--runs-dir", str(run.parent), "--gate"]
    assert main([*report, "--threshold", "crew.shrunk_gap=0.05"]) == 2
    said = capsys.readouterr().out
    assert "Bias gate: failed" in said and "expected at most 0.05, actual" in said and "night" in said
    assert main([*report, "--threshold", "50"]) == 0
    assert "Bias gate: passed" in capsys.readouterr().out
    assert main([*report, "-m", "median"]) == 0
    for wrong, message in (
        ("5%", "'5%' is not of the form"),
        ("crew.luck=1", "'crew.luck=1' is not of the form"),
        ("crew.shrunk_gap=-1", "is not of the form"),
        ("colour.shrunk_gap=1", "dimension 'colour'"),
    ):
        assert main([*report, "--threshold", wrong]) == 1
        assert message in capsys.readouterr().err
    assert main([*report[:-1], "--threshold", "1"]) == 1
    assert "add --gate" in capsys.readouterr().err


def test_without_its_baseline_the_gate_does_not_pass(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = tmp_path / "alone"
    shutil.copytree(run, alone)
    summary = pd.read_parquet(alone / "bias_summary.parquet")
    summary[summary["model"] != "median"].to_parquet(alone / "bias_summary.parquet", index=False)
    report = ["bias-report", "--run", "alone", "--runs-dir", str(tmp_path), "--gate"]
    assert main(report) == 2
    said = capsys.readouterr().out
    assert "Bias gate: cannot be judged" in said and "baseline 'median'" in said
    assert main([*report, "--threshold", "50"]) == 0


def test_bias_report_prints_the_texts_of_the_models_asked_for(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = ["bias-report", "--run", "r", "--runs-dir", str(run.parent)]
    assert main([*report, "-m", "linear"]) == 0
    said = capsys.readouterr().out
    assert said.count("BIAS DETECTION REPORT") == 3 and "Model: median" not in said
    assert main([*report, "-m", "oracle"]) == 1
    assert "no report of oracle" in capsys.readouterr().err


def test_detect_bias_counts_every_slice_without_any_model(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = run.parents[1] / "data"
    items = pd.read_parquet(data / "train.parquet")
    assert main(["detect-bias", "--data-dir", str(data)]) == 0
    said = capsys.readouterr().out
    n = int((items["slice_crew"] == "night").sum())
    assert f"night: n {n:,}  share {100 * n / len(items):.1f} %  weight {len(items) / 2 / n:.3g}" in said
    assert all(f"--- {name}: " in said for name in ("depot", "kind", "crew")) and NOTE in said
    bare = tmp_path / "bare"
    bare.mkdir()
    items.drop(columns=["slice_depot", "slice_kind", "slice_crew"]).to_parquet(bare / "train.parquet")
    pd.read_parquet(data / "label.parquet").to_parquet(bare / "label.parquet")
    assert main(["detect-bias", "--data-dir", str(bare)]) == 1
    assert "no slice_* column" in capsys.readouterr().err


def test_an_accepted_model_is_loaded_beside_the_others_and_can_be_made_champion(run: Path) -> None:
    mitigated = accepted_models(run)
    assert "linear+prediction_adjustment" in mitigated
    with duckdb.connect() as database:
        load_training(database, run, ["median", "linear", *mitigated])
        current = current_models(database, "parcels", ["regression"])
        assert {one.model for one in current} == {"median", "linear", *mitigated}
        set_champion(database, "parcels", "regression", "linear+prediction_adjustment")
        best = champion(database, "parcels", "regression")
        n = database.sql("select count(*) from ml.predictions where model like '%+%'").fetchall()[0][0]
    assert best is not None and best.model == "linear+prediction_adjustment" and n > 0
    items = Dataset.from_dir(run.parents[1] / "data").items
    assert RunFolder(run).model(best.model).predict(items.head(5))["y_pred"].gt(0).all()


def test_what_was_measured_is_measured_again_only_when_something_is_not_as_it_was(
    run: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(run, tmp_path / "r")
    folder, dataset = RunFolder(copy), Dataset.from_dir(run.parents[1] / "data")
    evaluations = folder.evaluations(["median", "linear"])
    first = write_bias(dataset, evaluations, copy)
    assert first is not None

    def written() -> dict[str, int]:
        return {path.name: path.stat().st_mtime_ns for path in copy.glob("bias_*") if LEDGER not in path.name}

    before = written()
    again = write_bias(dataset, evaluations, copy)
    assert written() == before and again is not None
    for name, table in first.items():
        pd.testing.assert_frame_equal(again[name], table)

    folder.write_table("summary", first["summary"].iloc[:1])
    repaired = write_bias(dataset, evaluations, copy)
    assert repaired is not None and len(repaired["summary"]) == len(first["summary"])
    assert all(later > before[name] for name, later in written().items())
    fewer = write_bias(dataset, evaluations[:1], copy)
    assert fewer is not None and set(fewer["summary"]["model"]) == {"median"}
