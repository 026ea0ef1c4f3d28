"""The command line's bias commands: the reports of a run with its gate, and the spread of a training set."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Bad input is 1, as everywhere; a pipeline must be able to tell an unfair model from a mistyped name.
GATE_FAILED = 2


def register(commands: Any, runs_dir: str, run_folder: Callable[[Path, str], Path]) -> None:
    """Add ``bias-report`` and ``detect-bias`` to the command line."""
    report = commands.add_parser("bias-report", help="print the bias reports of a run, or judge it")
    report.add_argument("--run", required=True, metavar="RUN", dest="run_id")
    report.add_argument("--runs-dir", default=runs_dir, type=Path, metavar="DIR")
    report.add_argument("-m", "--models", nargs="+", metavar="MODEL", help="these models only")
    report.add_argument(
        "--gate", action="store_true", help=f"judge the best model; exit with {GATE_FAILED} when it fails"
    )
    report.add_argument(
        "--threshold",
        nargs="+",
        default=[],
        metavar="LIMIT",
        help="limits of the gate, such as seniority.shrunk_gap=0.3, or 0.3 for every dimension "
        "(default: what the median's own gaps allow)",
    )
    report.add_argument("--split", default="test", choices=["validation", "test"], help="part to judge by")
    report.set_defaults(run=lambda options: _bias_report(options, run_folder))

    detect = commands.add_parser("detect-bias", help="print how a training set is spread over its slices")
    detect.add_argument("--data-dir", required=True, type=Path, metavar="DIR")
    detect.add_argument("--largest", type=int, default=20, metavar="N", help="slices shown per dimension")
    detect.set_defaults(run=_detect_bias)


def _bias_report(options: argparse.Namespace, run_folder: Callable[[Path, str], Path]) -> int:
    """Print the text reports of a run; with ``--gate`` the verdict instead, and why."""
    folder = run_folder(options.runs_dir, options.run_id)
    if not folder.is_dir():
        raise ValueError(f"There is no run {options.run_id!r} in {options.runs_dir}: train it first.")
    reports = sorted(folder.glob("bias_*_*.txt"))
    if not reports:
        raise ValueError(f"The run {options.run_id!r} has no bias reports: train it on items with slices.")
    if options.gate:
        return _judge(options, folder)
    if options.threshold:
        raise ValueError("A --threshold is for the gate: add --gate.")
    if options.models:
        prefixes = tuple(f"bias_{model}_" for model in options.models)
        reports = [path for path in reports if path.name.startswith(prefixes)]
        if not reports:
            raise ValueError(f"The run {options.run_id!r} has no report of {', '.join(options.models)}.")
    print("\n\n".join(path.read_text(encoding="utf-8").rstrip() for path in reports))
    return 0


def _detect_bias(options: argparse.Namespace) -> int:
    """Print how a training set is spread over the slices of each dimension."""
    from ml.bias import BiasReport, measure_distribution
    from ml.data.dataset import Dataset

    if options.largest < 1:
        raise ValueError(f"--largest must be at least 1, not {options.largest}.")
    dataset = Dataset.from_dir(options.data_dir)
    if not dataset.slices:
        raise ValueError(
            f"The items in {options.data_dir} have no slice_* column: there is nothing to count."
        )
    if dataset.config.note:
        print(f"NOTE: {dataset.config.note}\n")
    distribution = measure_distribution(dataset.items[dataset.slices])
    print(BiasReport.generate_distribution_report(distribution, options.largest), end="")
    return 0


def _judge(options: argparse.Namespace, folder: Path) -> int:
    import pandas as pd

    from ml.bias.gate import parse_thresholds
    from ml.runs.select import Gate, gate_of, gate_table

    summary = pd.read_parquet(folder / "bias_summary.parquet")
    gate = Gate(thresholds=parse_thresholds(options.threshold))
    models = options.models or [_best(folder, set(summary["model"]))]
    passed = True
    for model in models:
        result = gate_of(model, summary, gate, options.split)
        passed &= result.passed
        print(f"{model} on {options.split}\n{result}")
        print(gate_table(model, summary, gate, options.split).round(3).to_string(index=False), end="\n\n")
    return 0 if passed else GATE_FAILED


def _best(folder: Path, measured: set[str]) -> str:
    """The champion, or before there is one the model with the lowest validation error."""
    from ml.runs.select import ranked
    from ml.runs.train import read_evaluation

    best = folder / "best.txt"
    name = best.read_text(encoding="utf-8").split("\n", 1)[0] if best.is_file() else "none"
    if name in measured:
        return name
    evaluations = [read_evaluation(path) for path in sorted(folder.glob("eval_*.json"))]
    return ranked([evaluation for evaluation in evaluations if evaluation.model in measured])[0].model
