"""Faults 17 to 20 and 31: refusals, tokens that are not accepted, unchanged answers, farewells."""

from pathlib import Path
from typing import Any

import pytest

from tests.fake_github import TOKEN, Fault, breakage
from tests.integration.github.test_faults_routing import is_repository
from tests.integration.github.workshop import (
    NAME,
    assert_unharmed,
    facts,
    facts_in,
    is_page,
    reference,
    standard_world,
    workshop,
)

SECOND = "ghp_" + "second" * 6


def test_fault_17_a_blocked_repository_is_skipped_visibly(tmp_path: Path) -> None:
    world = standard_world()
    world.add_repository("owner/blocked").blocked = True
    with workshop(tmp_path, world) as shop:
        outcome = shop.run(repositories=("owner/blocked", NAME))
        assert "451" in f"{outcome.error} {outcome.report()}"
        assert "owner/blocked" in f"{outcome.error} {outcome.report()}"
        assert len([request for request in outcome.requests if "blocked" in request.path]) == 1
        assert shop.table() == reference().table


def test_fault_18_bad_credentials_say_what_to_do(tmp_path: Path) -> None:
    wrong = "ghp_" + "wrong" * 7
    with workshop(tmp_path) as shop:
        outcome = shop.run(tokens=(wrong,))
        assert "GITHUB_TOKEN" in str(outcome.error)
        assert len(outcome.requests) == 1
        assert shop.keeps_the_token(wrong)


def test_fault_18_the_next_token_takes_over(tmp_path: Path) -> None:
    with workshop(tmp_path) as shop:
        shop.fake.tokens[SECOND] = "user-2"
        shop.fake.faults.append(
            Fault(
                lambda request: is_page(request) and request.token == TOKEN,
                breakage.refused(401, "Bad credentials"),
                times=None,
            )
        )
        outcome = shop.run(tokens=(TOKEN, SECOND))
        assert_unharmed(shop, outcome, extra=1)
        assert shop.keeps_the_token(TOKEN, SECOND)


def test_fault_18_a_random_401_is_tried_once_more(tmp_path: Path) -> None:
    fault = Fault(is_page, breakage.refused(401, "This endpoint requires you to be authenticated."), skip=1)
    with workshop(tmp_path, faults=[fault]) as shop:
        assert_unharmed(shop, shop.run(), extra=1)


def echo_in_title(body: dict[str, Any]) -> None:
    body["data"]["repository"]["issues"]["nodes"][0]["title"] = f"my token is {TOKEN}"


@pytest.mark.parametrize(
    "respond",
    [
        breakage.refused(400, f"Problems parsing {TOKEN}"),
        breakage.refused(404, f"No {TOKEN} here"),
        breakage.refused(502, f"Something failed for {TOKEN}"),
        breakage.secondary_limit(f"{TOKEN}"),
        breakage.with_headers(Sunset=TOKEN),
        breakage.edited(echo_in_title),
    ],
    ids=["400", "404", "502", "retry-after", "sunset", "body"],
)
def test_a_token_that_the_server_repeats_is_kept(tmp_path: Path, respond: Any) -> None:
    with workshop(tmp_path, faults=[Fault(is_page, respond, times=None)]) as shop:
        outcome = shop.run()
        assert outcome.pages
        assert TOKEN not in outcome.report()
        assert shop.keeps_the_token()


@pytest.mark.parametrize(
    "respond",
    [
        breakage.refused(403, "Resource not accessible by personal access token"),
        breakage.refused(
            403,
            "Resource protected by organization SAML enforcement. You must grant your Personal Access token"
            " access to this organization.",
            x_github_sso="required; url=https://github.com/orgs/owner/sso",
        ),
    ],
    ids=["permission", "sso"],
)
def test_fault_19_a_missing_permission_is_fatal_at_once(tmp_path: Path, respond: Any) -> None:
    with workshop(tmp_path, faults=[Fault(is_page, respond, times=None, skip=1)]) as shop:
        outcome = shop.run()
        assert outcome.error is not None and "403" in str(outcome.error)
        assert sum(shop.clock.slept) == 0
        assert len(outcome.pages) == 2
        shop.fake.faults.clear()
        assert_unharmed(shop, shop.run())


def test_fault_20_an_unchanged_answer_is_not_an_empty_one(tmp_path: Path) -> None:
    with workshop(tmp_path) as shop:
        shop.fake.tokens[SECOND] = "user-2"
        assert shop.run().error is None
        again = shop.run()
        assert again.error is None
        assert [request.status for request in again.requests if is_repository(request)] == [304]
        shop.clock.advance(10)
        shop.fake.world.edit(NAME, 5, title="changed")
        # Another token makes another ETag: a 200 with the same content.
        outcome = shop.run(tokens=(SECOND,))
        assert outcome.error is None, outcome.error
        assert facts_in(shop.table()) == facts(shop.fake.world)


def test_fault_31_a_farewell_is_a_warning(tmp_path: Path) -> None:
    farewell = breakage.with_headers(
        Deprecation="Sun, 01 Mar 2026 00:00:00 GMT", Sunset="Mon, 01 Mar 2027 00:00:00 GMT"
    )
    with workshop(tmp_path, faults=[Fault(is_page, farewell)]) as shop:
        outcome = shop.run()
        assert_unharmed(shop, outcome)
        shown = outcome.source.reports_table()
        assert "Sunset Mon, 01 Mar 2027" in shown and "Deprecation" in shown
