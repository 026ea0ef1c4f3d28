"""Training and tuning of scorers and rankers as a user runs them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from ml.cli import main
from ml.errors import TooLittleDataError
from ml.search.settings import read_config
from ml.search.study import SearchRequest, objective_for, search
from ml.tasks.scoring.settings import ScoringConfig
from tests.unit.ml import grouped, synthetic

SETTINGS = json.dumps({"name": "parcels", "baselines": {"baseline": ["hint", "urgency"]}})
GROUPS = ["--validation-groups", "3", "--test-groups", "4"]
CONFIG = ScoringConfig(validation_groups=3, test_groups=4)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return synthetic.write(tmp_path / "data", *grouped.frames(size=30), SETTINGS)


def test_train_scorer_writes_text_and_report(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train-scorer", "--data-dir", str(data), "--eval-metric", "auc", "--cv-folds", "4", *GROUPS]
    assert main([*command, "--output", str(tmp_path / "a.txt")]) == 0
    assert "review_share_80" in capsys.readouterr().out
    report = json.loads((tmp_path / "a.json").read_text())
    needed = {
        "test_auc", "test_precision", "test_recall", "test_f1", "best_iteration", "num_features",
        "cv_auc_mean", "cv_auc_std", "cv_scores",
    }  # fmt: skip
    assert needed <= set(report) and len(report["cv_scores"]) == 4
    assert report["cv_auc_mean"] == pytest.approx(np.mean(report["cv_scores"]))
    assert report["cv_auc_std"] == pytest.approx(np.std(report["cv_scores"]))
    assert main([*command, "--output", str(tmp_path / "b.txt")]) == 0
    assert (tmp_path / "a.txt").read_bytes() == (tmp_path / "b.txt").read_bytes()
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    import lightgbm

    assert lightgbm.Booster(model_file=str(tmp_path / "a.txt")).num_feature() == report["num_features"]


def test_train_ranker_reports_the_k_and_the_cuts_asked_for(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "r.txt"
    command = ["train-ranker", "--data-dir", str(data), "--output", str(output), *GROUPS]
    assert main([*command, "--ndcg-at", "3", "500", "--forward-cuts", "4"]) == 0
    report = json.loads(output.with_suffix(".json").read_text())
    assert 0 < report["test_ndcg@3"] <= 1 and 0 < report["test_ndcg@500"] <= 1
    assert "test_ndcg@5" not in report
    at = {m["split"]: m for m in report["metrics"] if m["metric"] == "average_precision"}
    values = [at[f"origin_{k}"]["value"] for k in (1, 2, 3, 4)]
    assert at["origins"]["value"] == pytest.approx(np.mean(values)) and "origin_5" not in at
    assert at["origins"]["ci_low"] < at["origins"]["value"] < at["origins"]["ci_high"]
    _, said = capsys.readouterr().out.split("at forward cuts")
    (line,) = (line.split() for line in said.splitlines() if line.startswith("average_precision "))
    spread = [at["origins"][name] for name in ("value", "ci_low", "ci_high")] + [min(values), max(values)]
    shown = [float(cell) for cell in line if cell.replace(".", "").lstrip("-").isdigit()]
    assert shown == pytest.approx([*spread, 4], abs=5e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--data-dir", "/nowhere"], "no training set at"),
        (["--config", "/nowhere.yaml"], "no configuration"),
        (["--cv-folds", "1"], "at least 2"),
        (["--test-groups", "1.5"], "whole"),
        (["--test-groups", "99"], "too few"),
    ],
)
def test_bad_input_is_one_sentence(
    data: Path, tmp_path: Path, change: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "x.txt"
    assert main(["train-scorer", "--data-dir", str(data), "--output", str(output), *GROUPS, *change]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and message in error and len(error.splitlines()) == 1
    assert not output.exists()


def test_configuration_files(tmp_path: Path) -> None:
    own, tuned, wrong = (tmp_path / f"{name}.yaml" for name in ("own", "tuned", "wrong"))
    own.write_text("seed: 3\nndcg_at: [1, 2]\nparams: {num_leaves: 9}\n")
    assert read_config(own, seed=4, cv_folds=None).seed == 4
    assert read_config(own).ndcg_at == (1, 2) and read_config(own).params == {"num_leaves": 9}
    tuned.write_text("best_params: {num_leaves: 12}\ntrials: 3\n")
    assert read_config(tuned).params == {"num_leaves": 12}
    wrong.write_text("leaves: 3\n")
    with pytest.raises(ValueError, match="unknown settings"):
        read_config(wrong)


def test_tune_twice_gives_the_same_file_and_its_result_trains(data: Path, tmp_path: Path) -> None:
    settings = tmp_path / "settings.yaml"
    settings.write_text("validation_groups: 3\ntest_groups: 4\n")
    files = [tmp_path / name / "best.yaml" for name in ("one", "two")]
    for file in files:
        command = ["tune", "--model-type", "scorer", "--data-dir", str(data), "--config", str(settings)]
        assert main([*command, "--trials", "4", "--output", str(file), "--seed", "5"]) == 0
    assert files[0].read_bytes() == files[1].read_bytes()
    result = yaml.safe_load(files[0].read_text())
    assert set(result) == {"model_type", "best_params", "search_space", "best_value", "trials", "seed"}
    assert (result["model_type"], result["trials"], result["seed"]) == ("scorer", 4, 5)
    assert set(result["best_params"]) >= set(result["search_space"])
    for name in ("optimization_history", "param_importances"):
        page = (files[0].parent / "plots" / f"{name}.html").read_text()
        assert "<script src=" not in page and len(page) > 1_000_000
    output = tmp_path / "tuned.txt"
    command = ["train-scorer", "--data-dir", str(data), "--config", str(files[0]), *GROUPS, "--cv-folds", "0"]
    assert main([*command, "--output", str(output)]) == 0
    params = json.loads(output.with_suffix(".json").read_text())["params"]
    assert params["num_leaves"] == result["best_params"]["num_leaves"]


def test_an_interrupted_search_goes_on_as_it_would_have(data: Path, tmp_path: Path) -> None:
    request = SearchRequest("ranker", data, 1, CONFIG)
    whole = search(request, 5, tmp_path / "whole.journal")
    calls: list[int] = []
    search(request, 2, tmp_path / "parts.journal")
    resumed = search(request, 5, tmp_path / "parts.journal", progress=lambda done, n: calls.append(done))
    assert calls == [2, 3, 4, 5]
    assert resumed == whole
    again = search(request, 5, tmp_path / "parts.journal")
    assert again == whole


def test_processes_share_one_journal(data: Path, tmp_path: Path) -> None:
    result = search(SearchRequest("scorer", data, 0, CONFIG), 4, tmp_path / "j.journal", processes=2)
    assert 4 <= result.trials <= 5


def test_the_search_sees_the_rows_of_the_folder_it_is_given(tmp_path: Path) -> None:
    """A search over clusters reads the clusters: other rows, other values, another study."""
    folders = [
        synthetic.write(tmp_path / str(seed), *grouped.frames(size=30, seed=seed), SETTINGS)
        for seed in (0, 1)
    ]
    objectives = [objective_for(SearchRequest("cluster", folder, 0, CONFIG)) for folder in folders]
    assert objectives[0].name != objectives[1].name
    results = [
        search(SearchRequest("cluster", folder, 0, CONFIG), 2, tmp_path / "one.journal") for folder in folders
    ]
    assert results[0].best_value != results[1].best_value and results[1].trials == 2


def test_the_search_never_reads_the_test_part(tmp_path: Path) -> None:
    items, labels = grouped.frames(size=30)
    plain = synthetic.write(tmp_path / "plain", items, labels, SETTINGS)
    test = items["group_id"] >= "week-10"
    labels.loc[test, "y"] = 1 - labels.loc[test, "y"]
    turned = synthetic.write(tmp_path / "turned", items, labels, SETTINGS)
    values = [
        search(SearchRequest("scorer", folder, 0, CONFIG), 2, tmp_path / f"{folder.name}.journal").best_value
        for folder in (plain, turned)
    ]
    assert values[0] == values[1]


def test_durations_are_trained_and_searched_at_a_horizon(tmp_path: Path) -> None:
    settings = '{"name": "parcels", "timeline": "slice_depot"}'
    folder = synthetic.write(tmp_path / "durations", *synthetic.frames(), settings)
    output = tmp_path / "late.txt"
    train = ["train-scorer", "--data-dir", str(folder), "--output", str(output), "--cv-folds", "0"]
    assert main(train) == 1, "hours are no 0/1 labels"
    assert main([*train, "--horizon-days", "7"]) == 0
    assert 0.6 < json.loads(output.with_suffix(".json").read_text())["test_auc"] < 1
    tune = ["tune", "--model-type", "scorer", "--data-dir", str(folder), "--trials", "2", "--rows", "200"]
    best = tmp_path / "best.yaml"
    assert main([*tune, "--horizon-days", "7", "--output", str(best)]) == 0
    assert main([*train, "--horizon-days", "7", "--config", str(best)]) == 0
    names = {
        objective_for(SearchRequest("scorer", folder, 0, ScoringConfig(horizon_days=days), rows)).name
        for days, rows in ((7, None), (30, None), (7, 200))
    }
    assert len(names) == 3, "each has trials of its own"
    with pytest.raises(TooLittleDataError, match="The training part has"):
        objective_for(SearchRequest("scorer", folder, 0, ScoringConfig(horizon_days=7), rows=1))
    with pytest.raises(ValueError, match="'linear' learns durations"):
        objective_for(SearchRequest("linear", folder, config=ScoringConfig(horizon_days=7)))


def test_a_duration_model_is_searched_too(tmp_path: Path) -> None:
    settings = '{"name": "parcels", "timeline": "slice_depot", "weight_by": "slice_depot"}'
    folder = synthetic.write(tmp_path / "durations", *synthetic.frames(300), settings)
    result = search(SearchRequest("linear", folder), 3, tmp_path / "j.journal")
    assert result.model_type == "linear" and 0 < result.best_value < 10
    with pytest.raises(ValueError, match="no model type 'median'"):
        objective_for(SearchRequest("median", folder))
