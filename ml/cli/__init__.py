"""The command line: a module per kind of command; they read options, call one function and print."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ml.cli import bias, check, leak_audit, promotions, score, scoring, train
from ml.cli.parser import Parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code. Bad input is one sentence on standard error and code 1."""
    parser = Parser(prog="python -m ml", description="Train and inspect models.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for kind in (check, leak_audit, train, scoring, score, bias, promotions):
        kind.register(commands)
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options))
    except (ValueError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
