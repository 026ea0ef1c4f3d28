"""What was made at some cost and may be made again: kept under its key, and used only when it is whole."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path

from ml.store.files import json_text, sha256_of, sha256_of_file, write_atomically
from ml.store.lock import LockedError, only_one

logger = logging.getLogger(__name__)

SEAL = "sha256.json"


def find_entry(cache: Path, key: str) -> Path | None:
    """Return the folder of an entry; None when there is none or a file of it is not as it was written."""
    entry = cache / key
    if not entry.is_dir():
        return None
    try:
        known: dict[str, str] = json.loads((entry / SEAL).read_bytes())
        damaged = [name for name, sha256 in known.items() if sha256_of_file(entry / name) != sha256]
    except (OSError, ValueError, AttributeError) as error:
        damaged = [str(error)]
    if damaged:
        logger.warning("%s is damaged (%s): it is made again.", entry, ", ".join(damaged))
    return None if damaged else entry


def keep_entry(cache: Path, key: str, files: Mapping[str, bytes]) -> None:
    """Keep the files of an entry in the place of all others; not when another process is just doing so."""
    try:
        with only_one(lock_of(cache), f"is at work in {cache}"):
            if find_entry(cache, key) is not None:
                return  # of another process that made the same
            shutil.rmtree(cache, ignore_errors=True)
            for name, content in files.items():
                write_atomically(cache / key / name, content)
            # Written last: its presence says that the entry is whole.
            seal = {name: sha256_of(content) for name, content in files.items()}
            write_atomically(cache / key / SEAL, json_text(seal))
    except LockedError as error:
        logger.info("%s Nothing is kept this time.", error)


def lock_of(cache: Path) -> Path:
    """The lock of a cache, beside it."""
    return cache.with_name(f"{cache.name}.lock")
