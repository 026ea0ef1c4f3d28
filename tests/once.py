"""What one test run makes once and all its processes read: a warehouse, a compiled project."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Iterator[Path]:
    """The folder `name` of this test run, made by whichever of its processes asks first.

    Whoever wants to change something copies it: its files cannot be written, and a test that did so all the
    same (an administrator can) is told at the end.

    Parameters
    ----------
    factory : pytest.TempPathFactory
        Knows the folder of this test run, which no other test run has.
    name : str
        Of the folder.
    make : callable
        Fills the folder that it is given. It is renamed afterwards: a path below it must not be kept in it.
    """
    run = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        run = run.parent  # the workers' folders are side by side in that of the run
    folder = run / "shared" / name
    folder.parent.mkdir(exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            unfinished = factory.mktemp(name)
            make(unfinished)
            for file in _files(unfinished):
                file.chmod(0o444)
            unfinished.rename(folder)
    before = _stamps(folder)
    yield folder
    assert _stamps(folder) == before, f"a test wrote to {folder}, which others read: let it copy the folder"


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def _stamps(folder: Path) -> dict[Path, tuple[int, int]]:
    return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in _files(folder)}
