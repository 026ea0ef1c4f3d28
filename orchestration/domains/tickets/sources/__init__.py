"""Where issues come from: a source is a module of this room and a line in the registry."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from orchestration.domains.tickets.sources.source import Source, Tombstone
from orchestration.store.landing import LandedFile, SourceError

if TYPE_CHECKING:
    from orchestration.settings import Settings

__all__ = ["SOURCES", "LandedFile", "Source", "SourceError", "Tombstone", "get_source"]

# Module (imported when it is chosen: github brings an HTTP library) and class, by the name in ISSUES_SOURCE.
SOURCES = {
    "sample": ("sample", "SampleSource"),
    "archive": ("archive", "ArchiveSource"),
    "github": ("github", "GitHubSource"),
}


def get_source(settings: "Settings", **wishes: Any) -> Source:
    """Return the source that `settings.issues_source` names.

    Parameters
    ----------
    settings : Settings
        Each source takes its own from them.
    **wishes
        What one run asks for (`repositories`, `full_refresh`, `sweep`); a source heeds those that it knows.

    Raises
    ------
    SourceError
        If there is no such source, or it lacks a setting without which it cannot be made.
    """
    name = settings.issues_source
    if name not in SOURCES:
        raise SourceError(f"There is no source {name!r}: set ISSUES_SOURCE to one of {', '.join(SOURCES)}.")
    module, kind = SOURCES[name]
    source: type[Source] = getattr(import_module(f"{__name__}.{module}"), kind)
    return source.from_settings(settings, **wishes)
