"""Training end to end on synthetic data: no leak, no luck, the same numbers again, whole files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml.data.dataset import Dataset
from ml.data.parts.splits import split_by_time
from ml.encoding.matrix import PreprocessingConfig
from ml.models import find
from ml.runs.train import train_models
from ml.store.files import json_text
from ml.store.record import Evaluation
from ml.store.run_folder import RunFolder
from ml.tasks import DURATION, Trained
from ml.tasks.duration.fit import Workbench
from ml.tasks.duration.task import TrainingConfig
from tests.unit.ml import synthetic

SMALL = PreprocessingConfig(text_buckets=256, text_components=4)
QUICK = TrainingConfig(trials=0, replicates=40, preprocessing=SMALL)
FAMILIES = ["median", "forest", "lightgbm", "linear", "svm", "xgboost"]


def fit(dataset: Dataset, model: str = "linear", config: TrainingConfig = QUICK) -> Trained:
    return DURATION.train(dataset, config, model)


def value(trained: Trained, metric: str, split: str = "test") -> float:
    found = [m.value for m in trained.metrics if (m.split, m.metric) == (split, metric)]
    assert found and found[0] is not None
    return found[0]


@pytest.mark.parametrize("model", [name for name in FAMILIES if name != "median"])
def test_every_family_finds_the_planted_signal(model: str) -> None:
    trained = fit(synthetic.dataset(900), model)
    assert value(trained, "skill_vs_group_median") > 0.15
    assert value(trained, "concordance") > 0.7
    assert value(trained, "auc_7d") > 0.75
    gain = next(m for m in trained.metrics if (m.split, m.metric) == ("test", "mae_log_gain_vs_group_median"))
    assert gain.ci_low is not None and gain.ci_low > 0
    assert 0.65 < value(trained, "coverage_80") < 0.92


def test_the_median_is_the_floor() -> None:
    trained = fit(synthetic.dataset(900), "median")
    assert abs(value(trained, "skill_vs_group_median")) < 0.02
    assert "mae_log_median" in {m.metric for m in trained.metrics}


def with_permuted_labels(dataset: Dataset, seed: int) -> Dataset:
    """Give the known hours of training and of validation rows to other rows of the same part."""
    split, rng, labels = split_by_time(dataset), np.random.default_rng(seed), dataset.labels.copy()
    start = dataset.items.set_index("item_id")["event_at"]
    for part in ("train", "validation"):
        items = dataset.items["item_id"][(split.part == part) & split.known]
        rows = np.flatnonzero(labels["item_id"].isin(items))
        hours = labels.loc[rows, "y"].to_numpy()[rng.permutation(len(rows))]
        ends = start.loc[labels.loc[rows, "item_id"]].to_numpy() + pd.to_timedelta(hours, unit="h")
        labels.loc[rows, "y"] = hours
        labels.loc[rows, "labelled_at"] = ends.floor("us").as_unit("us")
    return Dataset(dataset.items, labels, dataset.config)


@pytest.mark.parametrize("model", ["linear", "lightgbm"])
def test_permuted_training_labels_give_no_skill(model: str) -> None:
    dataset = synthetic.dataset(1500)
    fits = [fit(with_permuted_labels(dataset, seed), model) for seed in range(8)]
    assert max(value(trained, "skill_vs_group_median") for trained in fits) < 0.05
    # One permutation leaves a chance direction that ranks far from .5 either way; their mean does not.
    assert np.mean([value(trained, "auc_1d") for trained in fits]) == pytest.approx(0.5, abs=0.1)
    assert value(fit(dataset, model), "auc_1d") > 0.75


def test_labels_known_after_the_cut_change_nothing() -> None:
    dataset = synthetic.dataset(3000)
    split = split_by_time(dataset)
    labels = dataset.labels.copy()
    start = dataset.items.set_index("item_id").loc[labels["item_id"], "event_at"].to_numpy()
    cut = pd.Series(split.test_cut, index=dataset.items["item_id"]).loc[labels["item_id"]].to_numpy()
    late = ~labels["is_censored"].to_numpy() & (labels["labelled_at"].to_numpy() >= cut) & (start < cut)
    assert late.sum() >= 2
    labels.loc[late, "labelled_at"] += pd.Timedelta(hours=1)
    labels.loc[late, "y"] += 1.0
    before, after = fit(dataset), fit(Dataset(dataset.items, labels, dataset.config))
    columns = ["y_pred", "p10", "p90", "p_within_7d"]
    pd.testing.assert_frame_equal(before.predictions[columns], after.predictions[columns])


def test_test_labels_change_no_prediction() -> None:
    dataset = synthetic.dataset(700)
    split = split_by_time(dataset)
    labels = dataset.labels.copy()
    test = np.isin(labels["item_id"], dataset.items["item_id"][split.part == "test"])
    labels.loc[test & ~labels["is_censored"], "y"] *= 3.0
    before, after = fit(dataset), fit(Dataset(dataset.items, labels, dataset.config))
    columns = ["y_pred", "p10", "p90", "p_within_7d"]
    pd.testing.assert_frame_equal(before.predictions[columns], after.predictions[columns])
    assert value(before, "mae_log") != value(after, "mae_log")


@pytest.mark.parametrize("model", FAMILIES)
def test_sample_weights_reach_every_model(model: str) -> None:
    dataset = synthetic.dataset(500)
    slow = dataset.labels["y"].fillna(0.0) > dataset.labels["y"].median()
    heavy = Dataset(dataset.items, dataset.labels.assign(weight=np.where(slow, 20.0, 1.0)), dataset.config)
    plain, moved = (fit(d, model).predictions["y_pred"].mean() for d in (dataset, heavy))
    assert moved > plain * 1.05


def test_group_power_is_used() -> None:
    dataset = synthetic.dataset(500)
    split = split_by_time(dataset)
    bench = Workbench(dataset, split, np.zeros((500, 1)), split.rows("train"), QUICK.weighting, 0)
    rows = split.rows("train") & split.known
    even = replace(bench, weighting=replace(QUICK.weighting, group_power=0.0, censoring_cap=1.0))
    full = replace(bench, weighting=replace(QUICK.weighting, group_power=1.0, censoring_cap=1.0))
    spec, outcomes = find("linear"), split.outcomes(dataset)
    group = dataset.groups("slice_depot")
    assert (even.regressor_weights(spec, rows, outcomes)[rows] == 1.0).all()
    totals = [
        full.regressor_weights(spec, rows, outcomes)[rows & (group == g)].sum() for g in ("north", "south")
    ]
    assert totals[0] == pytest.approx(totals[1])


@pytest.mark.parametrize("model", FAMILIES)
def test_a_second_run_and_a_shuffled_one_give_the_same_numbers(model: str, tmp_path: Path) -> None:
    items, labels = synthetic.frames(400)
    config = replace(QUICK, trials=2)
    texts = []
    for run, order in enumerate((None, None, 5)):
        pair = [f if order is None else f.sample(frac=1, random_state=order) for f in (items, labels)]
        (done,) = train_models(Dataset(*pair, synthetic.CONFIG), [model], tmp_path / str(run) / "r", config)
        texts.append(json_text([m.__dict__ for m in done.metrics]) + json.dumps(done.params))
    assert texts[0] == texts[1] == texts[2]


def test_what_is_up_to_date_is_not_trained_again(tmp_path: Path) -> None:
    dataset = synthetic.dataset(300)
    stages: list[tuple[str, str]] = []

    def run(config: TrainingConfig = QUICK, data: Dataset = dataset) -> list[str]:
        stages.clear()
        train_models(data, ["median", "linear"], tmp_path / "r", config, lambda *s: stages.append(s))
        return [stage for _, stage in stages if stage in ("done", "skipped")]

    assert run() == ["done", "done"]
    assert run() == ["skipped", "skipped"]
    assert run(replace(QUICK, seed=1)) == ["done", "done"]
    thirty_days = replace(dataset, config=replace(dataset.config, horizons_days=(30,)))
    assert run(replace(QUICK, seed=1), thirty_days) == ["done", "done"]
    heavier = replace(dataset, items=dataset.items.assign(size=dataset.items["size"] * 2))
    assert run(replace(QUICK, seed=1), heavier) == ["done", "done"]
    (tmp_path / "r" / "linear.skops").write_bytes(b"changed")
    assert run(replace(QUICK, seed=1), heavier) == ["skipped", "done"]


def test_one_run_name_is_one_training_set(tmp_path: Path) -> None:
    dataset, other = synthetic.dataset(300), synthetic.dataset(320)
    train_models(dataset, ["median", "linear"], tmp_path / "r", QUICK)
    before = {path.name: path.read_bytes() for path in (tmp_path / "r").iterdir()}
    with pytest.raises(ValueError, match=r"'r' has the model 'linear' of other data.*another run name"):
        train_models(other, ["median"], tmp_path / "r", QUICK)
    assert {path.name: path.read_bytes() for path in (tmp_path / "r").iterdir()} == before
    # Another domain's models are none of its business.
    letters = replace(other, config=replace(other.config, name="letters"))
    train_models(letters, ["median"], tmp_path / "s", QUICK)
    train_models(dataset, ["linear"], tmp_path / "s", QUICK)
    assert [run["domain"] for run in RunFolder(tmp_path / "s").runs()] == ["letters", "parcels"]


def test_a_run_folder_is_whole_and_the_saved_model_predicts_from_raw_items(tmp_path: Path) -> None:
    dataset = synthetic.dataset(400)
    folder = tmp_path / "runs" / "r1"
    evaluations = train_models(
        dataset, ["median", "lightgbm", "svm"], folder, QUICK, git_sha="abc", engine="test"
    )
    (run,) = RunFolder(folder).runs()
    assert run["status"] == "succeeded" and run["git_sha"] == "abc" and run["run_id"] == "r1"
    assert run["snapshot_id"] == dataset.snapshot_id and run["started_at"] < run["finished_at"]
    own = ("lightgbm", "eval_l", "predictions_l")
    assert {p.name for p in folder.iterdir() if p.name.startswith(own)} == {
        "lightgbm.skops", "lightgbm.txt", "eval_lightgbm.json", "predictions_lightgbm.parquet",
    }  # fmt: skip
    for evaluation in evaluations:
        stored = Evaluation.from_dict(json.loads((folder / f"eval_{evaluation.model}.json").read_text()))
        assert stored == evaluation
        table = pd.read_parquet(folder / f"predictions_{evaluation.model}.parquet")
        assert list(table.columns[:7]) == ["item_id", "event_at", "split", "y_true", "y_pred", "p10", "p90"]
        assert set(table["split"]) == {"validation", "test"}
        assert (table["p10"] <= table["y_pred"]).all() and (table["y_pred"] <= table["p90"]).all()
        within = table[[c for c in table if c.startswith("p_within_")]].to_numpy()
        assert ((within >= 0) & (within <= 1)).all() and (np.diff(within, axis=1) >= 0).all()
        test = table[table["split"] == "test"].set_index("item_id")
        raw = dataset.items[dataset.items["item_id"].isin(test.index)]
        again = RunFolder(folder).model(evaluation.model).predict(raw)
        np.testing.assert_allclose(again["y_pred"], test["y_pred"].loc[raw["item_id"]], rtol=1e-5)
    censored = dataset.labels.loc[dataset.labels["is_censored"], "item_id"]
    assert table.loc[table["item_id"].isin(censored), "y_true"].isna().all()


def test_unseen_categories_and_groups_are_predicted(tmp_path: Path) -> None:
    dataset = synthetic.dataset(400)
    trained = fit(dataset)
    new = dataset.items.head(3).assign(kind="balloon", slice_depot="nowhere", text=None, weight_class=np.nan)
    predicted = trained.estimator.predict(new)
    assert np.isfinite(predicted.to_numpy(float)).all() and len(predicted) == 3


def test_fewer_rows_on_demand() -> None:
    dataset = synthetic.dataset(900)
    few, all_rows = fit(dataset, config=replace(QUICK, subset_size=40)), fit(dataset)
    assert len(few.predictions) == len(all_rows.predictions)
    assert value(few, "mae_log") > value(all_rows, "mae_log")


@pytest.mark.parametrize("change", [{"trials": -1}, {"seconds": -1}, {"replicates": -1}, {"subset_size": 1}])
def test_settings_out_of_range_are_refused(change: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="of at least"):
        replace(QUICK, **change)


def test_an_unknown_model_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no model 'oracle'"):
        train_models(synthetic.dataset(200), ["median", "oracle"], tmp_path / "r", QUICK)
    assert not (tmp_path / "r").exists()
