"""Faults 23 and 30: the repository changes while it is read, and pull requests are not issues."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fake_github import Fault, World, breakage
from tests.fake_github.seed import generate_issues
from tests.integration.github.workshop import (
    NAME,
    Workshop,
    facts,
    facts_in,
    is_page,
    standard_world,
    workshop,
)

OTHER = "owner/other"


def assert_up_to_date(shop: Workshop) -> None:
    """The table without what is gone is the fake's state, and what is gone has a tombstone."""
    table, gone = shop.table(), shop.tombstones()
    alive = {key: record for key, record in table.items() if key[1] not in gone}
    assert facts_in(alive) == facts(shop.fake.world)
    assert not set(gone) & set(shop.fake.world.repositories[4000].issues)


# Number 3 is on the first page, which has been read by then; 240 is on the last one.
CHANGES: dict[str, Callable[[World], object]] = {
    "edit, read": lambda world: world.edit(NAME, 3, title="new title"),
    "edit, unread": lambda world: world.edit(NAME, 240, title="new title"),
    "close": lambda world: world.close(NAME, 5),
    "reopen": lambda world: world.reopen(NAME, 3),
    "assign": lambda world: world.assign(NAME, 4, "ada"),
    "comment": lambda world: world.comment(NAME, 4, "me too"),
    "delete, read": lambda world: world.delete(NAME, 3),
    "delete, unread": lambda world: world.delete(NAME, 240),
    "transfer, read": lambda world: world.transfer(NAME, 3, OTHER),
    "create": lambda world: world.create(NAME, "new"),
}


# Longer than the overlap of two increments: what happened early in the run must not fall out of it.
SLOW = 1_500.0


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_fault_23_a_change_between_two_pages_is_in_the_table_after_one_increment(
    tmp_path: Path, change: Callable[[World], object]
) -> None:
    world = standard_world()
    world.add_repository(OTHER)
    world.edit(NAME, 3, state="closed", closed_at=world.at(0))
    fault = Fault(is_page, breakage.then(lambda: change(world)), skip=1)
    # The last page has something new, too: its time is no measure of what has been read.
    late = Fault(is_page, breakage.then(lambda: world.edit(NAME, 250, title="late")), skip=1)
    with workshop(tmp_path, world, [fault, late]) as shop:
        shop.fake.seconds_per_request = SLOW
        first = shop.run()
        assert first.error is None, first.error
        second = shop.run()
        assert second.error is None, second.error
        assert_up_to_date(shop)


def test_an_increment_brings_only_what_changed(tmp_path: Path) -> None:
    world = standard_world()
    with workshop(tmp_path, world) as shop:
        shop.run()
        shop.clock.advance(7200)
        for number in range(1, 101):
            world.edit(NAME, number, title=f"changed {number}")
        outcome = shop.run()
        assert outcome.error is None, outcome.error
        assert len(outcome.requests) <= 3
        assert_up_to_date(shop)
        shop.clock.advance(7200)
        quiet = shop.run()
        assert len(quiet.requests) <= 2


def test_an_increment_that_is_interrupted_goes_on_and_misses_nothing(tmp_path: Path) -> None:
    world = standard_world()
    with workshop(tmp_path, world) as shop:
        shop.run()
        shop.clock.advance(7200)
        for number in range(1, 251):
            world.edit(NAME, number, title=f"changed {number}", seconds=number // 50)
        outage = Fault(lambda request: True, breakage.refused(400, "Problems parsing JSON"), times=1, skip=2)
        shop.fake.faults.append(outage)
        assert shop.run().error is not None
        shop.clock.advance(7200)
        world.close(NAME, 10)
        for _ in range(2):
            outcome = shop.run()
            assert outcome.error is None, outcome.error
        assert_up_to_date(shop)


def test_a_full_refresh_fetches_everything_again(tmp_path: Path) -> None:
    with workshop(tmp_path) as shop:
        shop.run()
        # A change that GitHub does not date: no increment sees it.
        shop.fake.world.repositories[4000].issues[7].title = "undated"
        shop.run()
        assert shop.table()[NAME, 7]["title"] != "undated"
        outcome = shop.run(full_refresh=True)
        assert outcome.error is None, outcome.error
        assert_up_to_date(shop)


ACTIONS: dict[str, Callable[[World, int], object]] = {
    "edit": lambda world, number: world.edit(NAME, number, title=f"title {world.new_id()}"),
    "close": lambda world, number: world.close(NAME, number),
    "reopen": lambda world, number: world.reopen(NAME, number),
    "comment": lambda world, number: world.comment(NAME, number, "me too"),
    "create": lambda world, number: world.create(NAME, f"issue {number}"),
    "delete": lambda world, number: world.delete(NAME, number),
}
STEPS = st.lists(
    st.tuples(st.integers(0, 6), st.sampled_from(sorted(ACTIONS)), st.integers(1, 12)), max_size=12
)


@settings(max_examples=25, deadline=None)
@given(steps=STEPS, seconds=st.sampled_from([1.0, SLOW]))
def test_fault_23_any_interleaving_ends_in_the_final_state(
    steps: list[tuple[int, str, int]], seconds: float
) -> None:
    world = World()
    generate_issues(world, NAME, 12)

    def happen(page: int) -> None:
        for at, action, number in steps:
            if at == page and (action == "create" or number in world.repositories[4000].issues):
                ACTIONS[action](world, number)

    pages = iter(range(1_000))
    fault = Fault(is_page, breakage.then(lambda: happen(next(pages))), times=None)
    with (
        tempfile.TemporaryDirectory() as folder,
        patch("orchestration.domains.tickets.sources.github.walk.paging.PAGE_SIZE", 3),
        workshop(Path(folder), world, [fault]) as shop,
    ):
        shop.fake.seconds_per_request = seconds
        # Loaded once, at the end: the order of files must not matter.
        first = shop.source(clock=shop.clock)
        first.land(shop.landing_dir)
        assert first.failures == []
        shop.fake.faults.clear()
        second = shop.run()
        assert second.error is None, second.error
        assert_up_to_date(shop)


def test_fault_30_pull_requests_never_become_issues(tmp_path: Path) -> None:
    with workshop(tmp_path) as shop:
        for number in range(252, 257):
            shop.fake.world.create(NAME, "a change", pull_request=number % 2 == 0)
        shop.run()
        shop.clock.advance(60)
        for number in (251, 252, 253):
            shop.fake.world.edit(NAME, number, title="changed")
        outcome = shop.run(is_sweep=True)
        assert outcome.error is None, outcome.error
        assert {number for _, number in shop.table()} == {*range(1, 251), 253, 255}
        assert_up_to_date(shop)
