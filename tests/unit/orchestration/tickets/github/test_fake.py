"""The fake behaves like GitHub where a collector could notice."""

from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from tests.fake_github import TOKEN, FakeGitHub, Fault, VirtualClock, Wire, World, breakage, running
from tests.fake_github.graphql_api import price
from tests.fake_github.pages import BadCursorError, cut_page
from tests.fake_github.seed import generate_issues, seed_records

NAME = "owner/name"
PAGE = """
query (
  $first: Int!, $after: String, $since: DateTime, $field: IssueOrderField!, $direction: OrderDirection!
) {
  rateLimit { cost remaining resetAt }
  repository(owner: "owner", name: "name") {
    issues(first: $first, after: $after, orderBy: {field: $field, direction: $direction},
           filterBy: {since: $since}) {
      totalCount
      pageInfo { endCursor hasNextPage }
      nodes { number state updatedAt databaseId fullDatabaseId }
    }
  }
}
"""


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    world = World()
    world.add_repository(NAME)
    with running(FakeGitHub(world)) as server:
        yield server


def ask(fake: FakeGitHub, query: str, token: str = TOKEN, **variables: Any) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    body = {"query": query, "variables": variables}
    return requests.post(f"{fake.base}/graphql", json=body, headers=headers, timeout=5)


def get(fake: FakeGitHub, path: str, **headers: str) -> requests.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.get(
        path if path.startswith("http") else fake.base + path,
        headers={"Authorization": f"Bearer {TOKEN}", **named},
        allow_redirects=False,
        timeout=5,
    )


def page(fake: FakeGitHub, **variables: Any) -> dict[str, Any]:
    defaults = {"first": 3, "field": "CREATED_AT", "direction": "ASC"}
    return ask(fake, PAGE, **{**defaults, **variables}).json()["data"]["repository"]["issues"]


def all_numbers(fake: FakeGitHub, **variables: Any) -> list[int]:
    numbers, after = [], None
    while True:
        got = page(fake, after=after, **variables)
        numbers += [node["number"] for node in got["nodes"]]
        after = got["pageInfo"]["endCursor"]
        if not got["pageInfo"]["hasNextPage"]:
            return numbers


@pytest.mark.parametrize("field", ["CREATED_AT", "UPDATED_AT"])
@pytest.mark.parametrize("direction", ["ASC", "DESC"])
def test_cursors_bring_every_issue_once_in_order(fake: FakeGitHub, field: str, direction: str) -> None:
    generate_issues(fake.world, NAME, 10)
    fake.world.edit(NAME, 4, title="changed")
    numbers = all_numbers(fake, field=field, direction=direction)
    order = {"CREATED_AT": "created_at", "UPDATED_AT": "updated_at"}[field]
    expected = [issue.number for *_, issue in fake.world.repositories[4000].ordered(order)]
    assert numbers == (expected if direction == "ASC" else expected[::-1])
    assert sorted(numbers) == list(range(1, 11))


def test_a_cursor_stays_right_when_issues_before_it_vanish(fake: FakeGitHub) -> None:
    generate_issues(fake.world, NAME, 9)
    first = page(fake)
    fake.world.delete(NAME, 1)
    second = page(fake, after=first["pageInfo"]["endCursor"])
    assert [node["number"] for node in second["nodes"]] == [4, 5, 6]


def test_an_edit_moves_an_issue_to_the_end_of_the_update_order(fake: FakeGitHub) -> None:
    generate_issues(fake.world, NAME, 6)
    first = page(fake, field="UPDATED_AT")
    moved = first["nodes"][0]["number"]
    fake.world.close(NAME, moved)
    rest, after = [], first["pageInfo"]["endCursor"]
    got = page(fake, field="UPDATED_AT", after=after, first=100)
    rest += [node["number"] for node in got["nodes"]]
    assert rest[-1] == moved
    assert page(fake, since="2026-03-02T09:00:00+00:00")["totalCount"] == 1


def test_ids_beyond_32_bits_are_only_in_the_full_field(fake: FakeGitHub) -> None:
    issue = fake.world.create(NAME)
    assert page(fake)["nodes"][0] | {"updatedAt": ""} == {
        "number": 1, "state": "OPEN", "updatedAt": "", "databaseId": None, "fullDatabaseId": str(issue.id)
    }  # fmt: skip


IN_REPOSITORY = '{ repository(owner: "owner", name: "name") { %s } }'


@pytest.mark.parametrize(
    "query, kind",
    [
        ('{ repository(owner: "no", name: "body") { id } }', "NOT_FOUND"),
        (IN_REPOSITORY % "issue(number: 7) { id }", "NOT_FOUND"),
        (IN_REPOSITORY % "issues { nodes { id } }", "MISSING_PAGINATION_BOUNDARIES"),
        (IN_REPOSITORY % "issues(first: 101) { nodes { id } }", "EXCESSIVE_PAGINATION"),
        (IN_REPOSITORY % 'issues(first: 1, after: "x") { nodes { id } }', "INVALID_CURSOR_ARGUMENTS"),
        ('{ node(id: "I_x") { id } }', "NOT_FOUND"),
        ("{ repository(owner: 1) { stars } }", None),
    ],
)
def test_errors_have_githubs_type(fake: FakeGitHub, query: str, kind: str | None) -> None:
    answer = ask(fake, query)
    assert answer.status_code == 200
    assert answer.json()["errors"][0].get("type") == kind


