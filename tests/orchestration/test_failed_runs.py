"""A run that failed is told: one line in a file and to the webhook, and no secret anywhere."""

import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orchestration.defs.automation.failed_runs import failed_runs
from orchestration.failures import failures_file, tell_failure
from orchestration.settings import Settings

SECRET = "T0KEN-of-the-hook"
TOKEN = "ghp_token"


@dataclass
class Listener:
    """A webhook on this machine, and what it was told."""

    address: str = ""
    status: int = 200
    told: list[Any] = field(default_factory=list)


@pytest.fixture
def listener() -> Iterator[Listener]:
    heard = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.told.append((self.path, json.loads(body)))
            self.send_response(heard.status)
            if heard.status == 302:
                self.send_header("Location", f"{heard.address}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    heard.address = f"http://127.0.0.1:{server.server_port}/{SECRET}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield heard
    server.shutdown()
    server.server_close()
    thread.join()


def settings(folder: Path, **variables: str) -> Settings:
    return Settings.from_environment({"WAREHOUSE_DIR": str(folder), **variables})


def test_one_line_is_written_and_posted_without_any_secret(tmp_path: Path, listener: Listener) -> None:
    given = settings(tmp_path, FAILURE_WEBHOOK=listener.address, GITHUB_TOKEN=TOKEN)
    why = f"It broke\n at {listener.address} with {TOKEN}" + "x" * 5000
    tell_failure(given, "run 1", why)
    tell_failure(given, "run 2", "again")
    first, second = failures_file(given).read_text().splitlines()
    assert "run 1: It broke at *** with ***" in first and len(first) <= 500
    assert second.endswith("run 2: again")
    assert listener.told == [(f"/{SECRET}", {"text": first}), (f"/{SECRET}", {"text": second})]
    assert SECRET not in repr(given)


@pytest.mark.parametrize("status", [302, 500])
def test_a_webhook_that_refuses_is_logged_without_its_address(
    tmp_path: Path, listener: Listener, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    listener.status = status
    with caplog.at_level(logging.DEBUG, "orchestration"):
        tell_failure(settings(tmp_path, FAILURE_WEBHOOK=listener.address), "run", "why")
    assert f"answered with status {status}" in caplog.text and SECRET not in caplog.text
    assert len(listener.told) == 1, "a redirect must not be followed"


def test_a_webhook_that_is_away_changes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    given = settings(tmp_path, FAILURE_WEBHOOK=f"http://127.0.0.1:1/{SECRET}")
    with caplog.at_level(logging.DEBUG, "orchestration"):
        line = tell_failure(given, "run", "why")
    assert failures_file(given).read_text() == f"{line}\n"
    assert "cannot be reached" in caplog.text and SECRET not in caplog.text


@pytest.mark.parametrize("address", [f"ftp://{SECRET}", SECRET, f"https:///{SECRET}", f"http://h:0/{SECRET}"])
def test_an_address_that_is_none_is_refused_and_not_shown(tmp_path: Path, address: str) -> None:
    with pytest.raises(ValueError, match="FAILURE_WEBHOOK is what it cannot be") as refused:
        settings(tmp_path, FAILURE_WEBHOOK=address)
    assert SECRET not in str(refused.value)


def test_the_sensor_tells_the_step_and_the_cause(
    tmp_path: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dg.op
    def broken() -> None:
        try:
            raise OSError("the disk is full")
        except OSError as error:
            raise ValueError("it cannot be written") from error

    @dg.job
    def nightly() -> None:
        broken()

    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path))
    monkeypatch.setenv("FAILURE_WEBHOOK", listener.address)
    with dg.DagsterInstance.ephemeral() as instance:
        done = nightly.execute_in_process(instance=instance, raise_on_error=False)
        context = dg.build_run_status_sensor_context(
            sensor_name="failed_runs",
            dagster_event=done.get_run_failure_event(),
            dagster_instance=instance,
            dagster_run=done.dagster_run,
        ).for_run_failure()
        failed_runs(context)
    ((_, told),) = listener.told
    assert f"run {done.run_id[:8]} of nightly, broken: " in told["text"]
    assert "the disk is full" in told["text"]
    assert SECRET not in (tmp_path / "logs" / "failures.txt").read_text()
