"""Where issues come from. A source lands files; it knows neither the database nor the orchestrator."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from orchestration.domains.tickets.sources.archive import ArchiveSource
from orchestration.domains.tickets.sources.sample import SampleSource
from orchestration.store.landing import LandedFile, SourceError

__all__ = ["KNOWN_SOURCES", "LandedFile", "Source", "SourceError", "get_source"]

KNOWN_SOURCES = ("sample", "archive", "github")


class Source(Protocol):
    """Something that can land files of issues."""

    @property
    def name(self) -> str:
        """Value of `source` in the raw tables."""
        ...

    def land(self, landing_dir: Path) -> list[LandedFile]:
        """Bring the files to `landing_dir` and list them, those that were there already included."""
        ...


def get_source(
    name: str,
    *,
    archive: Path | None = None,
    secondary: bool | tuple[str, ...] = False,
    github: Mapping[str, Any] | None = None,
) -> Source:
    """Return the source called `name`.

    Parameters
    ----------
    name : str
        `sample`, `archive` or `github`.
    archive : Path, optional
        Folder of the dumps; the archive source needs it.
    secondary : bool or tuple of str
        Whether the archive source takes its `secondary/` subtree too, or which folders of it.
    github : mapping, optional
        Parameters of `GitHubSource`; the github source needs `tokens` and `repositories`.

    Raises
    ------
    SourceError
        If there is no such source, or the archive source has no folder. What the github source lacks it says
        when it lands.
    """
    if name == "sample":
        return SampleSource()
    if name == "archive":
        if archive is None:
            raise SourceError(
                "ISSUES_SOURCE=archive needs ISSUES_ARCHIVE, the folder of the *.jsonl or *.jsonl.gz files."
            )
        return ArchiveSource(archive, secondary)
    if name == "github":
        # Imported here: it brings an HTTP library that no other source needs.
        from orchestration.domains.tickets.sources.github import GitHubSource

        return GitHubSource(**{"tokens": (), "repositories": (), **(github or {})})
    raise SourceError(f"There is no source {name!r}: set ISSUES_SOURCE to one of {', '.join(KNOWN_SOURCES)}.")
