"""The `archive` source: JSON Lines dumps in REST field names. It copies them; it does not look inside."""

from dataclasses import dataclass
from pathlib import Path

from orchestration.sources.landing import LandedFile, SourceError, land_file

_PATTERNS = ("*.jsonl", "*.jsonl.gz")


@dataclass(frozen=True)
class ArchiveSource:
    """Dumps in a folder of this machine.

    Parameters
    ----------
    directory : Path
        The folder; its `*.jsonl` and `*.jsonl.gz` files are taken.
    secondary : bool
        Take the subtree `secondary/` too (other trackers and partial records).
    """

    directory: Path
    secondary: bool = False
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
        if self.secondary:
            dumps += self._dumps(self.directory / "secondary", recursive=True)
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
