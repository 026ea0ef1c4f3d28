"""The parser of every command line: a wrong usage is one sentence, as all bad input is."""

from __future__ import annotations

import argparse
from typing import NoReturn

WRONG_USAGE = 2


class Parser(argparse.ArgumentParser):
    """argparse's own, without the lines of usage before the error."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where to read more; exit with code 2."""
        self.exit(WRONG_USAGE, f"error: {message}; see `{self.prog} --help`.\n")
