"""Hostile addresses and answers: the token goes to no other server, and one repository's harm is its own."""

from pathlib import Path

import pytest

from tests.fake_github import Answer, FakeGitHub, Fault, Request, World, breakage, running
from tests.fake_github.seed import generate_issues
from tests.integration.github.test_faults_overload import poisoned
from tests.integration.github.workshop import NAME, is_page, standard_world, workshop

OTHER = "owner/other"
# {evil} is another server's host and port, {api} ours.
ADDRESSES = [
    r"http://{evil}\@{api}/x",
    r"http://{evil}\\@{api}/x",
    r"http:\\{evil}/x",
    r"\\{evil}/x",
    r"/\{evil}/x",
    "http://{api}@{evil}/x",
    "http://me:secret@{api}/x",
    "http://@{api}/x",
    "@{evil}/x",
    "http://{evil}#@{api}/x",
    "http://{evil}?@{api}/x",
    "http://{evil}/@{api}/x",
    "http://{evil}%23@{api}/x",
    "http://{evil};@{api}/x",
    "http:///{evil}/x",
    "http://{evil}",
    "//{evil}/x",
    "https://{api}/x",
    "ftp://{api}/x",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "http://{api}:80/x",
    "http://{api}0/x",
    "http://127.0.0.1:port/x",
    "http://127.0.0.1:-1/x",
    "http://127.0.0.1:99999/x",
    "http://[::1/x",
    "http://[::1]]/x",
    "http://[v1.x]/x",
    "http://[fe80::1%25eth0]/x",
    "http://{api} /x",
    "http://{evil}\t@{api}/x",
    "http://{api}\x01.{evil}/x",
    "http://\u0661\u0662\u0667.0.0.1/x",
    "http://127.1/x",
    "http://" + "a" * 300 + "/x",
    "http://.{evil}/x",
    "http://",
    "://",
]


def is_repository(request: Request) -> bool:
    return request.path == f"/repos/{NAME}"


def is_first_page(request: Request) -> bool:
    return is_page(request) and request.variables["name"] == "name"


def two_repositories() -> World:
    world = World()
    generate_issues(world, NAME, 3)
    generate_issues(world, OTHER, 3)
    for index in range(150):
        world.comment(NAME, 2, "again", seconds=index)
    return world


@pytest.mark.parametrize("way", ["redirect", "link", "issue"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_no_address_leads_the_token_away_or_ends_the_fetch(tmp_path: Path, address: str, way: str) -> None:
    with running(FakeGitHub(standard_world())) as stranger, workshop(tmp_path, two_repositories()) as shop:
        evil, api = (fake.base.removeprefix("http://").split("/")[0] for fake in (stranger, shop.fake))
        target = address.format(evil=evil, api=api).encode().decode("latin-1")
        is_comments = Fault(
            lambda request: request.path == f"/repos/{NAME}/issues/2/comments",
            breakage.with_headers(Link=f'<{target}>; rel="next"'),
            times=None,
        )
        is_issue = Fault(
            lambda request: request.path == f"/repos/{NAME}/issues/2",
            breakage.redirect(301, target),
            times=None,
        )
        broken_page = Fault(is_first_page, poisoned(2, breakage.gateway_html()), times=None)
        shop.fake.faults += {
            "redirect": [Fault(is_repository, breakage.redirect(301, target), times=None)],
            "link": [broken_page, is_comments],
            "issue": [broken_page, is_issue],
        }[way]
        outcome = shop.run(repositories=(NAME, OTHER))
        assert stranger.requests == []
        if way == "redirect":
            assert "GitHub" in str(outcome.error), outcome.report()
        # The second repository is harmed by nothing that the first one did.
        assert {number for name, number in shop.table() if name == OTHER} == {1, 2, 3}
        assert shop.keeps_the_token()


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b"[" * 200_000),
        Answer(200, b'{"a":' * 200_000),
        Answer(200, b'{"id": ' + b"9" * 5000 + b"}"),
        Answer(403, b"[" * 200_000),
        Answer(500, b"[" * 200_000),
        Answer(429, {"message": "slow"}, {"Retry-After": "9" * 400}),
        Answer(429, {"message": "slow"}, {"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}),
        Answer(403, {"message": "limit"}, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1" * 400}),
        Answer(403, {"message": "limit"}, {"x-ratelimit-remaining": "9" * 5000, "x-ratelimit-reset": "nan"}),
        Answer(200, {"id": 1}, {"Date": "Fri, 31 Dec 9999 23:59:59 -2359"}),
        Answer(200, {"id": 1}, {"Date": "Mon, 01 Jan 0001 00:00:00 +2359"}),
        Answer(301, {}, {"Location": ""}),
    ],
    ids=str,
)
def test_an_answer_that_cannot_be_ends_one_repository(tmp_path: Path, answer: Answer) -> None:
    with workshop(tmp_path, two_repositories()) as shop:
        shop.fake.faults.append(Fault(is_repository, breakage.always(lambda: answer), times=None))
        outcome = shop.run(repositories=(OTHER, NAME))
        assert outcome.error is not None
        assert {number for name, number in shop.table() if name == OTHER} == {1, 2, 3}
