"""Faults 21 and 22: answers that are broken on the way, and answers of another shape."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fake_github import Answer, Fault, Wire, World, breakage
from tests.fake_github.breakage import Respond
from tests.fake_github.seed import generate_issues
from tests.integration.github.test_faults_overload import poisoned
from tests.integration.github.workshop import (
    NAME,
    assert_unharmed,
    facts,
    facts_in,
    is_page,
    reference,
    workshop,
)

BROKEN: dict[str, Respond] = {
    "HTML labelled JSON": breakage.gateway_html(200, "application/json; charset=utf-8"),
    "cut JSON": breakage.cut_json(),
    "empty": breakage.always(lambda: Answer(200, b"")),
    "shorter than Content-Length": breakage.over_the_wire(Wire(send=1000)),
    "reset": breakage.over_the_wire(Wire(reset=True)),
    "silence": breakage.over_the_wire(Wire(silence=2.0)),
    "one byte at a time": breakage.over_the_wire(Wire(pause=0.05)),
}


@pytest.mark.parametrize("respond", BROKEN.values(), ids=BROKEN.keys())
def test_fault_21_a_broken_answer_is_asked_for_again(tmp_path: Path, respond: Respond) -> None:
    reference()
    with workshop(tmp_path, faults=[Fault(is_page, respond, skip=1)]) as shop:
        started = time.monotonic()
        outcome = shop.run(deadline_seconds=0.8)
        # The deadline is of the whole request: a byte now and then does not prolong it.
        assert time.monotonic() - started < 6
        assert_unharmed(shop, outcome, extra=1)
        assert outcome.gap_after() >= 1


def test_fault_21_a_line_that_stays_broken_is_a_reason(tmp_path: Path) -> None:
    fault = Fault(is_page, breakage.over_the_wire(Wire(reset=True)), times=None, skip=1)
    with workshop(tmp_path, faults=[fault]) as shop:
        outcome = shop.run()
        assert "no whole answer" in str(outcome.error)
        assert len(outcome.pages) <= 7
        shop.fake.faults.clear()
        resumed = shop.run()
        assert_unharmed(shop, resumed)
        assert len(resumed.pages) == reference().pages - 1


@pytest.mark.parametrize("answer", [Answer(204), Answer(200, [])], ids=["204", "empty list"])
def test_fault_22_nothing_in_a_list_is_its_end(tmp_path: Path, answer: Answer) -> None:
    world = World()
    generate_issues(world, NAME, 3)
    faults = [
        Fault(is_page, poisoned(2, breakage.gateway_html()), times=None),
        Fault(
            lambda request: request.path.endswith("/comments"),
            breakage.always(lambda: Answer(answer.status, answer.body)),
        ),
    ]
    with workshop(tmp_path, world, faults) as shop:
        outcome = shop.run()
        assert outcome.error is None, outcome.error
        assert facts_in(shop.table()) == facts(world)


def nodes_as_object(body: dict[str, Any]) -> None:
    body["data"]["repository"]["issues"]["nodes"] = {"0": {}}


def repository_as_list(body: dict[str, Any]) -> None:
    body["data"]["repository"] = []


def whole_body_as_list(body: dict[str, Any]) -> list[Any]:
    return [body]


@pytest.mark.parametrize("change", [nodes_as_object, repository_as_list, whole_body_as_list])
def test_fault_22_another_shape_is_a_schema_error(tmp_path: Path, change: Callable[[Any], Any]) -> None:
    with workshop(tmp_path, faults=[Fault(is_page, breakage.edited(change), skip=1)]) as shop:
        outcome = shop.run()
        assert "schema error" in str(outcome.error)
        assert len(outcome.pages) == 2
        assert_unharmed(shop, shop.run())


def test_fault_22_an_object_instead_of_a_rest_list_is_a_schema_error(tmp_path: Path) -> None:
    world = World()
    generate_issues(world, NAME, 3)
    faults = [
        Fault(is_page, poisoned(2, breakage.gateway_html()), times=None),
        Fault(
            lambda request: request.path.endswith("/events"),
            breakage.always(lambda: Answer(200, {"events": []})),
            times=None,
        ),
    ]
    with workshop(tmp_path, world, faults) as shop:
        assert "schema error" in str(shop.run().error)
        assert (NAME, 2) not in shop.table()
