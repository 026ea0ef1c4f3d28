"""Champion against challenger on the same rows, what is kept of a champion, and the way back."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from ml.cli import main
from ml.data.dataset import Dataset, snapshot_id_of
from ml.encoding.matrix import PreprocessingConfig
from ml.reports.bias import write_bias
from ml.runs.promote import Outcome, challenge, compare, roll_back
from ml.runs.reproduce import reproduce
from ml.runs.train import train_models
from ml.store.promotions import Promotions, kept_folder
from ml.store.record import Evaluation
from ml.store.run_folder import RunFolder
from ml.tasks.duration.task import TrainingConfig
from tests.unit.ml import synthetic

CONFIG = TrainingConfig(
    trials=0, replicates=0, preprocessing=PreprocessingConfig(text_buckets=64, text_components=2)
)
SETTINGS = '{"name": "parcels", "timeline": "slice_depot", "weight_by": "slice_depot"}'


@dataclass
class Shop:
    """A folder of runs below which two snapshots were learned from."""

    folder: Path
    data: dict[str, Dataset]

    @property
    def runs(self) -> Path:
        return self.folder / "models"

    def model(self, name: str, run: str = "early") -> Evaluation:
        return RunFolder(self.runs / run).evaluation(name)

    def challenge(self, name: str, run: str = "early", passes: bool = True) -> Outcome:
        return challenge(
            self.model(name, run), self.data[run], self.runs, who="ann", gate="passed", passes=passes
        )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    shop = Shop(tmp_path_factory.mktemp("shop"), {})
    for run, rows in {"early": 500, "late": 650}.items():
        taken = synthetic.write(shop.folder / "taken", *synthetic.frames(rows), SETTINGS)
        snapshot = shop.folder / "snapshots" / snapshot_id_of(taken)
        snapshot.parent.mkdir(exist_ok=True)
        taken.rename(snapshot)
        shop.data[run] = Dataset.from_dir(snapshot)
        trained = train_models(shop.data[run], ["median", "linear"], shop.runs / run, CONFIG)
        write_bias(shop.data[run], trained, shop.runs / run)
    return shop


@pytest.fixture
def shop(made: Shop, tmp_path: Path) -> Shop:
    shutil.copytree(made.folder, tmp_path / "shop")
    return Shop(tmp_path / "shop", made.data)


def test_the_first_is_champion_a_better_one_takes_its_place_and_no_worse_one(shop: Shop) -> None:
    assert shop.challenge("median").is_promoted
    outcome = shop.challenge("linear")
    assert outcome.is_promoted and outcome.champion is not None
    figures = outcome.champion.figures
    assert figures["ci_low"] is not None and figures["ci_low"] > 0
    again = shop.challenge("linear")
    assert not again.is_promoted and "already" in again.why
    worse = shop.challenge("median")
    assert not worse.is_promoted and "not better beyond noise" in worse.why
    assert worse.champion == outcome.champion


def test_the_gain_is_that_of_the_very_rows(shop: Shop) -> None:
    shop.challenge("median")
    champion = Promotions(shop.runs).champion("parcels", "regression")
    assert champion is not None
    figures = compare(shop.model("linear"), champion, shop.data["early"], shop.runs)
    both = {
        name: RunFolder(shop.runs / "early").predictions(name).query("split == 'test' and y_true.notna()")
        for name in ("median", "linear")
    }
    errors = {
        name: float((np.log1p(rows["y_pred"]) - np.log1p(rows["y_true"])).abs().mean())
        for name, rows in both.items()
    }
    assert figures["n"] == len(both["linear"])
    assert figures["mae_log"] == pytest.approx(errors["linear"])
    assert figures["mae_log_gain"] == pytest.approx(errors["median"] - errors["linear"])


def test_what_does_not_pass_the_gate_never_serves(shop: Shop) -> None:
    outcome = shop.challenge("linear", passes=False)
    assert not outcome.is_promoted and outcome.champion is None
    assert Promotions(shop.runs).all() == []


def test_a_champion_of_an_earlier_snapshot_answers_for_the_later_rows(shop: Shop) -> None:
    shop.challenge("linear")
    champion = Promotions(shop.runs).champion("parcels", "regression")
    assert champion is not None
    figures = compare(shop.model("median", "late"), champion, shop.data["late"], shop.runs)
    rows = RunFolder(shop.runs / "late").predictions("median").query("split == 'test' and y_true.notna()")
    items = rows[["item_id"]].merge(shop.data["late"].items, on="item_id")
    hours = RunFolder(shop.runs / "early").model("linear").predict(items)["y_pred"].to_numpy()
    expected = np.abs(np.log1p(hours) - np.log1p(rows["y_true"].to_numpy())).mean()
    assert figures["mae_log_champion"] == pytest.approx(expected)
    assert not shop.challenge("median", "late").is_promoted
    gain = compare(shop.model("linear", "late"), champion, shop.data["late"], shop.runs)["mae_log_gain"]
    assert gain is not None
    assert shop.challenge("linear", "late").is_promoted == (gain > 0)


def test_a_champion_that_reads_what_is_not_there_gives_way_and_it_is_said(shop: Shop) -> None:
    shop.challenge("linear")
    late = shop.data["late"]
    shop.data = shop.data | {"late": Dataset(late.items.drop(columns="size"), late.labels, late.config)}
    outcome = shop.challenge("median", "late")
    assert outcome.is_promoted and "reads size" in outcome.why


def test_a_promoted_version_is_kept_whole_with_its_bias_and_the_way_back_leads_there(shop: Shop) -> None:
    shop.challenge("median")
    shop.challenge("linear")
    versions = {name: shop.model(name).model_version for name in ("median", "linear")}
    before = RunFolder(shop.runs / "early").model("median").predict(shop.data["early"].items)
    shutil.rmtree(shop.runs / "early")
    done = roll_back(shop.runs, "parcels", "regression", who="bob", why="It promises too early.")
    assert (done.from_version, done.to_version) == (versions["linear"], versions["median"])
    kept = kept_folder(shop.runs, done.to_version)
    assert kept.model("median").predict(shop.data["early"].items).equals(before)
    assert set(kept.table("summary")["model"]) == {"median"}
    assert set(kept.table("summary")["run_id"]) == {kept.run_id} == {kept.evaluation("median").run_id}
    with pytest.raises(ValueError, match="first champion"):
        roll_back(shop.runs, "parcels", "regression", who="bob", why="again")


def test_what_was_rolled_back_does_not_come_again_by_itself(shop: Shop) -> None:
    shop.challenge("median")
    shop.challenge("linear")
    roll_back(shop.runs, "parcels", "regression", who="bob", why="It promises too early.")
    outcome = shop.challenge("linear")
    assert not outcome.is_promoted and "It promises too early." in outcome.why


def test_a_version_comes_out_the_same_again_and_another_one_is_told(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    version = shop.model("linear").model_version
    done = reproduce(version, shop.runs, shop.folder / "snapshots")
    assert done.is_same and done.is_same_code
    where = ["--runs-dir", str(shop.runs), "--snapshots-dir", str(shop.folder / "snapshots")]
    assert main(["reproduce", version, *where]) == 0
    assert done.expected in capsys.readouterr().out
    assert main(["reproduce", "linear-0", *where]) == 1
    assert version in capsys.readouterr().err


def test_the_commands_tell_the_history(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.challenge("median")
    shop.challenge("linear")
    versions = [shop.model(model).model_version for model in ("median", "linear")]
    where = ["--runs-dir", str(shop.runs)]
    assert main(["promotions", *where]) == 0
    assert f"{versions[0]} -> {versions[1]}" in capsys.readouterr().out
    first = Promotions(shop.runs).all()[0]
    assert main(["who-was-champion", "--at", first.promoted_at, *where]) == 0
    assert capsys.readouterr().out.startswith(versions[0])
    assert main(["rollback", "--why", "It is wrong.", "--who", "bob", *where]) == 0
    capsys.readouterr()
    assert main(["who-was-champion", *where]) == 0
    assert capsys.readouterr().out.startswith(versions[0])
    last = Promotions(shop.runs).all()[-1]
    assert (last.who, last.why) == ("bob", "It is wrong.")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("who-was-champion", "Name the --domain"),
        ("who-was-champion --domain parcels", "had no champion then"),
        ("who-was-champion --domain parcels --at yesterday", "'yesterday' is no time"),
        ("rollback --domain parcels --why x", "has no champion to roll back"),
        ("rollback --domain parcels", "the following arguments are required: --why"),
        ("reproduce linear-1", "There is no version 'linear-1'"),
    ],
)
def test_a_wrong_usage_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, said: str
) -> None:
    try:
        code = main([*command.split(), "--runs-dir", str(tmp_path)])
    except SystemExit as ended:
        code = int(ended.code or 0)
    told = capsys.readouterr().err
    assert code != 0 and said in told and len(told.splitlines()) == 1
