"""Files that appear whole or not at all, even if the machine stops. Nothing here knows what is in them."""

import os
from pathlib import Path


def move_into_place(temporary: Path, target: Path) -> None:
    """Give the finished file `temporary` the name `target` (same folder), once its bytes are on disk."""
    with temporary.open("rb") as finished:
        os.fsync(finished.fileno())
    temporary.replace(target)
    # Without this the new name may be lost in a power cut although the content is safe.
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
