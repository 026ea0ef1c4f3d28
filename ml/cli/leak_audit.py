"""The command that names the features of a training set which may know the outcome, with the evidence."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

# Bad input is 1, as everywhere; a pipeline must be able to tell a suspect from a mistyped name.
SUSPECTED = 2


def register(commands: Any) -> None:
    """Add ``leak-audit`` to the command line."""
    audit = commands.add_parser(
        "leak-audit", help=f"name the features that may know the outcome; exit with {SUSPECTED} if any"
    )
    audit.add_argument("--data-dir", required=True, type=Path, metavar="DIR")
    audit.set_defaults(run=_audit)


def _audit(options: argparse.Namespace) -> int:
    from ml.data.dataset import read_training_set
    from ml.data.leaks.audit import suspects

    items, labels, _ = read_training_set(options.data_dir)
    found = suspects(items, labels)
    lines = ["\n  ".join([f"suspect    {name}", *evidence]) for name, evidence in found.items()]
    sys.stdout.write("\n".join(lines or ["no suspect"]) + "\n")
    return SUSPECTED if found else 0
