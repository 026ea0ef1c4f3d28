"""Files of a run: written whole or not at all, known by their hash, numbers as JSON can hold them."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

# Room for a prefix and a suffix within the 255 bytes that file systems allow.
LONGEST = 100


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
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        Path(name).chmod(0o644)
        move_into_place(Path(name), path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def move_into_place(temporary: Path, target: Path) -> None:
    """Give the finished file `temporary` the name `target` (same folder), once its bytes are on disk."""
    with temporary.open("rb") as finished:
        os.fsync(finished.fileno())
    temporary.replace(target)
    # Without this the new name may be lost in a power cut although the content is safe.
    _sync_folder(target.parent)


def move_folder_into_place(temporary: Path, target: Path) -> None:
    """Give the finished folder of files `temporary` the name `target`, in place of what has it."""
    for path in temporary.iterdir():
        with path.open("rb") as finished:
            os.fsync(finished.fileno())
    _sync_folder(temporary)
    if target.exists():
        shutil.rmtree(target)
    temporary.rename(target)
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def file_name(name: str) -> str:
    """Return a plain file name for any name: never a path, and no two names share one.

    Letters, digits and ``_.-~+`` stay as they are, all else and a dot at the beginning is percent-encoded; of
    a long name the beginning is kept, with the hash of the whole.
    """
    plain = quote(name, safe="+", errors="surrogatepass")
    if plain.startswith("."):
        plain = f"%2E{plain[1:]}"
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 16]}~{sha256_of(name.encode())[:16]}"


def sha256_of_file(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def sha256_of(data: bytes) -> str:
    """Return the hexadecimal SHA-256 of ``data``."""
    return hashlib.sha256(data).hexdigest()


def json_text(value: Any) -> str:
    """Return JSON with sorted keys; numbers that are not finite become null."""
    return json.dumps(_plain(value), indent=1, sort_keys=True, allow_nan=False) + "\n"


def npy_bytes(array: NDArray[Any]) -> bytes:
    """Return the array in NumPy's file format."""
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()


def parquet_bytes(frame: pd.DataFrame) -> bytes:
    """Return the frame as a Parquet file, without its index."""
    stream = io.BytesIO()
    frame.to_parquet(stream, index=False)
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
