"""The command line as a user runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT
from tests.unit.ml import crews, synthetic

SETTINGS = '{"name": "parcels", "timeline": "slice_depot", "weight_by": "slice_depot"}'


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ml", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_train_and_bias_report(tmp_path: Path) -> None:
    items, labels = synthetic.frames(400)
    data = synthetic.write(tmp_path / "data", items, labels, SETTINGS)
    runs = tmp_path / "runs"
    common = ("-r", "my_run_123", "--data-dir", data, "--runs-dir", runs, "--trials", 1, "--seed", 3)
    done = run("train", "-m", "linear", "median", *common)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("model")
    parts = {"validation", "origins", "test"}
    assert sorted(tuple(line.split()[:2]) for line in lines[1:]) == sorted(
        (model, part) for model in ("linear", "median") for part in parts
    )
    assert "linear" in done.stderr and "Traceback" not in done.stderr
    assert (runs / "my_run_123" / "linear.skops").is_file()
    report = run("bias-report", "--run", "my_run_123", "--runs-dir", runs)
    assert report.returncode == 0, report.stderr
    assert "BIAS DETECTION REPORT" in report.stdout and "depot" in report.stdout


def test_the_gate_has_its_baseline_whatever_was_asked_for(tmp_path: Path) -> None:
    data = crews.folder(tmp_path / "data", factor=5.0)
    common = ("--run", "r", "--runs-dir", tmp_path / "runs")
    done = run("train", "-m", "linear", "--data-dir", data, "--trials", 0, *common)
    assert done.returncode == 0, done.stderr
    assert {line.split()[0] for line in done.stdout.splitlines()[1:]} == {"linear", "median"}
    judged = run("bias-report", "--gate", *common)
    assert judged.returncode in (0, 2), judged.stderr
    # There is a limit for every dimension, so that nothing passes unjudged.
    limits = [line.split()[0] for line in judged.stdout.splitlines() if "shrunk_gap" in line]
    assert "linear on test" in judged.stdout and "crew" in limits


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("-m", "oracle"), "no model 'oracle'"),
        (("--data-dir", "/nowhere"), "no training set at"),
        (("-r", "../escape"), "no plain folder name"),
        (("--trials", "-1"), "trials must be a whole number of at least 0"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    items, labels = synthetic.frames(60)
    data = synthetic.write(tmp_path / "data", items, labels, SETTINGS)
    options = {"-m": "median", "-r": "r", "--data-dir": str(data), "--runs-dir": str(tmp_path / "runs")}
    options[change[0]] = change[1]
    done = run("train", *[part for pair in options.items() for part in pair])
    assert done.returncode == 1
    assert message in done.stderr.splitlines()[-1] and done.stderr.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in done.stderr and done.stdout == ""
    assert not (tmp_path / "runs").exists()


def test_a_missing_run_and_a_wrong_usage(tmp_path: Path) -> None:
    missing = run("bias-report", "--run", "never", "--runs-dir", tmp_path)
    assert missing.returncode == 1 and "no run 'never'" in missing.stderr
    assert run("train").returncode == 2
