"""Faults 11 to 15: addresses, redirects, loops, and repositories that are not there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fake_github import Answer, FakeGitHub, Fault, Request, World, breakage, running
from tests.fake_github.pages import cut_page
from tests.fake_github.seed import generate_issues
from tests.integration.github.test_faults_overload import poisoned
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


def is_repository(request: Request) -> bool:
    return request.path in ("/repos/owner/name", "/repositories/4000")


def is_comments(request: Request) -> bool:
    return request.path.endswith("/comments")


def test_fault_11_the_link_is_followed_verbatim(tmp_path: Path) -> None:
    world = World()
    generate_issues(world, NAME, 3)
    for index in range(250):
        world.comment(NAME, 2, "again", seconds=index)
    fault = Fault(is_page, poisoned(2, breakage.gateway_html()), times=None)
    with workshop(tmp_path, world, [fault]) as shop:
        outcome = shop.run()
        assert outcome.error is None, outcome.error
        assert facts_in(shop.table()) == facts(world)
        asked = [request for request in outcome.requests if is_comments(request)]
        # The address by number redirects; Link goes by id, and by a cursor that nobody can make up.
        assert [request.path for request in asked[1:]] == ["/repositories/4000/issues/2/comments"] * 2
        assert all(request.query["after"] for request in asked[1:])


@pytest.mark.parametrize("kind", ["host", "port", "scheme"])
def test_fault_12_a_redirect_elsewhere_is_refused(tmp_path: Path, kind: str) -> None:
    with running(FakeGitHub(standard_world())) as stranger, workshop(tmp_path) as shop:
        port = shop.fake.base.rsplit(":", 1)[1]
        target = {
            "host": f"http://localhost:{port}/repositories/4000",
            "port": f"{stranger.base}/repositories/4000",
            "scheme": f"https://127.0.0.1:{port}/repositories/4000",
        }[kind]
        shop.fake.faults.append(Fault(is_repository, breakage.redirect(301, target), times=None))
        outcome = shop.run()
        assert "refused" in str(outcome.error)
        assert stranger.requests == []
        assert len(outcome.requests) == 1
        assert shop.keeps_the_token()


def test_fault_12_a_link_elsewhere_is_refused(tmp_path: Path) -> None:
    world = World()
    generate_issues(world, NAME, 3)
    for index in range(150):
        world.comment(NAME, 2, "again", seconds=index)
    with running(FakeGitHub(standard_world())) as stranger, workshop(tmp_path, world) as shop:
        link = f'<{stranger.base}/repositories/4000/issues/2/comments?page=2>; rel="next"'
        shop.fake.faults += [
            Fault(is_page, poisoned(2, breakage.gateway_html()), times=None),
            Fault(is_comments, breakage.with_headers(Link=link), times=None),
        ]
        outcome = shop.run()
        assert "refused" in f"{outcome.error} {outcome.report()}"
        assert outcome.error is not None
        assert stranger.requests == []
        assert shop.keeps_the_token()


def same_cursor(body: dict[str, Any]) -> None:
    issue = cut_page([("2020-01-01T00:00:00Z", 1, None)], 1).end_cursor
    body["data"]["repository"]["issues"]["pageInfo"] = {"hasNextPage": True, "endCursor": issue}


def empty_with_more(body: dict[str, Any]) -> None:
    issues = body["data"]["repository"]["issues"]
    issues["nodes"], issues["pageInfo"]["hasNextPage"] = [], True


@pytest.mark.parametrize("change", [same_cursor, empty_with_more])
def test_fault_13_pages_in_circles_are_noticed(
    tmp_path: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    with workshop(tmp_path, faults=[Fault(is_page, breakage.edited(change), times=10)]) as shop:
        outcome = shop.run()
        assert "circle" in str(outcome.error)
        assert len(outcome.requests) <= 4


def test_fault_13_a_link_to_itself_is_noticed(tmp_path: Path) -> None:
    world = World()
    generate_issues(world, NAME, 3)
    world.comment(NAME, 2, "me too")
    with workshop(tmp_path, world) as shop:
        link = f'<{shop.fake.base}/repos/owner/name/issues/2/comments?per_page=100>; rel="next"'
        shop.fake.faults += [
            Fault(is_page, poisoned(2, breakage.gateway_html()), times=None),
            Fault(is_comments, breakage.with_headers(Link=link), times=None),
        ]
        outcome = shop.run()
        assert outcome.error is not None
        assert len([request for request in outcome.requests if is_comments(request)]) <= 2


def test_fault_14_a_renamed_repository_is_the_same_one(tmp_path: Path) -> None:
    with workshop(tmp_path) as shop:
        shop.run()
        shop.fake.world.rename(NAME, "owner/new-name")
        shop.clock.advance(10)
        shop.fake.world.edit("owner/new-name", 5, title="after the rename")
        # One setting still has the old name, another the new one: it is one repository.
        assert shop.run(repositories=(NAME,)).error is None
        outcome = shop.run(repositories=("owner/new-name",))
        assert outcome.error is None, outcome.error
        assert len(outcome.pages) == 1, "the checkpoint belongs to the id, not to the name"
        table = shop.table()
        assert set(table) == {("owner/new-name", number) for _, number in reference().table}
        assert table["owner/new-name", 5]["title"] == "after the rename"


def test_fault_14_a_rename_during_the_run_loses_nothing(tmp_path: Path) -> None:
    world = standard_world()

    def rename() -> None:
        if world.repositories[4000].name == "name":
            world.rename(NAME, "owner/new-name")

    faults = [
        Fault(is_page, breakage.then(rename), skip=1),
        Fault(is_page, poisoned(210, breakage.gateway_html()), times=None),
    ]
    with workshop(tmp_path, world, faults) as shop:
        outcome = shop.run()
        assert outcome.error is None, outcome.error
        assert shop.tombstones() == {}
        assert {number for _, number in shop.table()} == set(range(1, 251))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_fault_14_every_redirect_at_the_same_origin_is_followed(tmp_path: Path, status: int) -> None:
    with workshop(tmp_path) as shop:
        target = f"{shop.fake.base}/repositories/4000"
        by_name = Fault(
            lambda request: request.path == "/repos/owner/name", breakage.redirect(status, target)
        )
        shop.fake.faults.append(by_name)
        assert_unharmed(shop, shop.run(), extra=1)


def test_fault_14_a_redirect_loop_ends(tmp_path: Path) -> None:
    with workshop(tmp_path) as shop:
        target = f"{shop.fake.base}/repos/owner/name"
        shop.fake.faults.append(Fault(is_repository, breakage.redirect(301, target), times=None))
        outcome = shop.run()
        assert "redirect" in str(outcome.error)
        assert len(outcome.requests) <= 6


def test_fault_15_a_404_may_pass(tmp_path: Path) -> None:
    with workshop(tmp_path, faults=[Fault(is_repository, breakage.refused(404, "Not Found"))]) as shop:
        outcome = shop.run()
        assert_unharmed(shop, outcome, extra=1)
        assert outcome.gap_after() >= 1


@pytest.mark.parametrize("times, fails", [(1, False), (None, True)])
def test_fault_15_the_404_of_graphql(tmp_path: Path, times: int | None, fails: bool) -> None:
    message = "Could not resolve to a Repository with the name 'owner/name'."
    body = {
        "data": {"repository": None},
        "errors": [{"type": "NOT_FOUND", "path": ["repository"], "message": message}],
    }
    with workshop(
        tmp_path, faults=[Fault(is_page, breakage.always(lambda: Answer(200, body)), times, 1)]
    ) as shop:
        outcome = shop.run()
        assert len([request for request in outcome.requests if request.fault]) == (3 if fails else 1)
        if fails:
            assert "Could not resolve to a Repository" in str(outcome.error)
        else:
            assert_unharmed(shop, outcome, extra=1)


def test_fault_15_a_404_for_ever_stops_this_repository_only(tmp_path: Path) -> None:
    with workshop(tmp_path) as shop:
        outcome = shop.run(repositories=("owner/none", NAME))
        assert "owner/none" in str(outcome.error)
        assert len([request for request in outcome.requests if "none" in request.path]) == 3
        assert shop.table() == reference().table
