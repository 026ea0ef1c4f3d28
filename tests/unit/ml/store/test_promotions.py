"""The journal of the promotions: one champion at any time, and no line that can be changed unseen."""

from __future__ import annotations

import os
import random
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ml.errors import DamagedFileError
from ml.store.promotions import PROMOTED, ROLLED_BACK, Promotion, Promotions


def promotion(before: str | None, after: str, action: str = PROMOTED, domain: str = "parcels") -> Promotion:
    return Promotion(
        domain=domain,
        task="regression",
        action=action,
        model=after.split("-")[0],
        run_id="a",
        snapshot_id="s",
        from_version=before,
        to_version=after,
        who="ann",
        why="It is better: größer.",
        figures={"gain": 0.1, "ci_low": None},
    )


def filled(folder: Path, *versions: str) -> Promotions:
    journal, before = Promotions(folder), None
    for version in versions:
        journal.append(promotion(before, version))
        before = version
    return journal


def test_the_champion_is_known_for_every_time(tmp_path: Path) -> None:
    journal = filled(tmp_path, "a-1", "b-2", "a-3")
    journal.append(promotion(None, "other-1", domain="letters"))
    first, second, third, _ = journal.all()
    assert [one.to_version for one in journal.of("parcels", "regression")] == ["a-1", "b-2", "a-3"]
    assert journal.champion("parcels", "regression") == third
    moment = datetime.fromisoformat(second.promoted_at)
    assert journal.champion("parcels", "regression", moment) == second
    assert journal.champion("parcels", "regression", moment - timedelta(microseconds=1)) == first
    assert journal.champion("parcels", "regression", datetime(2000, 1, 1, tzinfo=UTC)) is None
    assert journal.champion("parcels", "binary") is None


def test_a_version_that_was_rolled_back_is_known_until_it_is_put_back(tmp_path: Path) -> None:
    journal = filled(tmp_path, "a-1", "b-2")
    journal.append(promotion("b-2", "a-1", ROLLED_BACK))
    assert set(journal.withdrawn("parcels", "regression")) == {"b-2"}
    journal.append(promotion("a-1", "b-2"))
    assert journal.withdrawn("parcels", "regression") == {}


def test_nobody_takes_the_place_of_a_champion_that_he_did_not_see(tmp_path: Path) -> None:
    journal = filled(tmp_path, "a-1", "b-2")
    with pytest.raises(ValueError, match=r"is b-2 by now, no longer a-1"):
        journal.append(promotion("a-1", "c-3"))
    assert len(journal.all()) == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda lines: [lines[0].replace("a-1", "a-9"), *lines[1:]],
        lambda lines: lines[1:],
        lambda lines: [lines[0], *lines[2:]],
        lambda lines: [lines[1], lines[0], lines[2]],
        lambda lines: [*lines[:2], lines[2][:40]],
        lambda lines: [*lines, "{}"],
        lambda lines: [*lines, "[]"],
    ],
)
def test_a_line_that_was_changed_or_taken_out_is_seen(tmp_path: Path, damage: object) -> None:
    journal = filled(tmp_path, "a-1", "b-2", "a-3")
    lines = journal.path.read_text().splitlines()
    journal.path.write_text("\n".join(damage(lines)) + "\n")  # type: ignore[operator]
    with pytest.raises(DamagedFileError, match=r"line [1-4], is not what was written"):
        journal.champion("parcels", "regression")


def test_a_hundred_kills_leave_one_champion_each_time(tmp_path: Path) -> None:
    journal, rng = filled(tmp_path, "a-0"), random.Random(0)
    lengths = []
    for _ in range(100):
        size = journal.path.stat().st_size
        child = os.fork()
        if child == 0:
            try:
                number = len(journal.all())
                while True:
                    before = journal.champion("parcels", "regression")
                    assert before is not None
                    journal.append(promotion(before.to_version, f"a-{number}"))
                    number += 1
            finally:
                os._exit(1)
        # However busy the machine is, the child is at work when it is killed.
        while journal.path.stat().st_size == size:
            assert os.waitpid(child, os.WNOHANG) == (0, 0), "the child must not have ended by itself"
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.01))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert os.WTERMSIG(status) == signal.SIGKILL, "the child must not have ended by itself"
        champion, history = journal.champion("parcels", "regression"), journal.all()
        assert champion == history[-1]
        assert [one.from_version for one in history[1:]] == [one.to_version for one in history[:-1]]
        lengths.append(len(history))
    assert lengths == sorted(lengths)
    assert lengths[-1] > 100, "hardly any kill hit a promotion"
