"""What is said while a run goes on, and how loudly: lines, colours and a bar where somebody is looking."""

import time
from collections.abc import Mapping
from typing import Any, TextIO

from tqdm import tqdm

from orchestration.environment import given_environment

# A stage that is over by then needs no bar.
PATIENCE = 10.0
_COLOURS = {"green": "\033[32m", "red": "\033[31m", "yellow": "\033[33m", "bold": "\033[1m"}
_PLAIN = "\033[0m"
_TIMED = "  {desc:<40} {bar:20} {elapsed}, {remaining} left"
_UNTIMED = "  {desc:<40} {elapsed}"


class Voice:
    """Speaks to a stream.

    Parameters
    ----------
    stream : text stream
        Colours and the bar are for terminals alone; the variable NO_COLOR keeps the colours away.
    expected : mapping of str to float
        Seconds that stages took before.
    """

    def __init__(self, stream: TextIO, expected: Mapping[str, float] | None = None) -> None:
        self._stream, self._expected = stream, expected or {}
        self._has_bar = stream.isatty()
        self._has_colours = self._has_bar and not given_environment().get("NO_COLOR")
        self._began: dict[str, float] = {}
        self._bar: tqdm[Any] | None = None

    def say(self, line: str, colour: str = "") -> None:
        """Print a line, where the bar was."""
        self._close_bar()
        print(self.coloured(line, colour), file=self._stream, flush=True)

    def coloured(self, text: str, colour: str) -> str:
        """The text in a colour where there are any."""
        return f"{_COLOURS[colour]}{text}{_PLAIN}" if colour and self._has_colours else text

    def begin(self, stage: str) -> None:
        """A stage began; others may be under way."""
        self._close_bar()
        self._began[stage] = time.monotonic()

    def end(self, stage: str) -> None:
        """A stage ended."""
        self._close_bar()
        self._began.pop(stage, None)

    def tick(self) -> None:
        """Time goes by: show the bar of what began first once it takes long, with what is left of it.

        How long a stage takes, the run before tells.
        """
        stage, began = next(iter(self._began.items()), ("", 0.0))
        passed = time.monotonic() - began
        if not self._has_bar or not stage or passed < PATIENCE:
            return
        bar = self._bar = self._bar or self._new_bar(stage, passed)
        bar.n = passed if bar.total is None else min(passed, bar.total)
        bar.refresh()

    def _new_bar(self, stage: str, passed: float) -> "tqdm[Any]":
        total, beside = self._expected.get(stage), len(self._began) - 1
        form = _UNTIMED if total is None else _TIMED
        desc = f"{stage} and {beside} more" if beside else stage
        bar: tqdm[Any] = tqdm(desc=desc, total=total, file=self._stream, leave=False, bar_format=form)
        bar.start_t -= passed
        return bar

    def still(self) -> None:
        """Nothing is under way any more."""
        self._close_bar()
        self._began.clear()

    def _close_bar(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
