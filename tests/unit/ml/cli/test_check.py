"""What ``check`` says before anything is trained, and the contract with its example."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml.cli import main
from ml.data.contract import KEY_COLUMNS, LABEL_COLUMNS
from ml.data.dataset import Dataset
from ml.data.domain import DomainConfig
from ml.tasks import DURATION
from ml.tasks.duration.task import TrainingConfig
from tests.paths import ROOT
from tests.unit.ml import grouped, synthetic


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["check", *arguments]) == 0
    return capsys.readouterr().out


def parts(text: str) -> dict[str, list[str]]:
    """The words of each line of the first split that is printed."""
    lines = [line.split() for line in text.splitlines() if line.startswith("  ")]
    return {words[0]: words for words in reversed(lines) if words[0] in ("train", "validation", "test")}


def test_hours_are_told_from_classes_and_split_as_the_training_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = synthetic.write(tmp_path, *synthetic.frames(400), '{"timeline": "slice_depot"}')
    text = said(capsys, "--data-dir", str(folder))
    dataset = Dataset.from_dir(folder)
    split = DURATION.split(dataset, TrainingConfig())
    for part, words in parts(text).items():
        rows = split.rows(part)
        assert words[3:5] == [str(rows.sum()), str((split.known & rows).sum())]
        assert words[1] == f"{dataset.items['event_at'][rows].min():%Y-%m-%d}"
    assert "duration   can be learned" in text and "2 timelines" in text
    assert "scorer     cannot be learned. The label of" in text
    assert "ranker     cannot be learned. The relevance of" in text


def test_classes_and_grades_are_no_hours(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = synthetic.write(tmp_path, *grouped.frames(size=30))
    text = said(capsys, "--data-dir", str(folder), "--validation-groups", "3", "--test-groups", "4")
    assert "duration   cannot be learned. The labels are 0 and 1" in text
    y = pd.read_parquet(folder / "label.parquet")["y"]
    assert f"{int((y == 0).sum())} of 0, {int((y == 1).sum())} of 1" in text
    assert parts(text)["test"][3] == "120" and "slices     slice_kind" in text


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--validation", "0.2", "--test", "0.3"], {"train": 0.5, "validation": 0.2, "test": 0.3}),
        (["--common-timeline"], {"train": 0.7, "validation": 0.1, "test": 0.2}),
        (["--validation-from", "2020-07-01", "--test-from", "2021-01-01"], None),
    ],
)
def test_train_and_check_split_as_they_are_told(
    tmp_path: Path, options: list[str], expected: dict[str, float] | None, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = synthetic.write(tmp_path / "data", *synthetic.frames(600), '{"timeline": "slice_depot"}')
    found = parts(said(capsys, "--data-dir", str(folder), *options))
    train = ["train", "-m", "median", "-r", "one", "--runs-dir", str(tmp_path), "--data-dir", str(folder)]
    assert main([*train, *options]) == 0
    predicted = pd.read_parquet(tmp_path / "one" / "predictions_median.parquet")
    for part in ("validation", "test"):
        assert int(found[part][3]) == (predicted["split"] == part).sum()
    if expected is None:
        assert predicted.query("split == 'test'")["event_at"].min() >= pd.Timestamp("2021-01-01")
        assert found["train"][2] < "2020-07-01" <= found["validation"][1] < "2021-01-01" <= found["test"][1]
    else:
        for part, share in expected.items():
            assert int(found[part][3]) / 600 == pytest.approx(share, abs=0.01)


def test_a_common_timeline_has_one_cut() -> None:
    dataset = synthetic.dataset(600)
    own, common = (DURATION.split(dataset, TrainingConfig(is_common=flag)) for flag in (False, True))
    assert len(np.unique(own.test_cut)) == 2 and len(np.unique(common.test_cut)) == 1


WRONG = [
    (["--validation-from", "2020-07-01"], "needs both dates"),
    (["--validation-from", "soon", "--test-from", "2021-01-01"], "'soon' is no date"),
    (["--validation-from", "2020-01-01T00:00+02:00", "--test-from", "2021-01-01"], "has a time zone"),
    (["--validation-from", "2021-01-01", "--test-from", "2020-01-01"], "must begin after"),
    (["--validation-from", "2031-01-01", "--test-from", "2032-01-01"], "leaves too few known labels"),
    (["--validation", "0.6", "--test", "0.5"], "sum to less than 1"),
]


@pytest.mark.parametrize(("options", "sentence"), WRONG)
def test_a_split_that_cannot_be_is_one_sentence(
    tmp_path: Path, options: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = synthetic.write(tmp_path / "data", *synthetic.frames(100))
    train = ["train", "-m", "median", "-r", "one", "--runs-dir", str(tmp_path), "--data-dir", str(folder)]
    assert main([*train, *options]) == 1
    (error,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert sentence in error


def test_all_leaks_are_named_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    items, labels = synthetic.frames(300)
    items = items.assign(days=labels["y"] / 24, ended=labels["labelled_at"].astype(str))
    folder = synthetic.write(tmp_path, items, labels)
    assert main(["check", "--data-dir", str(folder)]) == 1
    error = capsys.readouterr().err
    assert "the feature 'days'" in error.lower() and "the feature 'ended'" in error and "drop them" in error


def test_the_contract_says_every_column_and_setting(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "--contract")
    settings = list(DomainConfig.__dataclass_fields__)
    for name in (*KEY_COLUMNS, *LABEL_COLUMNS, *settings):
        assert re.search(rf"^  {name}( \*)? +\w.*\.$", text, flags=re.MULTILINE), name


def test_the_example_of_the_readme_makes_a_training_set(tmp_path: Path) -> None:
    """The code as it stands there, on a table that knows nothing of the contract, and its commands."""
    section = (ROOT / "README.md").read_text().split("**From a table of your own**", 1)[1]
    code, commands = re.findall(r"```(?:python|sh)\n(.*?)```", section, flags=re.DOTALL)[:2]
    assert len(code.strip().splitlines()) <= 20
    rng = np.random.default_rng(0)
    opened = pd.Timestamp("2021-01-01") + pd.to_timedelta(np.sort(rng.uniform(0, 900, 500)), unit="D")
    priority = rng.integers(1, 5, 500)
    closed = pd.Series(opened + pd.to_timedelta(rng.lognormal(1 + priority / 2, 1, 500), unit="h"))
    foreign = {
        "id": range(500), "opened": opened, "closed": closed.where(closed < pd.Timestamp("2023-07-01")),
        "queue": rng.choice(["billing", "network"], 500), "customer": rng.choice(["a", "b", "c"], 500),
        "subject": rng.choice(["my screen is black", "please pay me back"], 500), "priority": priority,
    }  # fmt: skip
    pd.DataFrame(foreign).to_csv(tmp_path / "desk.csv", index=False)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, env=environment)
    for line in commands.strip().splitlines():
        words = line.split("#")[0].split()
        assert words[:3] == ["python", "-m", "ml"]
        subprocess.run([sys.executable, *words[1:]], cwd=tmp_path, check=True, env=environment)
    assert json.loads((tmp_path / "desk" / "domain.json").read_text())["name"] == "desk"
    hours = pd.read_csv(tmp_path / "hours.csv").set_index("item_id")["predicted_hours"]
    urgent = pd.Series(priority == 1, index=hours.index)
    assert hours[urgent].median() < hours[~urgent].median()