def test_the_history_tells_who_did_what_to_whom(fake: FakeGitHub) -> None:
    fake.world.create(NAME, labels=("bug",))
    fake.world.assign(NAME, 1, "robot", "Bot", seconds=1)
    fake.world.close(NAME, 1, "duplicate", seconds=2)
    fake.world.reopen(NAME, 1, seconds=3)
    query = """{ repository(owner: "owner", name: "name") { issue(number: 1) {
      stateReason assignees(first: 5) { totalCount }
      timelineItems(first: 2, itemTypes: [LABELED_EVENT, ASSIGNED_EVENT, CLOSED_EVENT, REOPENED_EVENT]) {
        totalCount pageInfo { hasNextPage }
        nodes { __typename
          ... on LabeledEvent { label { name } }
          ... on AssignedEvent { user { login } assignee { __typename ... on Bot { login } } } } } } } }"""
    issue = ask(fake, query).json()["data"]["repository"]["issue"]
    assert issue["timelineItems"] == {
        "totalCount": 4,
        "pageInfo": {"hasNextPage": True},
        "nodes": [
            {"__typename": "LabeledEvent", "label": {"name": "bug"}},
            {"__typename": "AssignedEvent", "user": None,
             "assignee": {"__typename": "Bot", "login": "robot"}},
        ],
    }  # fmt: skip
    # GitHub's assignee connection has users only.
    assert (issue["stateReason"], issue["assignees"]["totalCount"]) == ("REOPENED", 0)


@pytest.mark.parametrize(
    "query, points",
    [
        ("{ rateLimit { cost } }", 1),
        ("query ($n: Int = 100) { repository(owner: \"o\", name: \"n\") { issues(first: $n) { nodes {"
         " assignees(first: 10) { nodes { login } } labels(first: 20) { nodes { name } }"
         " timelineItems(first: 50) { nodes { __typename } } } } } }", 3),
        ("{ repository(owner: \"o\", name: \"n\") { issues(first: 100) { nodes { comments(first: 50) {"
         " nodes { id } } ...more } } } }"
         " fragment more on Issue { labels(first: 60) { nodes { id } } }", 2),
    ],
)  # fmt: skip
def test_points_follow_the_documented_formula(query: str, points: int) -> None:
    assert price(query, {})[0] == points


def test_quota_belongs_to_the_user_and_comes_back_after_an_hour(fake: FakeGitHub) -> None:
    fake.tokens["ghp_second"] = "user-1"
    fake.quota.limit = 2
    fake.world.create(NAME)
    limited = [ask(fake, PAGE, token=token, first=1, field="CREATED_AT", direction="ASC") for token in
               (TOKEN, "ghp_second", TOKEN)][-1]  # fmt: skip
    assert limited.json() == {
        "errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded for user ID 1."}]
    }
    assert limited.headers["x-ratelimit-remaining"] == "0"
    fake.clock.sleep(int(limited.headers["x-ratelimit-reset"]) - fake.clock.time())
    assert page(fake)["totalCount"] == 1
    assert fake.points == 3


def test_rest_pages_follow_the_link_and_contain_pull_requests(fake: FakeGitHub) -> None:
    for number in range(5):
        fake.world.create(NAME, pull_request=number == 2)
    numbers, path, pulls = [], "/repos/owner/name/issues?state=all&per_page=2&direction=asc", 0
    while path:
        answer = get(fake, path)
        numbers += [issue["number"] for issue in answer.json()]
        pulls += sum("pull_request" in issue for issue in answer.json())
        path = answer.links.get("next", {}).get("url", "")
    assert (numbers, pulls) == ([1, 2, 3, 4, 5], 1)
    beyond = get(fake, "/repos/owner/name/issues?page=101&per_page=100")
    assert beyond.status_code == 422 and "page parameter" in beyond.json()["message"]
    assert 3 not in all_numbers(fake)


def test_vanished_issues_say_how(fake: FakeGitHub) -> None:
    fake.world.add_repository("owner/other")
    for _ in range(3):
        fake.world.create(NAME)
    fake.world.delete(NAME, 1)
    fake.world.transfer(NAME, 2, "owner/other")
    assert get(fake, "/repos/owner/name/issues/1").status_code == 410
    moved = get(fake, "/repos/owner/name/issues/2")
    assert moved.status_code == 301
    assert get(fake, moved.headers["Location"]).json()["repository_url"].endswith("/repos/owner/other")
    assert get(fake, "/repos/owner/name/issues/9").status_code == 404
    assert all_numbers(fake) == [3]
    assert fake.world.create(NAME).number == 4


