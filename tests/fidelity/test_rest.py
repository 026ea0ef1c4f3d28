"""The fake's REST bodies are what GitHub's own description of its API promises."""

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import requests

from tests.fake_github import TOKEN, FakeGitHub, World, running
from tests.fidelity.openapi import response_schema

pytestmark = pytest.mark.fidelity
ISSUE = "/repos/{owner}/{repo}/issues/{issue_number}"


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeGitHub]:
    world = World()
    world.add_repository("owner/name")
    world.create("owner/name", labels=("bug",))
    world.create("owner/name", body=None, author=None)
    world.create("owner/name", pull_request=True)
    world.create("owner/name")
    world.assign("owner/name", 1, "robot", "Bot")
    world.assign("owner/name", 1, "ada")
    world.unassign("owner/name", 1, "ada")
    world.comment("owner/name", 1, "me too")
    world.close("owner/name", 1, "duplicate")
    world.reopen("owner/name", 1)
    world.unlabel("owner/name", 1, "bug")
    world.close("owner/name", 2, "not_planned")
    world.edit("owner/name", 2, milestone="1.0")
    world.delete("owner/name", 4)
    with running(FakeGitHub(world)) as server:
        yield server


@pytest.mark.parametrize(
    "path, described, status",
    [
        ("/repos/owner/name", "/repos/{owner}/{repo}", 200),
        ("/repositories/4000", "/repos/{owner}/{repo}", 200),
        ("/repos/owner/none", "/repos/{owner}/{repo}", 404),
        ("/repos/owner/name/issues?state=all", "/repos/{owner}/{repo}/issues", 200),
        ("/repos/owner/name/issues/1", ISSUE, 200),
        ("/repos/owner/name/issues/2", ISSUE, 200),
        ("/repos/owner/name/issues/3", ISSUE, 200),
        ("/repos/owner/name/issues/4", ISSUE, 410),
        ("/repos/owner/name/issues/5", ISSUE, 404),
        ("/repos/owner/name/issues/1/timeline", ISSUE + "/timeline", 200),
        ("/repos/owner/name/issues/1/comments", ISSUE + "/comments", 200),
        ("/rate_limit", "/rate_limit", 200),
    ],
)
def test_bodies_are_as_described(
    fake: FakeGitHub, description: dict[str, Any], path: str, described: str, status: int
) -> None:
    answer = requests.get(fake.base + path, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=5)
    assert answer.status_code == status
    schema = response_schema(description, described, str(status))
    jsonschema.Draft202012Validator(schema).validate(answer.json())
    assert answer.json()


def test_the_description_refuses_what_is_wrong(fake: FakeGitHub, description: dict[str, Any]) -> None:
    answer = requests.get(
        fake.base + "/repos/owner/name/issues/1", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=5
    )
    schema = jsonschema.Draft202012Validator(response_schema(description, ISSUE))
    for field, value in {"number": "1", "user": 7, "labels": None, "created_at": None}.items():
        assert not schema.is_valid({**answer.json(), field: value}), field
