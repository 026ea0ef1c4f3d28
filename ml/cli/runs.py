"""The options of every command that names a run."""

from __future__ import annotations

import argparse
from pathlib import Path

from ml.store.run_folder import RunFolder

RUNS_DIR = "warehouse/models"


def add_run(command: argparse.ArgumentParser, *flags: str) -> None:
    """Let a command name a run and the folder of all runs."""
    command.add_argument(*flags, required=True, metavar="RUN", dest="run_name", help="name of its folder")
    command.add_argument("--runs-dir", default=RUNS_DIR, type=Path, metavar="DIR")


def named_run(options: argparse.Namespace) -> RunFolder:
    """Return the run that is named; ValueError when the name cannot be a folder's."""
    name = str(options.run_name)
    if not name or name.startswith(".") or Path(name).name != name:
        raise ValueError(f"The run name {name!r} is no plain folder name: use letters, digits, '-' and '_'.")
    return RunFolder(options.runs_dir / name)