def test_a_renamed_repository_redirects_by_id_and_graphql_follows(fake: FakeGitHub) -> None:
    fake.world.create(NAME)
    fake.world.rename(NAME, "owner/new")
    moved = get(fake, "/repos/owner/name/issues/1")
    assert moved.status_code == 301
    assert moved.headers["Location"] == f"{fake.base}/repositories/4000/issues/1"
    assert get(fake, moved.headers["Location"]).json()["number"] == 1
    assert page(fake)["totalCount"] == 1
    assert get(fake, "/repositories/4000").json()["full_name"] == "owner/new"


def test_an_unchanged_page_is_a_304_that_costs_nothing_and_knows_the_token(fake: FakeGitHub) -> None:
    fake.world.create(NAME)
    fake.tokens["ghp_second"] = "user-2"
    path = "/repos/owner/name/issues"
    etag = get(fake, path).headers["ETag"]
    before = fake.quota.total["core"], fake.quota.state("user-1", "core")["used"]
    assert get(fake, path, If_None_Match=etag).status_code == 304
    assert fake.quota.state("user-1", "core")["used"] == before[1]
    assert get(fake, path, If_None_Match=etag, Authorization="Bearer ghp_second").status_code == 200
    fake.world.edit(NAME, 1, title="changed")
    assert get(fake, path, If_None_Match=etag).status_code == 200


def test_strangers_are_refused(fake: FakeGitHub) -> None:
    assert ask(fake, PAGE, token="wrong").status_code == 401
    assert requests.post(f"{fake.base}/graphql", json={}, timeout=5).status_code == 401
    assert get(fake, "/repos/owner/name", Authorization="Bearer wrong").json()["message"] == "Bad credentials"


def test_the_log_has_everything_but_the_token(fake: FakeGitHub) -> None:
    page(fake, first=2)
    request = fake.requests[-1]
    assert (request.method, request.path, request.status, request.has_authorization) == (
        "POST", "/graphql", 200, True
    )  # fmt: skip
    assert request.variables["first"] == 2
    assert request.at == VirtualClock().time()
    assert TOKEN not in repr(fake.requests)


def test_a_fault_strikes_as_often_as_it_says_and_after_what_it_skips(fake: FakeGitHub) -> None:
    fake.faults.append(Fault(lambda request: request.is_graphql, breakage.gateway_html(), times=2, skip=1))
    statuses = [ask(fake, PAGE, first=1, field="CREATED_AT", direction="ASC").status_code for _ in range(4)]
    assert statuses == [200, 502, 502, 200]
    assert fake.points == 2


@pytest.mark.parametrize(
    "wire", [Wire(reset=True), Wire(send=10), Wire(silence=1.0), Wire(pause=0.2)], ids=str
)
def test_answers_can_be_sent_badly(fake: FakeGitHub, wire: Wire) -> None:
    fake.faults.append(Fault(lambda request: True, breakage.over_the_wire(wire)))
    with (
        pytest.raises(requests.RequestException),
        requests.get(f"{fake.base}/repos/owner/name", stream=True, timeout=0.3) as answer,
    ):
        started = monotonic()
        for _ in answer.iter_content(1):
            # The total time is what a trickle exceeds; requests itself only watches the pauses.
            if monotonic() - started > 0.5:
                raise requests.Timeout("total deadline")
    assert requests.get(f"{fake.base}/repos/owner/name", timeout=5).status_code == 200


def test_a_dump_becomes_issues(fake: FakeGitHub) -> None:
    record = {
        "repository": "a/b", "number": 5, "title": "t", "body": None, "state": "closed", "user": None,
        "created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-03T00:00:00Z",
        "closed_at": "2020-01-02T00:00:00+00:00", "assignees": [{"login": "x"}], "labels": [{"name": "l"}],
        "events": [{"event": "assigned", "created_at": "2020-01-01T01:00:00Z", "actor": "y", "assignee": "x"},
                   {"event": "mentioned", "created_at": "2020-01-01T01:00:00Z"}],
        "comments_data": [{"user": {"login": "z"}, "created_at": "2020-01-01T02:00:00Z", "body": "hm"}],
    }  # fmt: skip
    seed_records(fake.world, [record])
    body = get(fake, "/repos/a/b/issues/5").json()
    assert (body["closed_at"], body["user"], body["body"], body["comments"]) == (
        "2020-01-02T00:00:00Z", None, None, 1
    )  # fmt: skip
    assert [event["event"] for event in get(fake, "/repos/a/b/issues/5/timeline").json()] == [
        "assigned", "commented"
    ]  # fmt: skip


@given(st.sets(st.integers(0, 50)), st.integers(1, 7), st.booleans())
def test_pages_cover_any_list_once(keys: set[int], size: int, descending: bool) -> None:
    entries = [(key, str(key)) for key in sorted(keys)]
    seen: list[str] = []
    after = None
    while True:
        cut = cut_page(entries, size, after, descending=descending)
        seen += cut.nodes
        after = cut.end_cursor
        if not cut.has_next_page:
            break
    assert seen == [str(key) for key in sorted(keys, reverse=descending)]


def test_a_foreign_cursor_is_refused() -> None:
    with pytest.raises(BadCursorError, match="does not appear"):
        cut_page([], 1, "bm90IG91cnM=")
