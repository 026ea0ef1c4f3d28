"""One process at a time: a lock that dies with who holds it. Nothing here knows what it protects."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


class LockedError(ValueError):
    """Another process holds the lock; the message names it and what it does."""


@contextmanager
def only_one(path: Path, doing: str, party: str = "") -> Iterator[None]:
    """Hold the lock file `path` for as long as the block runs; it goes with the process, however that ends.

    Parameters
    ----------
    path : Path
        Made when absent; it stays, and holds the number of the process that has the lock.
    doing : str
        What the first one does, for the sentence that the second one gets.
    party : str
        Processes that name the same party hold the lock together: the steps of one run.

    Raises
    ------
    LockedError
        If another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        # One of our party has it to itself for the moment of writing its name.
        for _ in range(10 if party else 1):
            if _locked(file, fcntl.LOCK_EX):
                file.truncate(0)
                file.write(f"{os.getpid()} {party}")
                file.flush()
                if party:
                    fcntl.flock(file, fcntl.LOCK_SH)
                break
            if party and _locked(file, fcntl.LOCK_SH):
                if _holder(file)[1] == party:
                    break
                fcntl.flock(file, fcntl.LOCK_UN)
            time.sleep(0.05 if party else 0)
        else:
            raise LockedError(
                f"Another run (process {_holder(file)[0]}) {doing}: wait until it has finished, or stop it."
            )
        yield


def _locked(file: IO[str], how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(file: IO[str]) -> tuple[str, str]:
    """The process that wrote its name last, and its party."""
    file.seek(0)
    process, _, party = file.read().strip().partition(" ")
    return process or "unknown", party
