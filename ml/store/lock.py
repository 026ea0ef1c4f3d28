"""One process at a time works in a folder; the lock goes with the process, however that ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = ".lock"


@contextmanager
def only_one(folder: Path, refusal: Callable[[str], Exception]) -> Iterator[None]:
    """Hold the folder's lock; the folder is made when absent.

    Parameters
    ----------
    folder : Path
    refusal : callable (process) -> Exception
        What is raised if another process, whose number is given, holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise refusal(file.read().strip() or "unknown") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
