"""Faults 9, 10, 16 and 24 to 26: issues that are refused, long, gone, odd, of another form, or doubled."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fake_github import Fault, World, breakage
from tests.fake_github.seed import generate_issues
from tests.integration.github.workshop import (
    NAME,
    assert_unharmed,
    facts,
    facts_in,
    is_page,
    reference,
    workshop,
)


def nodes_of(body: dict[str, Any]) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = body["data"]["repository"]["issues"]["nodes"]
    return nodes


@pytest.mark.parametrize("kind", ["FORBIDDEN", "NOT_FOUND"])
def test_fault_09_one_refused_node_is_a_dead_letter_and_the_others_land(tmp_path: Path, kind: str) -> None:
    with workshop(tmp_path, faults=[Fault(is_page, breakage.node_error(4, kind), skip=1)]) as shop:
        outcome = shop.run()
        lost = sorted(reference().table)[0][0], 105
        assert shop.table() == {key: row for key, row in reference().table.items() if key != lost}
        # The run is flagged: it fails visibly after landing the others.
        assert "1 dead letter" in str(outcome.error)
        assert len(outcome.requests) <= reference().requests
        assert shop.keeps_the_token()
        # A sweep finds that it never landed, and brings it.
        swept = shop.run(is_sweep=True)
        assert swept.error is None, swept.error
        assert facts_in(shop.table()) == facts(shop.fake.world)


def test_fault_10_long_lists_are_finished_by_node_id(tmp_path: Path) -> None:
    world = World()
    generate_issues(world, NAME, 5)
    for index in range(30):
        world.assign(NAME, 2, f"person-{index % 12}", seconds=2 * index)
        world.unassign(NAME, 2, f"person-{index % 12}", seconds=2 * index + 1)
    for index in range(12):
        world.assign(NAME, 3, f"person-{index}", seconds=index)
    for index in range(25):
        world.label(NAME, 4, f"label-{index}", seconds=index)
    for index in range(230):
        world.comment(NAME, 5, "again", seconds=index)
    with workshop(tmp_path, world) as shop:
        outcome = shop.run()
        assert outcome.error is None, outcome.error
        assert facts_in(shop.table()) == facts(world)
        assert len(shop.table()[NAME, 2]["events"]) > 60
        # Repository, page, and as often as the longest list goes on.
        assert len(outcome.requests) <= 5


def test_fault_16_a_sweep_gives_what_vanished_a_tombstone(tmp_path: Path) -> None:
    with workshop(tmp_path) as shop:
        shop.run()
        world = shop.fake.world
        world.add_repository("owner/other")
        world.delete(NAME, 10)
        world.transfer(NAME, 20, "owner/other")
        del world.repositories[world.names[NAME]].issues[30]
        world.edit(NAME, 1)
        shop.clock.advance(10)
        outcome = shop.run(is_sweep=True)
        assert outcome.error is None, outcome.error
        assert shop.tombstones() == {10: "deleted", 20: "transferred", 30: "gone"}
        probes = [request.path for request in outcome.requests if "/issues/" in request.path]
        assert len(probes) == 3, "a tombstone needs one request and no retry"
        before = len(shop.fake.requests)
        assert shop.run(is_sweep=True).error is None
        assert not [r for r in shop.fake.requests[before:] if "/issues/" in r.path], "probed once only"


def test_fault_16_a_probe_says_that_issues_are_disabled(tmp_path: Path) -> None:
    with workshop(tmp_path) as shop:
        shop.run()
        shop.fake.world.delete(NAME, 10)
        disabled = breakage.refused(410, "Issues are disabled for this repo")
        shop.fake.faults.append(Fault(lambda request: request.path.endswith("/issues/10"), disabled))
        outcome = shop.run(is_sweep=True)
        assert outcome.error is None, outcome.error
        assert shop.tombstones() == {10: "disabled"}
        assert len([request for request in outcome.requests if "/issues/" in request.path]) == 1


def test_fault_16_issues_that_are_disabled_stop_only_this_repository(tmp_path: Path) -> None:
    world = World()
    generate_issues(world, NAME, 3)
    world.add_repository("owner/off").has_issues = False
    with workshop(tmp_path, world) as shop:
        shop.run(repositories=("owner/off", NAME))
        assert set(shop.table()) == {(NAME, 1), (NAME, 2), (NAME, 3)}


def odd_world() -> World:
    world = World()
    world.add_repository(NAME)
    world.create(NAME, "no author", author=None)
    world.create(NAME, "no body", body=None)
    world.create(NAME, "NUL \0 in the title", body="a\0b")
    world.create(NAME, "half a \ud83d character", body="\udc00 and \ud800")
    world.create(NAME, "long", body="x" * 65_536)
    world.create(NAME, "bot and organisation")
    world.assign(NAME, 6, "robot", "Bot")
    world.assign(NAME, 6, "company", "Organization")
    world.create(NAME, "large id", id=2**53 - 1)
    world.create(NAME, "duplicate")
    world.close(NAME, 8, "duplicate")
    return world


def test_fault_24_odd_issues_land(tmp_path: Path) -> None:
    world = odd_world()
    with workshop(tmp_path, world) as shop:
        outcome = shop.run()
        assert outcome.error is None, outcome.error
        table = shop.table()
        assert set(table) == {(NAME, number) for number in range(1, 9)}
        assert table[NAME, 1]["user"] is None
        assert table[NAME, 2]["body"] is None
        assert len(table[NAME, 5]["body"]) == 65_536
        assert {who["login"] for who in table[NAME, 6]["assignees"]} == {"robot[bot]", "company"}
        assert table[NAME, 7]["id"] == 2**53 - 1
        assert table[NAME, 8]["state_reason"] == "duplicate"
        # Landed as they came: nothing is cleaned in the files.
        landed = b"".join(shop.written())
        assert b"\\ud83d character" in landed or b"\\\\ud83d character" in landed


@pytest.mark.parametrize(
    "change, what",
    [
        (lambda node: node.__setitem__("mood", "cheerful"), "mood"),
        (lambda node: node.pop("locked"), "locked"),
    ],
    ids=["new field", "missing field"],
)
def test_fault_25_another_set_of_fields_lands_with_a_report(
    tmp_path: Path, change: Callable[[dict[str, Any]], Any], what: str
) -> None:
    def respond(body: dict[str, Any]) -> None:
        for node in nodes_of(body):
            change(node)

    with workshop(tmp_path, faults=[Fault(is_page, breakage.edited(respond), times=None)]) as shop:
        outcome = shop.run()
        assert outcome.error is None, outcome.error
        assert shop.table().keys() == reference().table.keys()
        assert what in outcome.report()


def test_fault_25_another_type_is_fatal(tmp_path: Path) -> None:
    def respond(body: dict[str, Any]) -> None:
        nodes_of(body)[3]["number"] = "104"

    with workshop(tmp_path, faults=[Fault(is_page, breakage.edited(respond), skip=1)]) as shop:
        outcome = shop.run()
        assert "number" in str(outcome.error)
        assert len(outcome.requests) <= reference().requests
        assert_unharmed(shop, shop.run())


def test_fault_26_of_two_copies_the_newer_one_stays(tmp_path: Path) -> None:
    first: list[dict[str, Any]] = []

    def remember(body: dict[str, Any]) -> None:
        first.append(json.loads(json.dumps(nodes_of(body)[0])))

    def repeat(body: dict[str, Any]) -> None:
        nodes_of(body).append({**first[0], "title": "an older copy", "updatedAt": "2001-01-01T00:00:00Z"})

    faults = [Fault(is_page, breakage.edited(remember)), Fault(is_page, breakage.edited(repeat))]
    with workshop(tmp_path, faults=faults) as shop:
        assert_unharmed(shop, shop.run())


def test_fault_26_of_two_equally_old_copies_the_later_fetched_stays(tmp_path: Path) -> None:
    first: list[dict[str, Any]] = []

    def remember(body: dict[str, Any]) -> None:
        first.append(json.loads(json.dumps(nodes_of(body)[0])))

    def repeat(body: dict[str, Any]) -> None:
        nodes_of(body).append({**first[0], "title": "fetched later"})

    faults = [Fault(is_page, breakage.edited(remember)), Fault(is_page, breakage.edited(repeat))]
    with workshop(tmp_path, faults=faults) as shop:
        outcome = shop.run()
        assert outcome.error is None, outcome.error
        number = first[0]["number"]
        assert shop.table()[NAME, number]["title"] == "fetched later"
        assert len(shop.table()) == len(reference().table)
