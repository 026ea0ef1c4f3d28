"""The command that looks at a training set before anything is trained, and says what the contract is."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ml.cli.train import add_split, split_settings


def register(commands: Any) -> None:
    """Add ``check`` to the command line."""
    check = commands.add_parser(
        "check", help="say what is wrong with a training set, what it can teach and how it is split"
    )
    what = check.add_mutually_exclusive_group(required=True)
    what.add_argument("--data-dir", type=Path, metavar="DIR")
    what.add_argument(
        "--contract", action="store_true", help="print the columns and settings that it may have"
    )
    check.add_argument(
        "--validation-groups", type=float, default=None, metavar="N", help="of scorers, rankers"
    )
    check.add_argument("--test-groups", type=float, default=None, metavar="N", help="of scorers, rankers")
    add_split(check)
    check.set_defaults(run=_check)


def _check(options: argparse.Namespace) -> int:
    from ml.data.dataset import Dataset
    from ml.data.declared import contract_text
    from ml.runs.check import outlook
    from ml.search.settings import read_config
    from ml.tasks.duration.task import TrainingConfig

    if options.contract:
        sys.stdout.write(f"{contract_text()}\n")
        return 0
    groups = {name: getattr(options, name) for name in ("validation_groups", "test_groups")}
    durations, scorings = TrainingConfig(**split_settings(options)), read_config(None, **groups)
    sys.stdout.write(f"{outlook(Dataset.from_dir(options.data_dir), durations, scorings)}\n")
    return 0
