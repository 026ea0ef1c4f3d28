"""Scoring of items with a model that exists: the training's numbers, alike for every row by itself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml.cli import main
from ml.data.dataset import Dataset
from ml.runs.promote import challenge
from ml.runs.train import train_models
from ml.store.run_folder import RunFolder
from ml.tasks import RANKER, REMAINING, SCORER
from ml.tasks.remaining.settings import RemainingConfig
from ml.tasks.scoring.settings import ScoringConfig
from tests.unit.ml import grouped, lives, synthetic

FEW_TREES = ScoringConfig(validation_groups=3, test_groups=4, cv_folds=0, params={"n_estimators": 30})
FEW_PERIODS = RemainingConfig(params={"n_estimators": 20, "num_leaves": 7}, replicates=0, seeds=1, origins=2)
KEYS = ["item_id", "event_at"]
HOURS = ("hours", "lives")
MODELS = [
    "late",
    "lives/remaining",
    "hours/linear",
    "hours/lightgbm",
    "hours/median",
    "scorer.txt",
    "ranker.run/ranker",
]
ALIASES = {
    "hours/champion": "hours/linear",
    "champion": "hours/linear",
    "items/champion": "hours/linear",
    "scorer.run": "scorer.txt",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of both kinds of data and a trained model for every task."""
    home = tmp_path_factory.mktemp("score")
    lived = Dataset(*lives.frames(n=300), lives.CONFIG)
    synthetic.write(home / "lives-data", lived.items, lived.labels)
    train_models(lived, ["remaining"], home / "lives", FEW_PERIODS, task=REMAINING)
    hours = synthetic.write(home / "hours-data", *synthetic.frames(300), '{"weight_by": "slice_depot"}')
    classes = synthetic.write(home / "class-data", *grouped.frames(size=30), json.dumps({"name": "parcels"}))
    (home / "few.yaml").write_text("params: {n_estimators: 30}\nreplicates: 0\ncv_folds: 0\n")
    train = ["train", "--data-dir", str(hours), "--runs-dir", str(home), "-r", "hours", "--trials", "0"]
    assert main([*train, "-m", "linear", "lightgbm"]) == 0
    folder = RunFolder(home / "hours")
    folder.write_best("linear", "for the test")
    chosen = challenge(
        folder.evaluation("linear"), Dataset.from_dir(hours), home, who="ann", gate="", passes=True
    )
    assert chosen.is_promoted
    for task in ("scorer", "ranker"):
        command = [f"train-{task}", "--data-dir", str(classes), "--output", str(home / f"{task}.txt")]
        groups = ["--validation-groups", "3", "--test-groups", "4"]
        assert main([*command, "--config", str(home / "few.yaml"), *groups]) == 0
    late = ["train-scorer", "--late", "--horizon-days", "7", "--data-dir", str(hours)]
    assert main([*late, "--config", str(home / "few.yaml"), "--output", str(home / "late")]) == 0
    return home


def data_of(home: Path, model: str) -> Path:
    if model.startswith(("scorer", "ranker")):
        return home / "class-data"
    return home / ("lives-data" if model.startswith("lives") else "hours-data")


def scored(home: Path, model: str, items: pd.DataFrame, suffix: str = "parquet") -> pd.DataFrame:
    """What the command writes for some items, with no label file beside them."""
    folder = home / "to-score"
    folder.mkdir(exist_ok=True)
    items.to_parquet(folder / "train.parquet", index=False)
    output = home / f"out.{suffix}"
    where = ["--runs-dir", str(home), "--data-dir", str(folder), "--output", str(output)]
    assert main(["score", "--model", model if "run" in model else _path(home, model), *where]) == 0
    return pd.read_parquet(output) if suffix == "parquet" else pd.read_csv(output)


def _path(home: Path, model: str) -> str:
    """Runs below the folder of runs by their name, files by their path."""
    return (
        model
        if "/champion" in model or model.startswith((*HOURS, "champion", "items"))
        else str(home / model)
    )


@pytest.mark.parametrize("model", MODELS)
def test_the_test_rows_get_the_numbers_of_the_training(home: Path, model: str) -> None:
    items = pd.read_parquet(data_of(home, model) / "train.parquet")
    table = scored(home, model, items)
    assert list(table["item_id"]) == list(items["item_id"]) and table["group_id"].equals(items["group_id"])
    answer = "predicted_hours" if model.startswith(HOURS) else "probability"
    names = {"late": "late.run/late", "scorer.txt": "scorer.run/scorer"}
    run, _, name = names.get(model, model).partition("/")
    then = RunFolder(home / run).predictions(name).query("split == 'test'").set_index(KEYS)
    now = table.set_index(KEYS).loc[then.index]
    np.testing.assert_array_equal(now[answer], then["y_pred"])
    if model.startswith(HOURS):
        np.testing.assert_array_equal(now[["p10", "p90"]], then[["p10", "p90"]])
        assert table.filter(like="p_within").notna().all().all()
    else:
        sizes = table.groupby("group_id")["rank"].agg(["max", "nunique"])
        assert (sizes["max"] == table["group_id"].value_counts().loc[sizes.index]).all()
        assert (sizes["max"] == sizes["nunique"]).all() and (table["reasons"].map(len) == 5).all()


@pytest.mark.parametrize("task", [SCORER, RANKER])
def test_the_training_rows_get_what_the_fit_gave_them(task: type, home: Path) -> None:
    data = Dataset.from_dir(home / "class-data")
    bench = task.prepare(data, FEW_TREES)
    fitted = bench.fit({})
    np.testing.assert_array_equal(
        fitted.estimator.predict(data.items)["score"], fitted.estimator.score_encoded(bench.data.x)
    )


