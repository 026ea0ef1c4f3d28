"""Files of a run: written whole or not at all, known by their hash, numbers as JSON can hold them."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write a whole file or nothing: temporary name in the same folder, fsync, rename.

    Parameters
    ----------
    path : Path
        Its folder is made when absent.
    content : bytes or str
        Text is stored as UTF-8.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode("utf-8") if isinstance(content, str) else content
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def sha256_of(data: bytes) -> str:
    """Return the hexadecimal SHA-256 of ``data``."""
    return hashlib.sha256(data).hexdigest()


def version_of(name: str, *content: str) -> str:
    """Return a model's version: its name and a hash of what it learned from and what it answers.

    Not of its file, which holds the time at which it was written.
    """
    return f"{name}-{sha256_of(' '.join(content).encode())[:12]}"


def json_text(value: Any) -> str:
    """Return JSON with sorted keys; numbers that are not finite become null."""
    return json.dumps(_plain(value), indent=1, sort_keys=True, allow_nan=False) + "\n"


def npy_bytes(array: NDArray[Any]) -> bytes:
    """Return the array in NumPy's file format."""
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.bool_ | bool):
        return bool(value)
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, np.floating | float):
        return float(value) if np.isfinite(value) else None
    return value
