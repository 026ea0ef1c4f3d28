"""The command that trains models of durations into a run folder, with the baseline and the bias reports."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ml.cli.runs import add_run, named_run


def register(commands: Any) -> None:
    """Add ``train`` to the command line."""
    train = commands.add_parser("train", help="train models on DIR/train.parquet and DIR/label.parquet")
    train.add_argument(
        "-m",
        "--models",
        nargs="+",
        metavar="MODEL",
        help="models beside the baseline (default: all)",
    )
    add_run(train, "-r", "--run")
    train.add_argument("--data-dir", required=True, type=Path, metavar="DIR")
    train.add_argument("--trials", type=int, default=None, help="trials of the search per model")
    train.add_argument("--seconds", type=float, default=None, help="no trial starts later than this")
    train.add_argument("--subset-size", type=int, default=None, metavar="N", help="train on N rows at most")
    train.add_argument("--seed", type=int, default=None)
    add_split(train)
    train.set_defaults(run=_train)


def add_split(command: argparse.ArgumentParser) -> None:
    """Let a command say how durations are split in time."""
    for part in ("validation", "test"):
        command.add_argument(f"--{part}", type=float, default=None, metavar="SHARE", help="of every timeline")
        command.add_argument(f"--{part}-from", metavar="DATE", help=f"the {part} part begins here, instead")
    command.add_argument(
        "--common-timeline",
        dest="is_common",
        action="store_true",
        default=None,
        help="split all items together, whatever timeline domain.json names",
    )


def split_settings(options: argparse.Namespace) -> dict[str, Any]:
    """Return the settings of the split that were given."""
    names = ("validation", "test", "validation_from", "test_from", "is_common")
    return {name: getattr(options, name) for name in names if getattr(options, name) is not None}


def _train(options: argparse.Namespace) -> int:
    from tqdm import tqdm

    from ml.data.dataset import Dataset
    from ml.models import find, floors, registry
    from ml.reports.bias import write_bias
    from ml.runs.card import leaderboard_text
    from ml.runs.train import train_models
    from ml.store.outputs import check_output_folder
    from ml.tasks.duration.task import TrainingConfig

    folder = named_run(options)
    # The baseline is never left out: it costs a second, and without it no gap can be judged.
    names = list(dict.fromkeys([*(options.models or registry()), *floors()]))
    for name in names:
        find(name)
    given = {k: getattr(options, k) for k in ("trials", "seconds", "subset_size", "seed")}
    config = TrainingConfig(**{k: v for k, v in given.items() if v is not None}, **split_settings(options))
    check_output_folder(folder.path)
    dataset = Dataset.from_dir(options.data_dir)

    stages = ("prepare", "tune", "fit", "cross-validate", "evaluate", "done")
    with tqdm(total=len(names) * len(stages), file=sys.stderr, unit="stage") as bar:

        def show(model: str, stage: str) -> None:
            bar.set_description(f"{model}: {stage}")
            done = names.index(model) * len(stages)
            bar.n = done + (len(stages) if stage in ("done", "skipped") else stages.index(stage))
            bar.refresh()

        evaluations = train_models(dataset, names, folder.path, config, show)
    write_bias(dataset, evaluations, folder.path)
    print(leaderboard_text(evaluations))
    return 0
