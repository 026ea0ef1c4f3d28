"""What a test run shares is made once, by one of its processes, and belongs to that run alone."""

import os
import subprocess
import sys
from pathlib import Path

from tests.paths import ROOT

TESTS = """
import os, time
from pathlib import Path
import pytest
from tests.once import made_once

def make(folder):
    time.sleep(0.2)
    (folder / "made").write_text(os.environ["RUN"] + " " + str(time.time_ns()))

@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    with made_once(tmp_path_factory, "thing", make) as folder:
        yield folder

@pytest.mark.parametrize("number", range(4))
def test_reads(shared, number):
    with Path(os.environ["SEEN"]).open("a") as seen:
        print((shared / "made").read_text(), os.environ["PYTEST_XDIST_WORKER"], file=seen)
    assert not (shared / "made").stat().st_mode & 0o222
"""
WRITES = """
def test_writes(shared):
    (shared / "more").touch()
"""


def start(folder: Path, run: str, tests: str) -> subprocess.Popen[str]:
    file = folder / f"test_{run}.py"
    file.write_text(tests)
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "xdist",
            "-n",
            "2",
            "--dist",
            "load",
            "-p",
            "no:cacheprovider",
            str(file),
        ],
        cwd=folder,
        env={
            **os.environ,
            "RUN": run,
            "SEEN": str(folder / f"{run}.txt"),
            "PYTHONPATH": str(ROOT),
            # The plugins that are not needed take most of the time.
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            # Both runs put their folders beside each other, as two terminals of one user do.
            "PYTEST_DEBUG_TEMPROOT": str(folder),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_two_test_runs_at_once_make_their_own_and_their_workers_one(tmp_path: Path) -> None:
    """And who writes to what is shared is told."""
    runs = {"one": start(tmp_path, "one", TESTS), "two": start(tmp_path, "two", TESTS + WRITES)}
    for run, process in runs.items():
        said, _ = process.communicate(timeout=120)
        assert process.returncode == (run == "two"), said
        assert ("a test wrote to" in said) == (run == "two")
        lines = [line.split() for line in (tmp_path / f"{run}.txt").read_text().splitlines()]
        assert len(lines) == 4
        assert {owner for owner, _, _ in lines} == {run}
        assert len({made for _, made, _ in lines}) == 1
        assert {worker for _, _, worker in lines} == {"gw0", "gw1"}
