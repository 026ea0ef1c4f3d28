"""The bias of scorers and rankers as a user meets it: files of a run folder, and tables in DuckDB."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from ml.bias import typed
from ml.bias.tables import names
from ml.data.dataset import Dataset
from ml.reports.bias import bias_tables, write_bias, write_table
from ml.runs.train import train_models
from ml.store.record import Evaluation
from ml.store.run_folder import RunFolder
from ml.tasks import RANKER, SCORER
from ml.tasks.scoring.settings import ScoringConfig
from orchestration.store.results import load_bias
from tests.unit.ml import grouped

CONFIG = ScoringConfig(
    validation_groups=3, test_groups=6, cv_folds=0, replicates=0, params={"n_estimators": 20}
)
Run = tuple[Path, Dataset, list[Evaluation], dict[str, pd.DataFrame]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A scorer and a ranker in one folder; one depot for each group of parcels."""
    items, labels = grouped.frames(n_groups=24, size=60)
    items["slice_depot"] = np.where(items["group_id"].str[-1].isin(list("02468")), "north", "south")
    config = replace(grouped.CONFIG, note="All parcels are made up.")
    dataset = Dataset(items, labels, config)
    folder = tmp_path_factory.mktemp("runs") / "r"
    evaluations = [
        evaluation
        for task, name in ((SCORER, "scorer"), (RANKER, "ranker"))
        for evaluation in train_models(dataset, [name], folder, CONFIG, task=task)
    ]
    tables = write_bias(dataset, evaluations, folder)
    assert tables is not None
    return folder, dataset, evaluations, tables


def test_both_tasks_of_a_folder_are_measured_in_one_go(run: Run) -> None:
    folder, _, evaluations, tables = run
    assert tuple(tables) == bias_tables(evaluations)
    for name, table in tables.items():
        pd.testing.assert_frame_equal(pd.read_parquet(folder / f"bias_{name}.parquet"), table)
        assert set(table.columns) == {"run_id", "domain", *names(name)}
    summary = tables["summary"]
    assert set(summary.loc[summary["model"] == "scorer", "dimension"]) == {"kind", "depot"}
    ranker = summary[summary["model"] == "ranker"].set_index("dimension")["gap_metric"]
    # The depot is the list's, the kind a parcel's.
    assert set(ranker["depot"]) == {"ndcg@10", "mrr"} and set(ranker["kind"]) == {"exposure"}
    assert set(tables["ranking_concentration"]["who"]) == {"ranked_first", "first_by_baseline", "relevant"}


def test_the_figures_are_those_of_the_report(run: Run) -> None:
    """What the report says of all rows lies between what the slices say."""
    folder, _, _, tables = run
    report = json.loads((folder / "report_scorer.json").read_text())
    test = tables["score_metrics"].query("split == 'test' and dimension == 'depot'")
    recall = test[test["metric"] == "recall"]
    of_all = np.average(recall["value"], weights=recall["n_positive"])
    assert of_all == pytest.approx(report["test_recall"])
    lists = tables["ranking_metrics"].query("split == 'test' and metric == 'ndcg@10' and ~pooled")
    whole = json.loads((folder / "report_ranker.json").read_text())["test_ndcg@10"]
    pooled = tables["ranking_metrics"].query("split == 'test' and metric == 'ndcg@10' and pooled")
    assert np.average(pooled["value"], weights=pooled["n_relevant"]) == pytest.approx(whole)
    assert lists["value"].to_list() == pytest.approx([whole])


def test_the_texts_carry_note_verdict_and_every_slice(run: Run) -> None:
    folder = run[0]
    names = {path.name for path in folder.glob("bias_*_*.txt")}
    assert names == {f"bias_{m}_{d}.txt" for m in ("scorer", "ranker") for d in ("kind", "depot")}
    text = (folder / "bias_scorer_kind.txt").read_text()
    for part in ("NOTE: All parcels are made up.", "BIAS DETECTION REPORT", "Bias detected:", "recall: "):
        assert part in text
    assert all(kind in text for kind in ("letter", "box", "crate"))
    assert "NOT ASSESSABLE" in (folder / "bias_ranker_depot.txt").read_text()


def test_rows_of_other_tasks_and_the_history_stay(run: Run, tmp_path: Path) -> None:
    folder, _, evaluations, tables = run
    regression = replace(evaluations[0], run_id="hours", task="regression")
    hours, later = tmp_path / "hours", tmp_path / "later"
    summary = tables["summary"].drop(columns=["run_id", "domain"]).head(1).assign(task="regression")
    write_table(summary.assign(gap_metric="mae_log", model="clock"), "summary", RunFolder(hours), regression)
    with duckdb.connect() as database:
        load_bias(database, "parcels", ["regression"], [hours], ("summary",))
        for _ in range(2):
            load_bias(database, "parcels", ["binary", "ranking"], [folder], bias_tables(evaluations))
        load_bias(database, "parcels", ["regression"], [hours], ("summary",))
        for table in ("bias.summary", "history.bias_summary"):
            n = dict(database.sql(f"select model, count(*) from {table} group by all").fetchall())
            assert n == {"clock": 1, "scorer": 16, "ranker": 6}
        # A run that has nothing of a table leaves nothing of an older one.
        later.mkdir()
        bare = typed(pd.DataFrame(columns=tables["ranking_metrics"].columns, dtype=object), "ranking_metrics")
        bare.to_parquet(later / "bias_ranking_metrics.parquet", index=False)
        load_bias(database, "parcels", ["binary", "ranking"], [later], ("ranking_metrics",))
        assert database.sql("select count(*) from bias.ranking_metrics").fetchall() == [(0,)]
        assert database.sql("select count(*) from bias.score_metrics").fetchall()[0][0] > 0


def test_a_model_of_another_task_is_refused_and_no_slices_are_no_bias(run: Run) -> None:
    folder, dataset, evaluations, _ = run
    with pytest.raises(ValueError, match=r"No bias is measured of scorer \(clustering\)"):
        write_bias(dataset, [replace(evaluations[0], task="clustering")], folder)
    bare = replace(dataset, items=dataset.items.drop(columns=dataset.slices))
    assert write_bias(bare, evaluations, folder) is None
