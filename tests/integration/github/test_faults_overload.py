"""Faults 6 to 8: GitHub cannot cope with a page."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fake_github import Answer, Fault, Request, World, breakage
from tests.fake_github.breakage import Respond
from tests.fake_github.seed import generate_issues
from tests.integration.github.workshop import (
    NAME,
    Outcome,
    assert_unharmed,
    facts,
    facts_in,
    is_page,
    workshop,
)

TIMEOUTS: dict[str, Respond] = {
    "502 JSON": breakage.timeout_json(502),
    "502 HTML": breakage.gateway_html(502),
    "504": breakage.gateway_html(504),
    "200, data null": breakage.timeout_json(200),
    "200, timedout": breakage.timed_out_message(),
}


def sizes(outcome: Outcome) -> list[int]:
    """How many issues each page was asked for."""
    return [request.variables["size"] for request in outcome.pages]


def poisoned(number: int, otherwise: Respond) -> Respond:
    """Every page with that issue fails, however small it is."""

    def respond(request: Request, genuine: Callable[[], Answer]) -> Answer:
        answer = genuine()
        nodes = answer.body["data"]["repository"]["issues"]["nodes"]
        return otherwise(request, genuine) if number in [node["number"] for node in nodes] else answer

    return respond


@pytest.mark.parametrize("respond", TIMEOUTS.values(), ids=TIMEOUTS.keys())
def test_fault_06_and_07_the_page_is_halved_after_a_pause(tmp_path: Path, respond: Respond) -> None:
    with workshop(tmp_path, faults=[Fault(is_page, respond, times=2, skip=1)]) as shop:
        outcome = shop.run()
        assert sizes(outcome)[:4] == [100, 100, 50, 25]
        assert outcome.gap_after() >= 1
        # 150 issues in pages of 25 instead of 100, and the two that failed.
        assert_unharmed(shop, outcome, extra=6)


@pytest.mark.parametrize("respond", TIMEOUTS.values(), ids=TIMEOUTS.keys())
def test_fault_06_and_07_an_issue_that_no_page_brings_comes_by_rest(tmp_path: Path, respond: Respond) -> None:
    with workshop(tmp_path, faults=[Fault(is_page, poisoned(150, respond), times=None)]) as shop:
        shop.fake.world.comment(NAME, 150, "me too")
        shop.fake.world.assign(NAME, 150, "robot", "Bot")
        outcome = shop.run()
        assert outcome.error is None, outcome.error
        assert 1 in sizes(outcome)
        assert [request.path for request in outcome.requests if request.path.endswith("/issues/150")]
        assert facts_in(shop.table()) == facts(shop.fake.world)
        # What comes by REST has the same shape as what comes by GraphQL.
        assert shop.table()[NAME, 150].keys() == shop.table()[NAME, 149].keys()
        assert len(outcome.requests) <= 60


def test_fault_06_the_page_grows_again_after_ten_good_ones(tmp_path: Path) -> None:
    world = World()
    generate_issues(world, NAME, 1000)
    with workshop(tmp_path, world, [Fault(is_page, breakage.timeout_json())]) as shop:
        outcome = shop.run()
        assert outcome.error is None
        assert sizes(outcome)[:12] == [100] + [50] * 10 + [100]
        assert facts_in(shop.table()) == facts(world)


def test_fault_06_an_outage_ends_in_a_reason_and_the_next_run_goes_on(tmp_path: Path) -> None:
    outage = Fault(lambda request: True, breakage.gateway_html(502), times=None, skip=2)
    with workshop(tmp_path, faults=[outage]) as shop:
        outcome = shop.run()
        assert outcome.error is not None
        assert "502" in str(outcome.error)
        assert len(outcome.requests) <= 60
        shop.fake.faults.clear()
        assert_unharmed(shop, shop.run(), extra=6)


@pytest.mark.parametrize("lost", [1, 30, 100])
def test_fault_08_a_page_with_holes_is_not_landed(tmp_path: Path, lost: int) -> None:
    with workshop(tmp_path, faults=[Fault(is_page, breakage.resource_limits(lost), skip=1)]) as shop:
        outcome = shop.run()
        assert sizes(outcome)[:3] == [100, 100, 50]
        assert_unharmed(shop, outcome, extra=3)
