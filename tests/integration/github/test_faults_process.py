"""Faults 28 and 29: the process is killed, the disk is full, the database is held, another run is at it."""

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fake_github import FakeGitHub, Fault, SystemClock, breakage, running
from tests.integration.github.workshop import (
    NAME,
    Workshop,
    assert_unharmed,
    is_page,
    reference,
    standard_world,
    workshop,
)
from tests.paths import ROOT

POINTS = 20


@dataclass
class Killer:
    """The fake, and a process that collects from it in children."""

    fake: FakeGitHub
    process: subprocess.Popen[str]

    def collect(self, folder: Path, **task: Any) -> tuple[dict[str, Any], int]:
        """Collect into a folder, with what is to go wrong: how it ended, and how many pages it asked for."""
        assert self.process.stdin and self.process.stdout
        first = len(self.fake.requests)
        self.process.stdin.write(json.dumps({"folder": str(folder), **task}) + "\n")
        self.process.stdin.flush()
        ended = json.loads(self.process.stdout.readline())
        return ended, sum(is_page(request) for request in self.fake.requests[first:])


@pytest.fixture(scope="module")
def killer() -> Iterator[Killer]:
    with running(FakeGitHub(standard_world())) as fake:
        command = [sys.executable, "-m", "tests.integration.github.collector", fake.base]
        with subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            yield Killer(fake, process)
            assert process.stdin
            process.stdin.close()


def assert_recovers(killer: Killer, folder: Path, pages_before: int) -> None:
    """The run after a kill asks for at most one page again, and leaves the table of a run in peace."""
    shop = Workshop(killer.fake, folder)
    outcome = shop.run(clock=SystemClock())
    assert outcome.error is None, outcome.error
    assert shop.table() == reference().table
    assert pages_before + len(outcome.pages) <= reference().pages + 1
    assert not list(folder.rglob("*.partial"))
    assert shop.keeps_the_token()


@pytest.fixture(scope="module")
def calls(killer: Killer, tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many calls a run in peace makes: the points at which it can be killed."""
    ended, _ = killer.collect(tmp_path_factory.mktemp("peace"))
    assert ended == {"signal": 0, "calls": ended["calls"], "failures": [], "error": None}
    return int(ended["calls"])


@pytest.mark.parametrize("seed", range(POINTS))
def test_fault_28_a_kill_at_any_point_costs_at_most_one_page(
    killer: Killer, calls: int, tmp_path: Path, seed: int
) -> None:
    at = random.Random(seed).randrange(1, calls)
    ended, pages = killer.collect(tmp_path, kill_at=at)
    assert ended["signal"] == 9
    assert_recovers(killer, tmp_path, pages)


@pytest.mark.parametrize(
    "function, occurrence",
    [
        ("write_page", 2),
        ("move_into_place", 3),
        ("fsync", 5),
        ("apply", 2),
        ("finish", 1),
        ("load_landed", 1),
        # Entered again: all statements of the transaction are done, and it is not committed.
        ("transaction", 2),
        ("replace_tombstones", 1),
    ],
)
def test_fault_28_a_kill_at_the_worst_moments(
    killer: Killer, tmp_path: Path, function: str, occurrence: int
) -> None:
    ended, pages = killer.collect(tmp_path, kill_in=[function, occurrence])
    assert ended["signal"] == 9
    assert_recovers(killer, tmp_path, pages)


def test_fault_29_a_full_disk_is_a_message_and_leaves_nothing_half_written(
    killer: Killer, tmp_path: Path
) -> None:
    assert Workshop(killer.fake, tmp_path).table() == {}
    ended, pages = killer.collect(tmp_path, file_limit=8_000)
    assert ended["signal"] == 0
    assert "cannot write" in ended["failures"][0]
    assert pages == 1
    assert not list(tmp_path.rglob("*.partial"))
    assert not list(tmp_path.rglob("*.page.json.gz"))
    assert_recovers(killer, tmp_path, 0)


def test_fault_29_a_disk_that_is_full_for_the_database_keeps_what_landed(
    killer: Killer, tmp_path: Path
) -> None:
    shop = Workshop(killer.fake, tmp_path)
    assert shop.table() == {}
    # Enough for the page files.
    ended, pages = killer.collect(tmp_path, file_limit=300_000)
    assert ended["failures"] == [] and "too large" in ended["error"]
    assert pages == reference().pages
    assert shop.table() == {}
    assert_recovers(killer, tmp_path, pages)


HOLD = "import duckdb, sys; connection = duckdb.connect(sys.argv[1]); print('held', flush=True); input()"


def test_fault_29_a_held_database_is_a_message_and_what_landed_stays(tmp_path: Path) -> None:
    with workshop(tmp_path) as shop:
        shop.wait_seconds = 0.3
        command = [sys.executable, "-c", HOLD, str(shop.database)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout and holder.stdin and holder.stdout.readline() == "held\n"
            outcome = shop.run()
            holder.stdin.close()
        assert f"held by process {holder.pid}" in str(outcome.error)
        # All of it had landed: the next run only asks what has changed since.
        resumed = shop.run()
        assert_unharmed(shop, resumed)
        assert len(resumed.pages) == 1


def test_fault_29_a_second_run_at_once_is_refused(tmp_path: Path) -> None:
    with workshop(tmp_path) as shop:
        second = Workshop(shop.fake, tmp_path)
        refusals: list[str | None] = []

        def run_again() -> None:
            refusals.append(second.run(repositories=(NAME,), deadline_seconds=1.0).error)

        shop.fake.faults.append(Fault(is_page, breakage.then(run_again), skip=1))
        outcome = shop.run()
        assert_unharmed(shop, outcome)
        assert len(refusals) == 1 and "Another run" in str(refusals[0])
