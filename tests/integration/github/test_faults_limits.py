"""Faults 1 to 5 and 27: GitHub asks to wait, in every way that it has."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path

import pytest

from tests.fake_github import TOKEN, Answer, Fault, OffsetClock, Request, breakage
from tests.fake_github.breakage import Respond
from tests.integration.github.workshop import assert_unharmed, is_page, reference, workshop


def on_pages(respond: Respond, times: int | None = 1, skip: int = 1) -> Fault:
    """A fault of the second page of issues."""
    return Fault(is_page, respond, times, skip)


def at_request(make: Callable[[float], Respond]) -> Respond:
    """A fault whose headers depend on the time of the request."""

    def respond(request: Request, genuine: Callable[[], Answer]) -> Answer:
        return make(request.at)(request, genuine)

    return respond


def resets_in(seconds: int, status: int = 403) -> Respond:
    return at_request(lambda now: breakage.primary_limit(status, reset=str(int(now) + seconds)))


@pytest.mark.parametrize("status", [403, 429])
def test_fault_01_the_hourly_quota_is_waited_for(tmp_path: Path, status: int) -> None:
    # More often than there are attempts: waiting for the quota is no failure.
    with workshop(tmp_path, faults=[on_pages(resets_in(1800, status), times=7)]) as shop:
        outcome = shop.run()
        assert_unharmed(shop, outcome, extra=7)
        faulty = [request.at for request in outcome.requests if request.fault]
        assert all(later - earlier >= 1801 for earlier, later in pairwise(faulty))
        assert 1801 <= outcome.gap_after() <= 1803
        # A sign of life each minute.
        assert outcome.log.count("Waiting") >= 7 * 30


def test_fault_01_a_token_of_another_user_takes_over_at_once(tmp_path: Path) -> None:
    second = "ghp_" + "second" * 6
    with workshop(tmp_path) as shop:
        shop.fake.tokens[second] = "user-2"
        shop.fake.quota.used["user-1", "graphql"] = 4_996
        shop.fake.quota.resets["user-1", "graphql"] = int(shop.clock.time()) + 1800
        outcome = shop.run(tokens=(TOKEN, second))
        assert_unharmed(shop, outcome, extra=1)
        assert sum(shop.clock.slept) == 0
        assert shop.keeps_the_token(TOKEN, second)


def test_fault_01_two_tokens_of_one_user_share_the_quota(tmp_path: Path) -> None:
    second = "ghp_" + "second" * 6
    with workshop(tmp_path) as shop:
        shop.fake.tokens[second] = "user-1"
        shop.fake.quota.used["user-1", "graphql"] = 4_996
        shop.fake.quota.resets["user-1", "graphql"] = int(shop.clock.time()) + 1800
        outcome = shop.run(tokens=(TOKEN, second))
        assert_unharmed(shop, outcome, extra=2)
        assert 1790 <= sum(shop.clock.slept) <= 1810


def test_fault_01_a_wait_beyond_the_budget_is_a_clean_stop_that_says_when_to_resume(tmp_path: Path) -> None:
    with workshop(tmp_path, faults=[on_pages(resets_in(1800))]) as shop:
        stopped = shop.run(budget_seconds=600.0)
        # The reset is 1,800 s after the third request, which was answered at 9:00:02.
        assert stopped.error is not None
        assert "2026-03-02 09:30:0" in str(stopped.error)
        assert not shop.clock.slept or sum(shop.clock.slept) < 600
        assert len(stopped.pages) == 2
        shop.clock.sleep(1801)
        resumed = shop.run()
        # The page that had landed is not fetched again.
        assert_unharmed(shop, resumed)
        assert len(resumed.pages) == reference().pages - 1


def test_fault_02_the_secondary_limit_is_waited_for_ever_longer(tmp_path: Path) -> None:
    with workshop(tmp_path, faults=[on_pages(breakage.secondary_limit("60"), times=3)]) as shop:
        outcome = shop.run()
        assert_unharmed(shop, outcome, extra=3)
        moments = [request.at for request in outcome.pages[1:5]]
        gaps = [later - earlier for earlier, later in pairwise(moments)]
        assert [gap >= least for gap, least in zip(gaps, (60, 120, 240), strict=True)] == [True] * 3


def test_fault_02_after_five_waits_it_is_over(tmp_path: Path) -> None:
    with workshop(tmp_path, faults=[on_pages(breakage.secondary_limit("60"), times=None)]) as shop:
        outcome = shop.run()
        assert "secondary rate limit" in str(outcome.error)
        assert len([request for request in outcome.requests if request.fault]) == 6
        shop.fake.faults.clear()
        resumed = shop.run()
        assert_unharmed(shop, resumed)
        assert len(resumed.pages) == reference().pages - 1


@pytest.mark.parametrize(
    "retry_after, least",
    [
        (lambda now: None, 60),
        (lambda now: "", 60),
        (lambda now: format_datetime(datetime.fromtimestamp(now, UTC) + timedelta(seconds=95), True), 94),
    ],
    ids=["missing", "blank", "date"],
)
def test_fault_03_a_retry_after_in_any_form_is_obeyed(
    tmp_path: Path, retry_after: Callable[[float], str | None], least: int
) -> None:
    respond = at_request(lambda now: breakage.secondary_limit(retry_after(now)))
    with workshop(tmp_path, faults=[on_pages(respond)]) as shop:
        outcome = shop.run()
        assert_unharmed(shop, outcome, extra=1)
        assert least <= outcome.gap_after() <= least + 5


def test_fault_03_a_day_of_waiting_is_a_clean_stop(tmp_path: Path) -> None:
    with workshop(tmp_path, faults=[on_pages(breakage.secondary_limit("86400"))]) as shop:
        stopped = shop.run()
        assert "2026-03-03 09:00:0" in str(stopped.error)
        assert sum(shop.clock.slept) < 60
        shop.clock.sleep(86_400)
        assert_unharmed(shop, shop.run())


@pytest.mark.parametrize("kind", ["RATE_LIMITED", "RATE_LIMIT"])
def test_fault_04_the_quota_in_a_200_is_never_the_end_of_the_data(tmp_path: Path, kind: str) -> None:
    respond = at_request(lambda now: breakage.primary_limit_in_graphql(str(int(now) + 600), kind))
    with workshop(tmp_path, faults=[on_pages(respond)]) as shop:
        outcome = shop.run()
        assert_unharmed(shop, outcome, extra=1)
        assert outcome.gap_after() >= 601


@pytest.mark.parametrize("status", [200, 403])
def test_fault_05_the_secondary_limit_of_graphql(tmp_path: Path, status: int) -> None:
    with workshop(tmp_path, faults=[on_pages(breakage.secondary_limit_in_graphql(status))]) as shop:
        outcome = shop.run()
        assert_unharmed(shop, outcome, extra=1)
        assert outcome.gap_after() >= 60


@pytest.mark.parametrize(
    "reset, least, most",
    [
        (lambda now: str(int(now) - 500), 1, 3700),
        (lambda now: str((int(now) + 900) * 1000), 900, 910),
        (lambda now: None, 1, 3700),
        (lambda now: "soon", 1, 3700),
        (lambda now: str(int(now) + 10**6), 3600, 3710),
    ],
    ids=["past", "milliseconds", "missing", "no number", "far away"],
)
def test_fault_27_a_strange_reset_is_a_bounded_wait(
    tmp_path: Path, reset: Callable[[float], str | None], least: int, most: int
) -> None:
    respond = at_request(lambda now: breakage.primary_limit(403, reset=reset(now)))
    with workshop(tmp_path, faults=[on_pages(respond)]) as shop:
        outcome = shop.run()
        assert_unharmed(shop, outcome, extra=1)
        assert least <= outcome.gap_after() <= most


@pytest.mark.parametrize("offset", [-3600.0, 3600.0])
def test_fault_27_the_servers_clock_counts(tmp_path: Path, offset: float) -> None:
    with workshop(tmp_path, faults=[on_pages(resets_in(1800))]) as shop:
        clock = OffsetClock(shop.clock, offset)
        outcome = shop.run(clock=clock)
        assert_unharmed(shop, outcome, extra=1)
        assert 1801 <= outcome.gap_after() <= 1805


@pytest.mark.parametrize("offset", [-3600.0, 3600.0])
def test_fault_27_a_wrong_local_clock_loses_no_change(tmp_path: Path, offset: float) -> None:
    with workshop(tmp_path) as shop:
        clock = OffsetClock(shop.clock, offset)
        shop.run(clock=clock)
        shop.clock.advance(60)
        shop.fake.world.edit("owner/name", 7, title="changed")
        shop.clock.advance(60)
        assert shop.run(clock=clock).error is None
        assert shop.table()["owner/name", 7]["title"] == "changed"
