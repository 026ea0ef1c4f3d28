"""Landing: what a source brings becomes immutable files named by their content. No parsing, no database."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from ml.store.files import move_into_place, sha256_of_file

_CHUNK_BYTES = 1 << 20
_HASH_CHARACTERS = 12


class SourceError(ValueError):
    """A source cannot deliver; the message is one sentence that says what to do."""


@dataclass(frozen=True)
class LandedFile:
    """A file in the landing directory.

    Parameters
    ----------
    path : Path
        Where it is.
    name : str
        Its path relative to the landing directory, as it appears in the raw tables.
    sha256 : str
        Hash of its bytes as landed (compressed, if it is compressed).
    fetched_at : datetime
        When it landed first: UTC, naive, taken from the file itself, so that a restart does not change it.
    renames : tuple of (str, str)
        Former and present names of the repository in it, where the source knows them.
    """

    path: Path
    name: str
    sha256: str
    fetched_at: datetime
    renames: tuple[tuple[str, str], ...] = ()


def describe_file(path: Path, landing_dir: Path, renames: tuple[tuple[str, str], ...] = ()) -> LandedFile:
    """Describe a file that a source wrote into the landing directory itself."""
    return replace(_describe(path, landing_dir, sha256_of_file(path)), renames=renames)


def land_file(origin: Path, landing_dir: Path, folder: Path) -> LandedFile:
    """Copy `origin` as it came to `landing_dir`/`folder`; content that landed before is not copied again."""
    size = origin.stat().st_size
    # Hashing first costs a second reading, so only a file that may have landed (same name, same size) is.
    if any(earlier.stat().st_size == size for earlier in _landings_of(origin.name, landing_dir / folder)):
        sha256 = sha256_of_file(origin)
        target = landing_dir / folder / _landed_name(origin.name, sha256)
        if _holds(target, sha256):
            return _describe(target, landing_dir, sha256)
    with origin.open("rb") as content:
        return land_content(iter(lambda: content.read(_CHUNK_BYTES), b""), origin.name, landing_dir, folder)


def land_content(chunks: Iterable[bytes], name: str, landing_dir: Path, folder: Path) -> LandedFile:
    """Write `chunks` to `landing_dir`/`folder` under `name` with a prefix of their hash in it."""
    target_folder = landing_dir / folder
    target_folder.mkdir(parents=True, exist_ok=True)
    # A fixed name: what a killed landing left behind is overwritten by the next one.
    temporary = target_folder / f".{name}.partial"
    digest = hashlib.sha256()
    with temporary.open("wb") as landing:
        for chunk in chunks:
            digest.update(chunk)
            landing.write(chunk)
    target = target_folder / _landed_name(name, digest.hexdigest())
    if _holds(target, digest.hexdigest()):
        temporary.unlink()
    else:
        move_into_place(temporary, target)
    return _describe(target, landing_dir, digest.hexdigest())


def _holds(path: Path, sha256: str) -> bool:
    """Whether the file is there with that content; one that was damaged since is landed again."""
    return path.exists() and sha256_of_file(path) == sha256


def _split_name(name: str) -> tuple[str, str]:
    """Stem and ending; the ending of a packed file has two parts."""
    stem, ending = Path(name).stem, Path(name).suffix
    if ending.lower() == ".gz" and Path(stem).suffix:
        stem, ending = Path(stem).stem, Path(stem).suffix + ending
    return stem, ending


def _landed_name(name: str, sha256: str) -> str:
    stem, extension = _split_name(name)
    return f"{stem}.{sha256[:_HASH_CHARACTERS]}{extension}"


def _landings_of(name: str, folder: Path) -> Iterator[Path]:
    stem, extension = _split_name(name)
    length = len(stem) + 1 + _HASH_CHARACTERS + len(extension)
    if folder.is_dir():
        for path in folder.iterdir():
            if len(path.name) == length and path.name.startswith(stem) and path.name.endswith(extension):
                yield path


def _describe(path: Path, landing_dir: Path, sha256: str) -> LandedFile:
    fetched_at = datetime(1970, 1, 1) + timedelta(microseconds=path.stat().st_mtime_ns // 1000)
    return LandedFile(path, path.relative_to(landing_dir).as_posix(), sha256, fetched_at)
