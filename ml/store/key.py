"""The key of a result: one hash of everything that decides it, so that only the same is not made again.

The code and the libraries are part of it, not a number that somebody has to raise.
"""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import ml
from ml.store.files import json_text, sha256_of

# Rooms whose code decides what is learned and what is figured from it.
LEARNING = ("errors.py", "stats", "data", "encoding", "models", "tasks", "search")
LIBRARIES = ("numpy", "pandas", "scipy", "scikit-learn", "lightgbm", "xgboost", "optuna")


def key_of(*rooms: str, **decides: Any) -> str:
    """Return the key of a result that `ml`'s ``rooms`` made of what ``decides`` says.

    Parameters
    ----------
    rooms : str
        Folders or files of the package `ml`; `LEARNING` when none is given.
    decides : plain values
        Content of the data, settings, search space.
    """
    made_by = {"code": _code_of(rooms or LEARNING), "libraries": _libraries()}
    return sha256_of(json_text({**made_by, "decides": decides}).encode())[:16]


@cache
def _code_of(rooms: tuple[str, ...]) -> dict[str, str]:
    root = Path(ml.__file__).parent
    files = [path for room in rooms for path in [root / room, *(root / room).rglob("*.py")] if path.is_file()]
    return {path.relative_to(root).as_posix(): sha256_of(path.read_bytes()) for path in files}


@cache
def _libraries() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}
