"""What is kept of earlier runs: the newest folders of each kind, and whatever something still needs."""

import shutil
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from ml.errors import DamagedFileError
from ml.store.promotions import KEPT
from ml.store.run_folder import RunFolder

_RECORDS = "eval_*.json"


@dataclass(frozen=True)
class Tidied:
    """Names of the folders that were removed, and how many bytes that gave back."""

    runs: list[str]
    snapshots: list[str]
    reports: list[str]
    freed: int


def tidy(
    runs_dir: Path, snapshots_dir: Path, reports_dir: Path, *, keep: int, current_runs: Collection[str]
) -> Tidied:
    """Remove the folders of old runs, the snapshots that no run that is left learned from, and old pages.

    Parameters
    ----------
    runs_dir, snapshots_dir, reports_dir : Path
    keep : int
        The newest run folders to keep of each training set, and the newest pages.
    current_runs : collection of str
        Runs that hold current models; they are kept, as are all promoted versions.
    """
    by_domain: dict[str, list[tuple[str, Path]]] = {}
    learned_from: dict[Path, set[str]] = {}
    for folder in _folders(runs_dir):
        if not any(folder.glob(_RECORDS)):
            continue
        try:
            records = RunFolder(folder).evaluations()
        except DamagedFileError:
            continue  # it says so where it is used; what cannot be read is not ours to remove
        learned_from[folder] = {one.snapshot_id for one in records}
        if not folder.name.startswith(KEPT) and folder.name not in current_runs:
            newest = max(records, key=lambda one: one.finished_at)
            by_domain.setdefault(newest.domain, []).append((newest.finished_at, folder))
    old_runs = [folder for runs in by_domain.values() for _, folder in sorted(runs, reverse=True)[keep:]]
    left = set().union(*(ids for folder, ids in learned_from.items() if folder not in old_runs), set())
    left |= {pointer.read_text(encoding="utf-8").strip() for pointer in snapshots_dir.glob("*.txt")}
    snapshots = sorted(_folders(snapshots_dir), key=lambda path: path.stat().st_mtime, reverse=True)
    # Of snapshots that nothing learned from some are younger than any run: one of them may be under way.
    unused = [folder for folder in snapshots if folder.name not in left][keep:]
    pages = [folder for folder in sorted(_folders(reports_dir), reverse=True) if not folder.is_symlink()]
    freed = sum(_remove(folder) for folder in (*old_runs, *unused, *pages[keep:]))
    return Tidied(
        [folder.name for folder in old_runs],
        [folder.name for folder in unused],
        [folder.name for folder in pages[keep:]],
        freed,
    )


def _folders(parent: Path) -> list[Path]:
    found: Iterable[Path] = parent.iterdir() if parent.is_dir() else ()
    return sorted(path for path in found if path.is_dir() and not path.name.startswith("."))


def _remove(folder: Path) -> int:
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    # First out of sight: nobody finds half a folder.
    hidden = folder.with_name(f".removing-{folder.name}")
    folder.rename(hidden)
    shutil.rmtree(hidden)
    return size
