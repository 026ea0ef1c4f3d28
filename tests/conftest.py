"""Fixtures that several unit tests share."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.unit.landed import warehouse

# Tests run side by side already: fits of theirs in further processes would only wait for each other.
os.environ.setdefault("TRAINING_BACKEND", "local")
# So would threads inside a fit: before they give way to each other they turn round and round.
for library in ("OMP", "OPENBLAS"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty pipeline database, open."""
    with warehouse(tmp_path) as connection:
        yield connection


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The run of everything is begun first, and who goes on from it comes when it is over: none waits for it.

    The rooms of short files come last, so that no process is left with a long one.
    """

    def turn(item: pytest.Item) -> int:
        if item.path.name == "test_pipeline.py":
            return 0
        if item.nodeid >= "tests/orchestration":
            return 3
        return 2 if "finished" in getattr(item, "fixturenames", ()) else 1

    items.sort(key=turn)


def pytest_unconfigure() -> None:
    """Let go of what hypothesis holds until the very end: with it DuckDB warns of leaks on exit."""
    gc.callbacks[:] = [
        call for call in gc.callbacks if "hypothesis" not in str(getattr(call, "__module__", ""))
    ]
