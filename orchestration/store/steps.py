"""What every step after dbt was last made from, and what it made: what would come out the same is not made.

The record lies beside what a step writes, so that a copy of the one is a copy of the other: in the database,
or in a file where a step works on files alone.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import duckdb

from ml.store.files import file_name, json_text, sha256_of, sha256_of_file, write_atomically
from ml.store.key import key_of
from orchestration.tables import MODEL_BUILDS

_ROOT = Path(__file__).resolve().parents[2]
# Whatever decides what the steps make, beside `ml`, of which `key_of` knows; of dbt, what is no SQL.
_CODE = ("orchestration/**/*.py", "orchestration/page/*", "dbt_project/**/*.yml")
_DDL = """
create schema if not exists steps;
create table if not exists steps.made (
    step varchar primary key, made_from varchar, version varchar, files json, said varchar
)
"""


@dataclass(frozen=True)
class Made:
    """What a step made.

    Parameters
    ----------
    step : str
        Name of its asset.
    made_from : str
        Hash of all that decides what comes out.
    version : str
        Changes with what came out: what later steps are made from.
    files : mapping of str to str
        Hashes of the files that must be as they were, by their path below the warehouse.
    said : str
        What the step told of itself.
    """

    step: str
    made_from: str
    version: str
    files: Mapping[str, str]
    said: str

    def is_intact(self, warehouse_dir: Path) -> bool:
        """Whether every file is there as it was written."""
        return all(
            (warehouse_dir / name).is_file() and sha256_of_file(warehouse_dir / name) == sha256
            for name, sha256 in self.files.items()
        )


def hashes_of(files: Iterable[Path], warehouse_dir: Path) -> dict[str, str]:
    """The hashes of files by their path below the warehouse."""
    return {path.relative_to(warehouse_dir).as_posix(): sha256_of_file(path) for path in sorted(files)}


class StepTable:
    """The record of steps that hold the database, in it."""

    def __init__(self, database: duckdb.DuckDBPyConnection) -> None:
        self._database = database
        database.execute(f"{_DDL}; {MODEL_BUILDS.ddl}")

    def versions(self) -> dict[str, str]:
        """The version of all that these steps have made, and of the models that dbt has built, by name."""
        return dict(
            self._database.execute(
                f"select relation, built_from from {MODEL_BUILDS.name} union all "  # noqa: S608 - our own names
                "select step, version from steps.made"
            ).fetchall()
        )

    def made_by(self, step: str) -> Made | None:
        """What a step last made; None where it never ended well, or is at work."""
        found = self._database.execute("from steps.made where step = ?", [step]).fetchall()
        if not found:
            return None
        name, made_from, version, files, said = found[0]
        return Made(name, made_from, version, json.loads(files), said)

    def remember(self, made: Made) -> None:
        """Keep what a step made in place of what it made before."""
        row = [made.step, made.made_from, made.version, json.dumps(dict(made.files)), made.said]
        self._database.execute("insert or replace into steps.made values (?, ?, ?, ?, ?)", row)

    def forget(self, step: str) -> None:
        """Whatever a step made from now on must be looked at again."""
        self._database.execute("delete from steps.made where step = ?", [step])


class StepFiles:
    """The same of steps that work on files alone, a file each; what is not as it was written is no record.

    Parameters
    ----------
    folder : Path
        It need not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def versions(self) -> dict[str, str]:
        """The version of all that these steps have made, by name."""
        found = filter(None, map(_read, sorted(self._folder.glob("*.json"))))
        return {made.step: made.version for made in found}

    def made_by(self, step: str) -> Made | None:
        """See `StepTable`."""
        return _read(self._file(step))

    def remember(self, made: Made) -> None:
        """See `StepTable`."""
        text = json_text(asdict(made))
        write_atomically(self._file(made.step), f"{sha256_of(text.encode())}\n{text}")

    def forget(self, step: str) -> None:
        """See `StepTable`."""
        self._file(step).unlink(missing_ok=True)

    def _file(self, step: str) -> Path:
        return self._folder / f"{file_name(step)}.json"


def _read(file: Path) -> Made | None:
    try:
        seal, _, text = file.read_bytes().partition(b"\n")
        return Made(**json.loads(text)) if seal == sha256_of(text).encode() else None
    except (OSError, TypeError, ValueError):
        return None


def made_from(**decides: object) -> str:
    """The hash of what decides what a step makes; code and libraries are part of it."""
    code = {"orchestration": _code(), "ml": key_of("")}
    return hashlib.sha256(json.dumps([code, decides], sort_keys=True).encode()).hexdigest()[:16]


@cache
def _code() -> str:
    digest = hashlib.sha256()
    for path in sorted({path for pattern in _CODE for path in _ROOT.glob(pattern) if path.is_file()}):
        digest.update(f"{path.relative_to(_ROOT)} {sha256_of_file(path)}\n".encode())
    return digest.hexdigest()
