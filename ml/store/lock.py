"""One process at a time: a lock that dies with who holds it. Nothing here knows what it protects."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class LockedError(ValueError):
    """Another process holds the lock; the message names it and what it does."""


@contextmanager
def only_one(path: Path, doing: str) -> Iterator[None]:
    """Hold the lock file `path` for as long as the block runs; it goes with the process, however that ends.

    Parameters
    ----------
    path : Path
        Made when absent; it stays, and holds the number of the process that has the lock.
    doing : str
        What the first one does, for the sentence that the second one gets.

    Raises
    ------
    LockedError
        If another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise LockedError(
                f"Another run (process {holder}) {doing}: wait until it has finished, or stop it."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
