"""One process at a time works in a folder; the lock goes with the process, however that ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = ".lock"


@contextmanager
def only_one(folder: Path, what_to_do: str) -> Iterator[None]:
    """Hold the folder's lock; the folder is made when absent.

    Parameters
    ----------
    folder : Path
    what_to_do : str
        End of the sentence that a second process gets.

    Raises
    ------
    ValueError
        If another process holds it; the sentence names that process.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise ValueError(f"Another process ({holder}) is at work in {folder}: {what_to_do}.") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
