"""One run at a time fetches from GitHub: two would spend the quota twice and number their pages alike."""

from contextlib import AbstractContextManager
from pathlib import Path

from ml.store.lock import only_one
from orchestration.domains.tickets.sources.github.errors import GitHubError


def only_run(folder: Path) -> AbstractContextManager[None]:
    """Hold the folder's lock; GitHubError if another process holds it."""

    def refusal(process: str) -> GitHubError:
        return GitHubError(
            f"Another run (process {process}) is fetching from GitHub into {folder}: "
            "wait until it has finished, or stop it."
        )

    return only_one(folder, refusal)
