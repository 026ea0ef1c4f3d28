"""One run at a time fetches from GitHub: two would spend the quota twice and number their pages alike."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestration.domains.tickets.sources.github.errors import GitHubError


@contextmanager
def only_run(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; it goes with the process, however that ends.

    Raises
    ------
    GitHubError
        If another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / ".lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise GitHubError(
                f"Another run (process {file.read().strip() or 'unknown'}) is fetching from GitHub into"
                f" {folder}: wait until it has finished, or stop it."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
