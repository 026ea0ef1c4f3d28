"""The `archive` source: JSON Lines dumps in REST field names. It copies them; it does not look inside."""

from dataclasses import dataclass
from pathlib import Path

from orchestration.store.landing import LandedFile, SourceError, land_file

_PATTERNS = ("*.jsonl", "*.jsonl.gz")


@dataclass(frozen=True)
class ArchiveSource:
    """Dumps in a folder of this machine.

    Parameters
    ----------
    directory : Path
        The folder; its `*.jsonl` and `*.jsonl.gz` files are taken.
    secondary : bool or tuple of str
        Take the subtree `secondary/` too (other trackers and partial records), or some of its folders only.
    """

    directory: Path
    secondary: bool | tuple[str, ...] = False
    name: str = "archive"

    def land(self, landing_dir: Path) -> list[LandedFile]:
        """Copy the dumps to `landing_dir`/archive.

        Raises
        ------
        SourceError
            If the folder does not exist, is no folder, or holds no dump.
        """
        if not self.directory.exists():
            raise SourceError(
                f"The archive folder {self.directory} does not exist: set ISSUES_ARCHIVE to a folder of"
                " *.jsonl or *.jsonl.gz files."
            )
        if not self.directory.is_dir():
            raise SourceError(
                f"The archive {self.directory} is no folder: set ISSUES_ARCHIVE to the folder that holds it."
            )
        dumps = self._dumps(self.directory, recursive=False)
        for part in self._secondary_folders():
            dumps += self._dumps(part, recursive=True)
        if not dumps:
            where = "at its top level or below secondary/" if self.secondary else "at its top level"
            raise SourceError(
                f"The archive folder {self.directory} holds no *.jsonl or *.jsonl.gz file {where}:"
                " set ISSUES_ARCHIVE to a folder that does."
            )
        folder = Path(self.name)
        return [
            land_file(dump, landing_dir, folder / dump.relative_to(self.directory).parent) for dump in dumps
        ]

    def _secondary_folders(self) -> list[Path]:
        folder = self.directory / "secondary"
        if isinstance(self.secondary, bool):
            return [folder] if self.secondary else []
        absent = [name for name in self.secondary if not (folder / name).is_dir()]
        if absent:
            raise SourceError(
                f"There is no folder {absent[0]!r} in {folder}: set ISSUES_ARCHIVE_SECONDARY to true, false"
                " or names of folders there."
            )
        return [folder / name for name in self.secondary]

    @staticmethod
    def _dumps(folder: Path, *, recursive: bool) -> list[Path]:
        find = folder.rglob if recursive else folder.glob
        # Hidden files are leftovers of editors and file systems, never dumps.
        return sorted(
            path
            for pattern in _PATTERNS
            for path in find(pattern)
            if path.is_file() and not path.name.startswith(".")
        )
