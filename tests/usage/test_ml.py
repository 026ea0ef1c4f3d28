# ruff: noqa: E501 (a usage and its sentence stand in one line)
"""Wrong usages of ``python -m ml``: one sentence on standard error, no traceback, nothing written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ml.cli import main
from tests.unit.ml import grouped, synthetic

# {hours}: a training set of durations; {classes}: one of 0 and 1; {free}: a folder to write to; {file}: a file;
# {run}: a folder of runs, of which "empty" is one without reports.
TRAIN = "train --data-dir {hours} --runs-dir {free} -r new"
SCORER = "train-scorer --data-dir {classes} --output {free}/m.txt"
RANKER = "train-ranker --data-dir {classes} --output {free}/m.txt"
TUNE = "tune --model-type scorer --data-dir {classes} --output {free}/t.yaml"
REPORT = "bias-report --run empty --runs-dir {run}"
DETECT = "detect-bias --data-dir {hours}"

WRONG: list[tuple[str, str]] = [
    ("", "the following arguments are required: COMMAND"),
    ("trian", "invalid choice: 'trian'"),
    ("--version", "the following arguments are required: COMMAND"),
    ("train", "the following arguments are required: -r/--run, --data-dir"),
    ("train -r a", "the following arguments are required: --data-dir"),
    ("train --data-dir {hours}", "the following arguments are required: -r/--run"),
    (f"{TRAIN} --colour red", "unrecognized arguments: --colour red"),
    (f"{TRAIN} -m", "expected at least one argument"),
    (f"{TRAIN} -m oracle", "There is no model 'oracle'"),
    (f"{TRAIN} -m forest,linear", "There is no model 'forest,linear'"),
    (f"{TRAIN} -m ../forest", "There is no model '../forest'"),
    (f"{TRAIN} --trials x", "argument --trials: invalid int value: 'x'"),
    (f"{TRAIN} --trials 1.5", "argument --trials: invalid int value: '1.5'"),
    (f"{TRAIN} --trials -1", "trials must be a whole number of at least 0, not -1"),
    (f"{TRAIN} --seconds x", "argument --seconds: invalid float value: 'x'"),
    (f"{TRAIN} --seconds -1", "seconds must be a number of at least 0, not -1.0"),
    (f"{TRAIN} --seconds nan", "seconds must be a number of at least 0, not nan"),
    (f"{TRAIN} --seconds inf", "seconds must be a number of at least 0, not inf"),
    (f"{TRAIN} --subset-size 1", "subset_size must be a whole number of at least 2 or null, not 1"),
    (f"{TRAIN} --subset-size 0", "subset_size must be a whole number of at least 2 or null, not 0"),
    (f"{TRAIN} --subset-size many", "argument --subset-size: invalid int value: 'many'"),
    (f"{TRAIN} --seed -1", "seed must be a whole number of at least 0 and of at most 2147483647, not -1"),
    (f"{TRAIN} --seed 4294967296", "seed must be a whole number of at least 0 and of at most 2147483647"),
    (f"{TRAIN} --seed x", "argument --seed: invalid int value: 'x'"),
    ("train --data-dir {free}/none --runs-dir {free} -r a", "There is no training set at"),
    ("train --data-dir {file} --runs-dir {free} -r a", "There is no training set at"),
    ("train --data-dir {hours}/train.parquet --runs-dir {free} -r a", "There is no training set at"),
    ("train --data-dir {torn} --runs-dir {free} -r a", "cannot be read"),
    ("train --data-dir {misspelt} --runs-dir {free} -r a", "did you mean 'outcome_slices'?"),
    ("train --data-dir {hours} --runs-dir {file} -r a", "is a file; name another folder"),
    ("train --data-dir {hours} --runs-dir {file}/below -r a", "is a file; name another folder"),
    ("train --data-dir {hours} --runs-dir {free} -r ..", "The run name '..' is no plain folder name"),
    ("train --data-dir {hours} --runs-dir {free} -r a/b", "The run name 'a/b' is no plain folder name"),
    (
        "train --data-dir {hours} --runs-dir {free} -r .hidden",
        "The run name '.hidden' is no plain folder name",
    ),
    ("train --data-dir {hours} --runs-dir {free} -r /a", "The run name '/a' is no plain folder name"),
    ("train-scorer", "the following arguments are required: --data-dir, --output"),
    ("train-scorer --data-dir {classes}", "the following arguments are required: --output"),
    ("train-scorer --output {free}/m.txt", "the following arguments are required: --data-dir"),
    ("train-scorer --data-dir {hours} --output {free}/m.txt", "a scorer takes 0 and 1"),
    ("train-scorer --data-dir {file} --output {free}/m.txt", "There is no training set at"),
    ("train-scorer --data-dir {classes} --output {free}", "is a folder: name a file"),
    ("train-scorer --data-dir {classes} --output {free}/m.json", "would be overwritten by its own report"),
    ("train-scorer --data-dir {classes} --output {file}/m.txt", "is a file; name another folder"),
    (f"{SCORER} --eval-metric f1", "invalid choice: 'f1'"),
    (f"{SCORER} --cv-folds 1", "cv_folds must be 0 for none, or at least 2, not 1"),
    (f"{SCORER} --cv-folds -3", "cv_folds must be a whole number of at least 0, not -3"),
    (f"{SCORER} --cv-folds x", "argument --cv-folds: invalid int value: 'x'"),
    (f"{SCORER} --ndcg-at 5", "unrecognized arguments: --ndcg-at 5"),
    (f"{SCORER} --seed -1", "seed must be a whole number"),
    (f"{SCORER} --seed 1e3", "argument --seed: invalid int value: '1e3'"),
    (
        f"{SCORER} --horizon-days 0",
        "horizon_days must be a number above 0 and of at most 36500 or null, not 0.0",
    ),
    (f"{SCORER} --horizon-days -7", "horizon_days must be a number above 0"),
    (f"{SCORER} --horizon-days nan", "horizon_days must be a number above 0"),
    (f"{SCORER} --horizon-days 1e12", "horizon_days must be a number above 0 and of at most 36500"),
    (f"{SCORER} --horizon-days week", "argument --horizon-days: invalid float value: 'week'"),
    (f"{SCORER} --horizon-days 7", "The labels are 0 and 1 and no durations"),
    (f"{SCORER} --validation-groups 0", "validation_groups must be a number above 0 or null, not 0.0"),
    (f"{SCORER} --validation-groups -1", "validation_groups must be a number above 0"),
    (f"{SCORER} --validation-groups all", "argument --validation-groups: invalid float value"),
    (f"{SCORER} --validation-groups 999", "The 14 groups are too few for 999 validation"),
    (f"{SCORER} --test-groups -1", "test_groups must be a number of at least 0"),
    (f"{SCORER} --test-groups 2.5", "2.5"),
    (f"{SCORER} --test-groups inf", "test_groups must be a number of at least 0"),
    (
        "train-scorer --data-dir {hours} --output {free}/m.txt --horizon-days 7 --test-groups 3",
        "where numbers of groups mean nothing: give shares above 0 and below 1",
    ),
    (
        "train-scorer --data-dir {hours} --output {free}/m.txt --horizon-days 36000",
        "choose a shorter horizon",
    ),
    (f"{SCORER} --config {{free}}/none.yaml", "There is no configuration"),
    (f"{SCORER} --config {{free}}", "There is no configuration"),
    (f"{SCORER} --config {{yaml}}/broken.yaml", "is no YAML"),
    (f"{SCORER} --config {{yaml}}/binary.yaml", "is no YAML"),
    (f"{SCORER} --config {{yaml}}/list.yaml", "must hold one mapping of settings"),
    (f"{SCORER} --config {{yaml}}/text.yaml", "must hold one mapping of settings"),
    (f"{SCORER} --config {{yaml}}/unknown.yaml", "has the unknown settings ['sed']: did you mean 'seed'?"),
    (f"{SCORER} --config {{yaml}}/seed.yaml", "seed.yaml: seed must be a whole number"),
    (
        f"{SCORER} --config {{yaml}}/folds.yaml",
        "folds.yaml: cv_folds must be a whole number of at least 0, not '5'",
    ),
    (
        f"{SCORER} --config {{yaml}}/metric.yaml",
        "eval_metric must be 'auc' or 'average_precision' or 'ndcg' or null",
    ),
    (
        f"{SCORER} --config {{yaml}}/ks.yaml",
        "ndcg_at must be a list, each entry a whole number of at least 1",
    ),
    (f"{SCORER} --config {{yaml}}/params.yaml", "params must be a mapping of names, not [1]"),
    (f"{SCORER} --config {{yaml}}/date.yaml", "horizon_days must be a number"),
    ("train-ranker", "the following arguments are required: --data-dir, --output"),
    ("train-ranker --data-dir {classes} --output {free}", "is a folder: name a file"),
    ("train-ranker --data-dir {classes} --output {free}/m.json", "would be overwritten by its own report"),
    ("train-ranker --data-dir {classes} --output {file}/m.txt", "is a file; name another folder"),
    ("train-ranker --data-dir {free}/none --output {free}/m.txt", "There is no training set at"),
    (f"{RANKER} --eval-metric auc", "unrecognized arguments: --eval-metric auc"),
    (f"{RANKER} --ndcg-at 0", "ndcg_at must be a list, each entry a whole number of at least 1, not [0]"),
    (
        f"{RANKER} --ndcg-at 5 -1",
        "ndcg_at must be a list, each entry a whole number of at least 1, not [5, -1]",
    ),
    (f"{RANKER} --ndcg-at ten", "argument --ndcg-at: invalid int value: 'ten'"),
    (f"{RANKER} --ndcg-at", "argument --ndcg-at: expected at least one argument"),
    (f"{RANKER} --cv-folds 1", "cv_folds must be 0 for none, or at least 2, not 1"),
    (f"{RANKER} --horizon-days 0", "horizon_days must be a number above 0"),
    (f"{RANKER} --seed -5", "seed must be a whole number"),
    (f"{RANKER} --config {{yaml}}/unknown.yaml", "has the unknown settings ['sed']"),
    ("tune", "the following arguments are required: --model-type, --data-dir, --output"),
    ("tune --model-type scorer --data-dir {classes}", "the following arguments are required: --output"),
    (
        "tune --model-type oracle --data-dir {classes} --output {free}/t.yaml",
        "There is no model type 'oracle'",
    ),
    ("tune --model-type scorer --data-dir {free}/none --output {free}/t.yaml", "There is no training set at"),
    ("tune --model-type scorer --data-dir {classes} --output {free}", "is a folder: name a file"),
    (
        "tune --model-type scorer --data-dir {classes} --output {file}/t.yaml",
        "is a file; name another folder",
    ),
    (
        "tune --model-type scorer --data-dir {classes} --output {free}/t.journal",
        "is the search's own journal",
    ),
    (
        "tune --model-type forest --data-dir {hours} --output {free}/t.yaml --horizon-days 7",
        "takes neither a horizon",
    ),
    (
        "tune --model-type forest --data-dir {hours} --output {free}/t.yaml --rows 50",
        "takes neither a horizon nor a number of rows",
    ),
    (f"{TUNE} --trials 0", "trials and processes must be at least 1, not 0 and 1"),
    (f"{TUNE} --trials -4", "trials and processes must be at least 1, not -4 and 1"),
    (f"{TUNE} --trials few", "argument --trials: invalid int value: 'few'"),
    (f"{TUNE} --processes 0", "trials and processes must be at least 1, not 100 and 0"),
    (f"{TUNE} --processes two", "argument --processes: invalid int value: 'two'"),
    (f"{TUNE} --seed -1", "seed must be a whole number"),
    (f"{TUNE} --rows 0", "rows must be at least 1, not 0"),
    (f"{TUNE} --rows -5", "rows must be at least 1, not -5"),
    (f"{TUNE} --horizon-days 7", "The labels are 0 and 1 and no durations"),
    (f"{TUNE} --horizon-days -7", "horizon_days must be a number above 0"),
    (f"{TUNE} --config {{yaml}}/seed.yaml", "seed.yaml: seed must be a whole number"),
    (f"{TUNE} --config {{free}}/none.yaml", "There is no configuration"),
    ("check", "one of the arguments --data-dir --contract is required"),
    ("check --data-dir {free}/none", "There is no training set at"),
    ("check --data-dir {hours} --contract", "not allowed with argument --data-dir"),
    ("check --data-dir {hours} --test much", "argument --test: invalid float value: 'much'"),
    ("score", "the following arguments are required: --model, --data-dir, --output"),
    (
        "score --model a/b --data-dir {hours} --output {free}/s.csv --runs-dir {run}",
        "There is no model 'a/b'",
    ),
    ("score --model empty --data-dir {hours} --output {free}/s.csv --runs-dir {run}", "it has none"),
    (
        "score --model champion --data-dir {hours} --output {free}/s.csv --runs-dir {run}",
        "Which champion of",
    ),
    ("score --model a/b --data-dir {hours} --output {free}/s.xlsx", "name it FILE.csv or FILE.parquet"),
    ("score --model a/b --data-dir {hours} --output {free}", "is a folder: name a file"),
    ("bias-report", "the following arguments are required: --run"),
    ("bias-report --run none --runs-dir {run}", "There is no run 'none'"),
    ("bias-report --run ../empty --runs-dir {run}", "The run name '../empty' is no plain folder name"),
    ("bias-report --run empty --runs-dir {file}", "There is no run 'empty'"),
    (REPORT, "has no bias reports"),
    (f"{REPORT} --split train", "invalid choice: 'train'"),
    (f"{REPORT} --gate --threshold much", "much"),
    (f"{REPORT} --gate --threshold seniority=x", "seniority=x"),
    (f"{REPORT} --threshold 0.3", "A --threshold is for the gate: add --gate"),
    (f"{REPORT} --gate --threshold -1", "-1"),
    (f"{REPORT} --gate --threshold 10%", "10%"),
    (f"{REPORT} --threshold", "argument --threshold: expected at least one argument"),
    (f"{REPORT} -m", "expected at least one argument"),
    ("detect-bias", "the following arguments are required: --data-dir"),
    ("detect-bias --data-dir {free}/none", "There is no training set at"),
    ("detect-bias --data-dir {file}", "There is no training set at"),
    ("detect-bias --data-dir {plain}", "have no slice_* column"),
    (f"{DETECT} --largest 0", "--largest must be at least 1, not 0"),
    (f"{DETECT} --largest -1", "--largest must be at least 1, not -1"),
    (f"{DETECT} --largest all", "argument --largest: invalid int value: 'all'"),
]
YAML = {
    "broken": "a: [1",
    "list": "[1, 2]",
    "text": "seed",
    "unknown": "sed: 1",
    "seed": "seed: -1",
    "folds": "cv_folds: '5'",
    "metric": "eval_metric: f1",
    "ks": "ndcg_at: [5, 0]",
    "params": "params: [1]",
    "date": "horizon_days: 2020-01-01",
}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    root: Path = tmp_path_factory.mktemp("usage")
    items, labels = synthetic.frames(300)
    settings = {"timeline": "slice_depot", "weight_by": "slice_depot"}
    synthetic.write(root / "hours", items, labels, json.dumps(settings))
    synthetic.write(root / "misspelt", items, labels, '{"outcome_slice": ["slice_kind"]}')
    synthetic.write(root / "plain", items.drop(columns=["slice_depot", "slice_kind"]), labels)
    synthetic.write(root / "classes", *grouped.frames(14, 30))
    synthetic.write(root / "torn", items, labels)
    (root / "torn" / "train.parquet").write_bytes(b"PAR1, but torn")
    (root / "file").write_text("a file")
    (root / "free").mkdir()
    (root / "run" / "empty").mkdir(parents=True)
    (root / "yaml").mkdir()
    for name, text in YAML.items():
        (root / "yaml" / f"{name}.yaml").write_text(text)
    (root / "yaml" / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    return {path.name: str(path) for path in root.iterdir()}


@pytest.mark.parametrize(("usage", "sentence"), WRONG, ids=[usage for usage, _ in WRONG])
def test_a_wrong_usage_is_one_sentence(
    usage: str, sentence: str, places: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [word.format(**places) for word in usage.split()]
    try:
        code = main(arguments)
    except SystemExit as stopped:
        code = int(stopped.code or 0)
    shown = capsys.readouterr()
    (said,) = [line for line in shown.err.splitlines() if line.startswith("error: ")]
    assert code != 0 and sentence in said
    assert "Traceback" not in shown.err and said.endswith((".", "?"))
    assert not shown.out and not list(Path(places["free"]).rglob("*.txt"))
