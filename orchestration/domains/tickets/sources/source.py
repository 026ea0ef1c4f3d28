"""What a source of issues is. It lands files; it knows neither the database nor the orchestrator."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from orchestration.store.landing import LandedFile

if TYPE_CHECKING:
    from orchestration.settings import Settings


class Tombstone(NamedTuple):
    """An issue that is gone, as `raw.tombstones` keeps it."""

    repository: str
    number: int
    reason: str
    seen_at: datetime


class Source(ABC):
    """Something that can land files of issues.

    Attributes
    ----------
    name : str
        Value of ISSUES_SOURCE, and of `source` in the raw tables.
    failures : sequence of str
        After `land`: what is missing, in sentences. What has landed is loaded; the run fails all the same.
    """

    name: str
    failures: Sequence[str] = ()

    @classmethod
    @abstractmethod
    def from_settings(cls, settings: "Settings", **wishes: Any) -> Self:
        """The source as it is configured; `wishes` are those of one run, which a source may heed."""

    @abstractmethod
    def land(self, landing_dir: Path) -> list[LandedFile]:
        """Bring the files to `landing_dir` and list them, those that were there already included."""

    def tombstones(self, landing_dir: Path) -> list[Tombstone] | None:
        """All issues that are known to be gone; None if the source cannot know."""
        return None

    def facts(self) -> Mapping[str, int | str]:
        """What is worth telling after `land`, by name; a text of several lines is Markdown."""
        return {}
