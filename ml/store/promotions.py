"""Who was champion when, and why: the journal of the promotions, one file beside the runs.

The file is replaced as a whole and only ever grows; each line seals those before it. Its last line about a
task says who the champion is, so that there is never more than one, however a process ended.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ml.errors import DamagedFileError
from ml.store.files import file_name, sha256_of, write_atomically
from ml.store.lock import only_one
from ml.store.run_folder import RunFolder

JOURNAL = "promotions.jsonl"
PROMOTED, ROLLED_BACK = "promotion", "rollback"
# Begins the name of the folder of a promoted version.
KEPT = "champion-"
_SEAL = "seal"


@dataclass(frozen=True)
class Promotion:
    """One change of the champion of a task.

    Parameters
    ----------
    domain, task : str
    action : {"promotion", "rollback"}
    model, run_id, snapshot_id : str
        What the new champion is, and where it was trained.
    from_version, to_version : str or None, str
        Versions of the champion before and after.
    who, why : str
    gate : str
        What the gate said of it.
    figures : dict of str to number or None
        The comparison with the champion before, on the same rows.
    promoted_at : str
        ISO time, UTC; given when it is written.
    """

    domain: str
    task: str
    action: str
    model: str
    run_id: str
    snapshot_id: str
    from_version: str | None
    to_version: str
    who: str
    why: str
    gate: str = ""
    figures: dict[str, float | int | None] = field(default_factory=dict)
    promoted_at: str = ""


def kept_folder(runs_dir: str | Path, version: str) -> RunFolder:
    """The folder in which a promoted version is kept, with its files and its part of the bias tables."""
    return RunFolder(Path(runs_dir) / f"{KEPT}{file_name(version)}")


class Promotions:
    """The journal.

    Parameters
    ----------
    runs_dir : path
        Folder of all runs.
    """

    def __init__(self, runs_dir: str | Path) -> None:
        self.path = Path(runs_dir) / JOURNAL

    def all(self) -> list[Promotion]:
        """Every promotion, the oldest first; `DamagedFileError` when a line was changed or taken out."""
        return [promotion for promotion, _ in self._read()]

    def of(self, domain: str, task: str) -> list[Promotion]:
        """Those of one task."""
        return [one for one in self.all() if (one.domain, one.task) == (domain, task)]

    def champion(self, domain: str, task: str, at: datetime | None = None) -> Promotion | None:
        """The promotion that made the champion of a task, now or at a time; None when there was none yet."""
        until = None if at is None else at.astimezone(UTC)
        history = self.of(domain, task)
        known = [one for one in history if until is None or datetime.fromisoformat(one.promoted_at) <= until]
        return known[-1] if known else None

    def withdrawn(self, domain: str, task: str) -> dict[str, str]:
        """Versions that a rollback took away and nobody put back, with the reason."""
        taken: dict[str, str] = {}
        for one in self.of(domain, task):
            taken.pop(one.to_version, None)
            if one.action == ROLLED_BACK and one.from_version is not None:
                taken[one.from_version] = one.why
        return taken

    def append(self, promotion: Promotion) -> Promotion:
        """Write a promotion; it is returned with its time.

        Raises
        ------
        ValueError
            The champion is another one by now than it is said to come from.
        """
        with only_one(self.path.with_suffix(".lock"), f"is promoting a model in {self.path.parent}"):
            before = self._read()
            now = self.champion(promotion.domain, promotion.task)
            if (now.to_version if now else None) != promotion.from_version:
                raise ValueError(
                    f"The champion of {promotion.domain} is {now.to_version if now else 'nobody'} by now, no "
                    f"longer {promotion.from_version or 'nobody'}: look at the promotions and try again."
                )
            # A clock that was set back must not let an older line be the newest.
            last = before[-1][0].promoted_at if before else ""
            content = asdict(promotion) | {
                "promoted_at": max(datetime.now(UTC).isoformat(timespec="microseconds"), last)
            }
            seal = _seal(before[-1][1] if before else "", content)
            line = json.dumps({**content, _SEAL: seal}, sort_keys=True, ensure_ascii=False)
            text = self.path.read_text(encoding="utf-8") if before else ""
            write_atomically(self.path, f"{text}{line}\n")
        return Promotion(**content)

    def _read(self) -> list[tuple[Promotion, str]]:
        """The promotions, each with its seal."""
        if not self.path.is_file():
            return []
        read: list[tuple[Promotion, str]] = []
        seal = ""
        for number, line in enumerate(self.path.read_text(encoding="utf-8").splitlines(), start=1):
            try:
                content = json.loads(line)
                given = content.pop(_SEAL)
                promotion = Promotion(**content)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise self._damaged(number) from error
            seal = _seal(seal, content)
            if given != seal:
                raise self._damaged(number)
            read.append((promotion, seal))
        return read

    def _damaged(self, number: int) -> DamagedFileError:
        return DamagedFileError(
            f"{self.path}, line {number}, is not what was written, or a line before it is gone: put the file "
            "back from a copy; without it nobody knows who the champion is."
        )


def _seal(before: str, content: Mapping[str, Any]) -> str:
    return sha256_of(f"{before}{json.dumps(dict(content), sort_keys=True)}".encode())[:16]
