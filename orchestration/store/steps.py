"""What every step after dbt was last made from, and what it made: what would come out the same is not made.

The record lies in the database beside what the steps write, so that a copy of the one is a copy of the other.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb

from ml.store.files import sha256_of_file
from ml.store.key import key_of
from orchestration.store.warehouse import transaction
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


def versions(database: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The version of all that steps have made, and of the models that dbt has built, by name."""
    database.execute(f"{_DDL}; {MODEL_BUILDS.ddl}")
    return dict(
        database.execute(
            f"select relation, built_from from {MODEL_BUILDS.name} union all "  # noqa: S608 - our own names
            "select step, version from steps.made"
        ).fetchall()
    )


def made_by(database: duckdb.DuckDBPyConnection, step: str) -> Made | None:
    """What a step last made; None where it never ended well, or is at work."""
    database.execute(_DDL)
    found = database.execute("from steps.made where step = ?", [step]).fetchall()
    if not found:
        return None
    name, made_from, version, files, said = found[0]
    return Made(name, made_from, version, json.loads(files), said)


def remember(database: duckdb.DuckDBPyConnection, made: Made) -> None:
    """Keep what a step made in place of what it made before."""
    with transaction(database):
        forget(database, made.step)
        row = [made.step, made.made_from, made.version, json.dumps(dict(made.files)), made.said]
        database.execute("insert into steps.made values (?, ?, ?, ?, ?)", row)


def forget(database: duckdb.DuckDBPyConnection, step: str) -> None:
    """Whatever a step made from now on must be looked at again."""
    database.execute(_DDL)
    database.execute("delete from steps.made where step = ?", [step])


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
