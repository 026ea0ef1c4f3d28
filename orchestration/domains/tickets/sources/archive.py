"""The `archive` source: dumps in a folder. It copies them and names what it leaves, and looks inside none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from errno import ENAMETOOLONG
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.domains.tickets.reading.file_kinds import READ_ENDINGS, printable, why_not_read
from orchestration.domains.tickets.sources.source import Source
from orchestration.store.landing import LandedFile, SourceError, land_file

if TYPE_CHECKING:
    from orchestration.settings import Settings

_SECONDARY = "secondary"


@dataclass
class ArchiveSource(Source):
    """Dumps in a folder of this machine.

    Parameters
    ----------
    directory : Path
        The folder; its files with an ending of `READ_ENDINGS` are taken, in upper or lower case.
    secondary : bool or tuple of str
        Take the subtree `secondary/` too (other trackers and partial records), or only some folders, which
        are below it or in `directory` itself.

    Attributes
    ----------
    not_read : dict of str to str
        After `land`: the entries that were not taken, by name, with the reason.
    """

    directory: Path
    secondary: bool | tuple[str, ...] = False
    name: str = "archive"
    not_read: dict[str, str] = field(default_factory=dict, compare=False)

    @classmethod
    def from_settings(cls, settings: "Settings", **wishes: Any) -> "ArchiveSource":
        """The folder that ISSUES_ARCHIVE names.

        Raises
        ------
        SourceError
            If it names none.
        """
        if settings.issues_archive is None:
            raise SourceError(
                f"ISSUES_SOURCE=archive needs ISSUES_ARCHIVE, the folder of the dumps ({READ_ENDINGS})."
            )
        return cls(settings.issues_archive, settings.archive_secondary)

    def land(self, landing_dir: Path) -> list[LandedFile]:
        """Copy the dumps to `landing_dir`/archive.

        Raises
        ------
        SourceError
            If the folder does not exist, is no folder, or holds no dump.
        """
        if not self.directory.exists():
            raise SourceError(
                f"The archive folder {self.directory} does not exist: set ISSUES_ARCHIVE to a folder of dumps"
                f" ({READ_ENDINGS})."
            )
        if not self.directory.is_dir():
            raise SourceError(
                f"The archive {self.directory} is no folder: set ISSUES_ARCHIVE to the folder that holds it."
            )
        self.not_read.clear()
        asked = self._folders()
        entries = sorted(self.directory.iterdir())
        for folder in asked:
            entries += sorted(path for path in folder.rglob("*") if not path.is_dir())
        above = {parent for folder in asked for parent in (folder, *folder.parents)}
        landed = []
        for path in entries:
            # Hidden files are leftovers of editors and file systems, never dumps.
            if path.name.startswith(".") or path in above:
                continue
            name = printable(path.relative_to(self.directory).as_posix())
            reason = why_not_read(path)
            if reason is None:
                folder = Path(self.name) / path.relative_to(self.directory).parent
                try:
                    landed.append(land_file(path, landing_dir, folder))
                except OSError as error:
                    # A full disk is everybody's trouble; what is wrong with one file is that file's.
                    if error.errno != ENAMETOOLONG and error.filename != str(path):
                        raise
                    reason = f"cannot be read ({error.strerror})"
            if reason is not None:
                self.not_read[name] = reason
        if not landed:
            raise SourceError(self._nothing_landed())
        return landed

    def facts(self) -> Mapping[str, int | str]:
        """The entries of the folder that were not taken."""
        if not self.not_read:
            return {}
        rows = [f"| {name} | {reason} |" for name, reason in self.not_read.items()]
        return {"files_not_read": "\n".join(["| not read | why: it |", "|---|---|", *rows])}

    def _folders(self) -> list[Path]:
        folder = self.directory / _SECONDARY
        if isinstance(self.secondary, bool):
            return [folder] if self.secondary and folder.is_dir() else []
        found = []
        for name in self.secondary:
            places = [place for place in (folder / name, self.directory / name) if place.is_dir()]
            if not places:
                raise SourceError(
                    f"There is no folder {name!r} in {folder} or {self.directory}: set"
                    " ISSUES_ARCHIVE_SECONDARY to true, false or names of folders there."
                )
            found.append(places[0])
        return found

    def _nothing_landed(self) -> str:
        named = [f"{name} {reason}" for name, reason in self.not_read.items()]
        where = f"at its top level or below {_SECONDARY}/" if self.secondary else "at its top level"
        return (
            f"The archive folder {self.directory} holds no dump {where} ({READ_ENDINGS}):"
            " set ISSUES_ARCHIVE to a folder that does."
            + (f" Not read: {'; '.join(named[:5])}{'; …' if len(named) > 5 else ''}." if named else "")
        )