@pytest.mark.parametrize("model", MODELS)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**16), size=st.sampled_from([1, 2, 7, 100, None]))
def test_a_row_is_scored_the_same_in_any_company(home: Path, model: str, seed: int, size: int | None) -> None:
    """Shuffled, cut and single rows; only the rank tells of the others."""
    items = pd.read_parquet(data_of(home, model) / "train.parquet")
    whole = scored(home, model, items).set_index(KEYS).drop(columns="rank", errors="ignore")
    some = items.sample(size or len(items), random_state=seed)
    table = scored(home, model, some).set_index(KEYS).drop(columns="rank", errors="ignore")
    which = pd.MultiIndex.from_frame(some[KEYS])
    reasons = table.pop("reasons") if "reasons" in table else None
    pd.testing.assert_frame_equal(table, whole.loc[which].drop(columns="reasons", errors="ignore"), rtol=1e-9)
    if reasons is not None:
        assert [list(r) for r in reasons] == [list(r) for r in whole.loc[which, "reasons"]]


@pytest.mark.parametrize(("alias", "model"), ALIASES.items())
def test_an_alias_is_the_model_it_stands_for(home: Path, alias: str, model: str) -> None:
    items = pd.read_parquet(data_of(home, model) / "train.parquet").head(20)
    pd.testing.assert_frame_equal(
        scored(home, str(home / alias) if "run" in alias else alias, items), scored(home, model, items)
    )


@pytest.mark.parametrize("model", ["hours/linear", "scorer.txt"])
def test_csv_holds_what_parquet_holds(home: Path, model: str) -> None:
    items = pd.read_parquet(data_of(home, model) / "train.parquet").head(30)
    csv, parquet = scored(home, model, items, "csv"), scored(home, model, items)
    if "reasons" in csv:
        assert [json.loads(row) for row in csv.pop("reasons")] == [list(r) for r in parquet.pop("reasons")]
    pd.testing.assert_frame_equal(
        csv.assign(event_at=pd.to_datetime(csv["event_at"], format="ISO8601").astype("datetime64[us]")),
        parquet,
        check_exact=False,
    )


MISFITS = [
    ("hours/linear", lambda f: f.drop(columns="size"), "lack the features ['size']"),
    ("hours/linear", lambda f: f.assign(colour="red"), "have the features ['colour'] that it does not know"),
    ("hours/linear", lambda f: f.assign(kind=3.5), "have 'kind' (number instead of category)"),
    ("hours/linear", lambda f: f.assign(size=f["kind"]), "have 'size' (category instead of number)"),
    ("hours/linear", lambda f: f.assign(text=1), "have 'text' (number instead of text)"),
    ("hours/linear", lambda f: f.drop(columns="kind").assign(kinds="a", size="big"), "['kind'] and have"),
    ("hours/linear", lambda f: f.assign(size=f["event_at"]), "'size' holds datetime64 values"),
    (
        "hours/linear",
        lambda f: f.drop(columns=["entity_id", "kind"]).assign(
            colour="red", event_at=1, size=f["event_at"], text=1
        ),
        "The items lack the columns ['entity_id']: add them as the contract says; the column 'event_at' "
        "holds no times but integer values: store UTC timestamps, as pandas.to_datetime makes them; the "
        "feature 'size' holds datetime64 values: make it a number, a category or a text; the items lack the "
        "features ['kind'] and have the features ['colour'] that it does not know and have 'text' (number "
        "instead of text): give the model",
    ),
    (
        "lives/remaining",
        lambda f: f,
        "lack the features ['load', 'colour', 'age_days'] and have the features",
    ),
    ("hours/median", lambda f: f.drop(columns="slice_depot"), "lack the column 'slice_depot'"),
    ("late", lambda f: f.drop(columns=["size", "text"]), "lack the features ['size', 'text']"),
    ("hours/linear", lambda f: f.drop(columns="event_at"), "The items lack the columns ['event_at']"),
    ("hours/linear", lambda f: f.head(0), "The items are empty"),
    ("hours/linear", lambda f: pd.concat([f, f]), "has two rows with one observation time"),
    ("hours/forest", lambda f: f, "has no model 'forest' (it has lightgbm, linear, median)"),
    ("hours2/linear", lambda f: f, "There is no model"),
    ("parcels/champion", lambda f: f, "champions are known of items"),
    ("ranker.run/scorer", lambda f: f, "has no model 'scorer' (it has ranker)"),
]


@pytest.mark.parametrize(("model", "change", "sentence"), MISFITS, ids=[case[2] for case in MISFITS])
def test_items_that_do_not_fit_are_one_sentence(
    home: Path, tmp_path: Path, model: str, change: object, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change(pd.read_parquet(home / "hours-data" / "train.parquet")).to_parquet(tmp_path / "train.parquet")
    where = ["--runs-dir", str(home), "--data-dir", str(tmp_path), "--output", str(tmp_path / "out.csv")]
    assert main(["score", "--model", _path(home, model), *where]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ") and sentence in said and len(said.splitlines()) == 1
    assert not (tmp_path / "out.csv").exists()


def test_a_model_file_that_was_changed_is_not_loaded(home: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(home / "scorer.run", tmp_path / "scorer.run")
    file = tmp_path / "scorer.run" / "scorer.skops"
    file.write_bytes(file.read_bytes() + b" ")
    where = ["--data-dir", str(home / "class-data"), "--output", str(tmp_path / "out.csv")]
    assert main(["score", "--model", str(file), *where]) == 1 and not (tmp_path / "out.csv").exists()
