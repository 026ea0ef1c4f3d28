"""Whether something can be written where it shall go: asked before the work begins, not after it."""

from __future__ import annotations

import os
from pathlib import Path


def check_output_file(path: Path) -> None:
    """Refuse a path at which no file can be written; the sentence says why."""
    if path.is_dir():
        raise ValueError(f"The output {path} is a folder: name a file.")
    check_output_folder(path.parent)


def check_output_folder(path: Path) -> None:
    """Refuse a path at which no folder can be made, or in which nothing can be written."""
    there = next((place for place in (path, *path.absolute().parents) if place.exists()), Path("/"))
    if not there.is_dir():
        raise ValueError(f"Nothing can be written to {path}: {there} is a file; name another folder.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise ValueError(f"Nothing can be written to {path}: {there} does not let you; name another folder.")
