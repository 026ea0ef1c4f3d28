"""The `alert_batches` source: folders of AML alert batches. It copies them and reads their META.json only."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from orchestration.domains.alerts.sources.sample import write_sample
from orchestration.store.landing import LandedFile, SourceError, land_file

SAMPLE = "sample"
FILES = ("alerts", "features", "clusters", "money_flows", "ground_truth")
# A batch that nobody has judged yet comes without: it is scored, and never learned from.
OPTIONAL = "ground_truth"
_META = "META.json"
_META_BYTES = 1 << 20
_ACCOUNTS = "accounts.parquet"


@dataclass(frozen=True)
class DeclaredFile:
    """What META.json says of one file."""

    rows: int
    md5: str


@dataclass(frozen=True)
class LandedBatch:
    """A batch as it came, whole or not.

    Parameters
    ----------
    processing_date : date
        Day on which the batch was made.
    window_days : int
        Length of the window that its features look back on (days).
    files : dict of str to LandedFile
        The files that exist, by table (`alerts`, `features`, …).
    declared : dict of str to DeclaredFile
        What META.json says of them.
    problem : str or None
        Why the batch cannot be read at all (file and reason), if so.
    """

    processing_date: date
    window_days: int
    files: dict[str, LandedFile] = field(default_factory=dict)
    declared: dict[str, DeclaredFile] = field(default_factory=dict)
    problem: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The tables that the batch is to bring: all, or all but the truth."""
        return tuple(name for name in FILES if name != OPTIONAL or name in self.files)

    @property
    def batch_id(self) -> str:
        """Name of the batch: processing date and window, as in its path."""
        return f"{self.processing_date.isoformat()}/{self.window_days}"

    @property
    def content_id(self) -> str:
        """Hash over the files, what META.json says of them, and the problem if there is one."""
        hashes = {name: file.sha256 for name, file in self.files.items()}
        declared = {name: [file.rows, file.md5] for name, file in self.declared.items()}
        content = json.dumps([hashes, declared, self.problem], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()


@dataclass(frozen=True)
class Delivery:
    """What a source landed: batches in the order of time, and the accounts if it has them."""

    batches: tuple[LandedBatch, ...]
    accounts: LandedFile | None


class AlertSource(Protocol):
    """Something that can land alert batches."""

    @property
    def name(self) -> str:
        """Value of `source` in the raw tables."""
        ...

    def land(self, landing_dir: Path) -> Delivery:
        """Bring the files to `landing_dir` and list them, those that were there already included."""
        ...


@dataclass(frozen=True)
class AlertBatchSource:
    """Batches in a folder of this machine: `{directory}[/batches]/{processing_date}/{window_days}/`."""

    directory: Path
    name: str = "alert_batches"

    def land(self, landing_dir: Path) -> Delivery:
        """Copy the batches to `landing_dir`/alert_batches.

        Raises
        ------
        SourceError
            If the folder does not exist or holds no batch. A damaged batch is no error here: it is landed
            with its problem, for the account.
        """
        if not self.directory.is_dir():
            raise SourceError(
                f"The folder of alert batches {self.directory} does not exist: set ALERT_BATCHES to a folder"
                " with {processing_date}/{window_days}/ below it."
            )
        nested = self.directory / "batches"
        root = nested if nested.is_dir() else self.directory
        folder = Path("alerts") / self.name
        batches = tuple(
            _land_batch(path, day, days, landing_dir, folder) for path, day, days in _batches(root)
        )
        if not batches:
            raise SourceError(
                f"The folder {root} holds no batch {{processing_date}}/{{window_days}} (2024-02-12/28):"
                " set ALERT_BATCHES to a folder that does."
            )
        accounts = self.directory / _ACCOUNTS
        return Delivery(batches, land_file(accounts, landing_dir, folder) if accounts.is_file() else None)


@dataclass(frozen=True)
class AlertSampleSource:
    """Ten small synthetic batches, labelled as such; the same bytes every time."""

    name: str = SAMPLE

    def land(self, landing_dir: Path) -> Delivery:
        """Write the batches below `landing_dir`/alerts/synthetic and land them from there."""
        folder = landing_dir / "alerts" / "synthetic"
        write_sample(folder)
        return AlertBatchSource(folder, name=self.name).land(landing_dir)


def get_alert_source(directory: Path | None) -> AlertSource:
    """Return the batches of `directory`, or the synthetic ones when there is none."""
    return AlertBatchSource(directory) if directory else AlertSampleSource()


def _batches(root: Path) -> Iterator[tuple[Path, date, int]]:
    for day_folder in sorted(root.iterdir()):
        if not day_folder.is_dir() or not re.fullmatch(r"\d{4}-\d\d-\d\d", day_folder.name):
            continue
        try:
            day = date.fromisoformat(day_folder.name)
        except ValueError as error:
            raise SourceError(
                f"The folder {day_folder} is named after no day: rename it to its processing date."
            ) from error
        windows = [
            path for path in day_folder.iterdir() if path.is_dir() and re.fullmatch(r"[1-9]\d*", path.name)
        ]
        for path in sorted(windows, key=lambda path: int(path.name)):
            yield path, day, int(path.name)


def _land_batch(path: Path, day: date, days: int, landing_dir: Path, folder: Path) -> LandedBatch:
    target = folder / day.isoformat() / str(days)
    found = {name: path / f"{name}.parquet" for name in FILES}
    files = {name: land_file(file, landing_dir, target) for name, file in found.items() if file.is_file()}
    if not (path / _META).is_file():
        return LandedBatch(day, days, files, problem=f"{_META}: the file is missing")
    if (path / _META).stat().st_size > _META_BYTES:
        return LandedBatch(day, days, files, problem=f"{_META}: it has more than {_META_BYTES:,} bytes")
    meta = land_file(path / _META, landing_dir, target)
    try:
        declared = _declared(json.loads(meta.path.read_bytes()), day, days)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        return LandedBatch(day, days, files, problem=f"{_META}: {_sentence(error)}")
    if OPTIONAL in files and OPTIONAL not in declared:
        return LandedBatch(day, days, files, declared, f"{_META}: it says nothing about {OPTIONAL}.parquet")
    batch = LandedBatch(day, days, files, declared)
    missing = [f"{name}.parquet: the file is missing" for name in batch.names if name not in files]
    return replace(batch, problem=missing[0]) if missing else batch


def _declared(meta: dict[str, Any], day: date, days: int) -> dict[str, DeclaredFile]:
    if (meta["processing_date"], meta["window_days"]) != (day.isoformat(), days):
        raise ValueError(
            f"it describes the batch {meta['processing_date']!s:.20}/{meta['window_days']!s:.20},"
            f" not {day.isoformat()}/{days}"
        )
    files = meta["files"]
    return {
        name: DeclaredFile(
            _rows(files[f"{name}.parquet"]["rows"]), str(files[f"{name}.parquet"]["md5"])[:64].lower()
        )
        for name in FILES
        if name != OPTIONAL or f"{name}.parquet" in files
    }


def _rows(value: Any) -> int:
    """A number of rows: what JSON can say beyond it (Infinity, 1e30, 1.5, true) is none."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | str)
        or not re.fullmatch(r"\d{1,18}", str(value))
    ):
        raise ValueError(f"{value!s:.40} is no number of rows")
    return int(value)


def _sentence(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
        return "it is no JSON"
    if isinstance(error, KeyError):
        return f"it says nothing about {error.args[0]}"
    return str(error) if isinstance(error, ValueError) else "it does not have the expected form"
