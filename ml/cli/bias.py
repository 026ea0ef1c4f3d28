"""The command line's bias commands: the reports of a run with its gate, and the spread of a training set."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ml.cli.runs import add_run, named_run
from ml.store.run_folder import RunFolder

# Bad input is 1, as everywhere; a pipeline must be able to tell an unfair model from a mistyped name.
GATE_FAILED = 2


def register(commands: Any) -> None:
    """Add ``bias-report`` and ``detect-bias`` to the command line."""
    report = commands.add_parser("bias-report", help="print the bias reports of a run, or judge it")
    add_run(report, "--run")
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
    report.set_defaults(run=_bias_report)

    detect = commands.add_parser("detect-bias", help="print how a training set is spread over its slices")
    detect.add_argument("--data-dir", required=True, type=Path, metavar="DIR")
    detect.add_argument("--largest", type=int, default=20, metavar="N", help="slices shown per dimension")
    detect.set_defaults(run=_detect_bias)


def _bias_report(options: argparse.Namespace) -> int:
    """Print the text reports of a run; with ``--gate`` the verdict instead, and why."""
    from ml.bias.gate import parse_thresholds

    folder, thresholds = named_run(options), parse_thresholds(options.threshold)
    if thresholds and not options.gate:
        raise ValueError("A --threshold is for the gate: add --gate.")
    if not folder.path.is_dir():
        raise ValueError(f"There is no run {options.run_name!r} in {options.runs_dir}: train it first.")
    reports = folder.texts()
    if not reports:
        raise ValueError(f"The run {options.run_name!r} has no bias reports: train it on items with slices.")
    if options.gate:
        return _judge(options, folder, thresholds)
    if options.models:
        reports = folder.texts(options.models)
        if not reports:
            raise ValueError(
                f"The run {options.run_name!r} has no report of {', '.join(options.models)}: "
                f"choose from {', '.join(folder.models())}."
            )
    print("\n\n".join(text.rstrip() for text in reports))
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


def _judge(options: argparse.Namespace, folder: RunFolder, thresholds: dict[str, dict[str, float]]) -> int:
    from ml.runs.select import Gate, gate_of, ranked

    summary = folder.table("summary")
    gate = Gate(thresholds=thresholds)
    unknown = sorted(set(options.models or ()) - set(summary["model"]))
    if unknown:
        raise ValueError(f"The run {options.run_name!r} has no report of {', '.join(unknown)}.")
    best = folder.best()
    if best not in set(summary["model"]):
        # Before there is a champion the model with the lowest validation error is judged.
        best = ranked([e for e in folder.evaluations() if e.model in set(summary["model"])])[0].model
    passed = True
    for model in options.models or [best]:
        result = gate_of(model, summary, gate, options.split)
        passed &= result.passed
        print(f"{model} on {options.split}\n{result}")
        print(result.table().round(3).to_string(index=False), end="\n\n")
    return 0 if passed else GATE_FAILED
