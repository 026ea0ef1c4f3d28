"""The REST parts of the client against an emulator of GitHub that others wrote."""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from orchestration.domains.tickets.sources.github.probe import Identity, ask_for_issue
from orchestration.domains.tickets.sources.github.walk.resolve import resolve
from orchestration.domains.tickets.sources.github.walk.single import fetch_list
from orchestration.domains.tickets.sources.github.wire.decide import Wait, decide
from orchestration.domains.tickets.sources.github.wire.transport import Transport
from tests.fake_github import VirtualClock

pytestmark = pytest.mark.fidelity
TOKEN = "test_token_admin"
NAME = "admin/hello-world"
ISSUES = 230


@pytest.fixture(scope="module")
def emulator(packages: Path) -> Iterator[str]:
    """Address of the emulator, on 127.0.0.1 only, with a repository of 230 issues."""
    node = shutil.which("node")
    if node is None:
        pytest.fail("make fake-fidelity needs Node 20; node was not found.", pytrace=False)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    loopback = Path(__file__).with_name("loopback.cjs")
    program = packages / "node_modules/emulate/dist/index.js"
    command = [node, "--require", str(loopback), str(program), "start", "--service", "github"]
    base = f"http://127.0.0.1:{port}"
    # The advertised address is the one that Link headers name.
    with subprocess.Popen(
        [*command, "--port", str(port), "--base-url", base], stdout=subprocess.DEVNULL, cwd=packages
    ) as process:
        try:
            _wait_for(base)
            _seed(base)
            yield base
        finally:
            process.terminate()


@pytest.fixture
def transport(emulator: str) -> Iterator[Transport]:
    opened = Transport((TOKEN,), base_url=emulator, clock=VirtualClock())
    yield opened
    opened.close()


def _wait_for(base: str) -> None:
    for _ in range(100):
        try:
            requests.get(f"{base}/rate_limit", timeout=1)
            return
        except requests.ConnectionError:
            time.sleep(0.1)
    pytest.fail(f"emulate did not start at {base}", pytrace=False)


def _seed(base: str) -> None:
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {TOKEN}"
        made = session.post(f"{base}/user/repos", json={"name": "hello-world"}, timeout=5)
        assert made.status_code == 201, made.text
        for number in range(1, ISSUES + 1):
            issue = {"title": f"issue {number}", "assignees": ["admin"] if number % 3 == 0 else []}
            assert session.post(f"{base}/repos/{NAME}/issues", json=issue, timeout=5).status_code == 201
        closed = session.patch(f"{base}/repos/{NAME}/issues/1", json={"state": "closed"}, timeout=5)
        assert closed.status_code == 200


def test_a_repository_is_resolved(transport: Transport, tmp_path: Path) -> None:
    identity, answer = resolve(transport, NAME, tmp_path)
    assert identity.name == NAME and identity.id > 0
    assert answer.status == 200


def test_an_issue_is_probed(transport: Transport, tmp_path: Path) -> None:
    identity, _ = resolve(transport, NAME, tmp_path)
    answer, reason = ask_for_issue(transport, identity, 1)
    assert reason is None and answer.document["state"] == "closed"
    assert ask_for_issue(transport, Identity(identity.id, NAME), 9_999)[1] == "gone"


def test_pages_are_followed_by_link(transport: Transport) -> None:
    bodies = fetch_list(transport, f"/repos/{NAME}/issues")
    assert len(bodies) == 3
    numbers = [issue["number"] for body in bodies for issue in json.loads(body)]
    # The list is of open issues, unless asked otherwise; the first is closed.
    assert sorted(numbers) == list(range(2, ISSUES + 1))


def test_the_real_403_of_a_used_up_quota_is_a_bounded_wait(emulator: str) -> None:
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {TOKEN}"
        for _ in range(5_001):
            answer = session.get(f"{emulator}/repos/{NAME}", timeout=5)
            if answer.status_code != 200:
                break
    assert answer.status_code == 403
    assert answer.headers["x-ratelimit-remaining"] == "0"
    decision = decide(403, answer.headers, answer.content, datetime.now(UTC), 0)
    assert isinstance(decision, Wait) and decision.is_free
    assert 0 < decision.seconds <= 3_700
