"""The UI as somebody uses it: started as `make dev` does, on a copy of a finished run."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from orchestration.definitions import defs
from tests.browser.conftest import SECONDS, open_file, quiet_tab
from tests.integration.pipeline import Finished, environment
from tests.paths import ROOT

expect.set_options(timeout=SECONDS * 1000)


@pytest.fixture(scope="module")
def ran(browser: Browser, finished: Finished, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A finished run that may go on; the browser comes first: without one nothing is run for it."""
    folder = tmp_path_factory.mktemp("ui") / "run"
    shutil.copytree(finished.folder, folder, copy_function=shutil.copyfile)
    return Finished(folder)


@pytest.fixture(scope="module")
def address(ran: Finished) -> Iterator[str]:
    """Where the UI is, with its daemon: on a free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    dagster, log = str(Path(sys.executable).with_name("dagster")), ran.folder / "ui.log"
    variables = environment(ran.folder)
    # The instance as users have it: no dialog bids welcome.
    shutil.copyfile(ROOT / ".dagster" / "dagster.yaml", Path(variables["DAGSTER_HOME"]) / "dagster.yaml")
    command = ["env", "-u", "DAGSTER_MODULE_NAME", dagster, "dev", "--host", "127.0.0.1", "--port", port]
    with log.open("w") as written:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=variables,
            stdout=written,
            stderr=written,
            start_new_session=True,
        )
    try:
        until = time.monotonic() + SECONDS
        while not _answers(f"http://127.0.0.1:{port}/server_info"):
            assert process.poll() is None and time.monotonic() < until, log.read_text()[-3000:]
            time.sleep(0.3)
        yield f"http://127.0.0.1:{port}"
    finally:
        for end in (signal.SIGINT, signal.SIGKILL):
            # The second for whoever of its family did not heed the first.
            with suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(process.pid, end)
                process.wait(10)


def _answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=5).ok
    except requests.RequestException:
        return False


@pytest.fixture
def tab(browser: Browser, address: str) -> Iterator[Page]:
    with quiet_tab(browser, offline=False) as tab:
        yield tab


def published(ran: Finished, query: str) -> tuple[object, ...]:
    with duckdb.connect(str(ran.published), read_only=True) as database:
        return database.sql(query).fetchall()[0]


def test_every_group_is_in_the_graph_and_lists_its_assets(tab: Page, address: str) -> None:
    graph = defs.resolve_asset_graph()
    groups: dict[str, list[str]] = {}
    for key in graph.materializable_asset_keys:
        groups.setdefault(graph.get(key).group_name, []).append(" / ".join(key.path))
    tab.goto(f"{address}/asset-groups")
    for group in groups:
        expect(tab.get_by_text(group, exact=True).first).to_be_visible()
    for group, names in groups.items():
        tab.goto(f"{address}/locations/fairtriage/asset-groups/{group}/list")
        # Of a long list the first ones are drawn.
        expect(tab.get_by_role("link", name=sorted(names)[0]).first).to_be_visible()
        expect(tab.get_by_text("Materialized", exact=True).first).to_be_visible()


def test_the_champion_shows_its_answer_its_picture_and_its_checks(
    tab: Page, address: str, ran: Finished
) -> None:
    model, version = published(
        ran, "select model, model_version from ml.models where alias = 'champion' and domain = 'tickets' "
        "and task = 'regression'"
    )  # fmt: skip
    tab.goto(f"{address}/assets/best_model")
    expect(tab.get_by_text(str(version)).first).to_be_visible()
    expect(tab.get_by_text("no bias found").first).to_be_visible()
    tab.goto(f"{address}/assets/best_model?view=checks")
    for check in ("bias_gate", "calibration_gate", "drift"):
        tab.get_by_text(check, exact=True).first.click()
        expect(tab.get_by_text("Passed", exact=True).first).to_be_visible()
    tab.goto(f"{address}/assets/models/{model}")
    tab.get_by_text("[Show Markdown]").first.click()
    picture = tab.get_by_role("img", name="predicted against actual hours")
    assert picture.evaluate("one => one.decode().then(() => one.naturalWidth)") > 300
    # Twenty tickets, the most urgent first.
    tab.goto(f"{address}/assets/ticket_predictions")
    tab.get_by_text("[Show Markdown]").first.click()
    expect(tab.get_by_role("dialog").locator("tbody tr")).to_have_count(20)


def test_a_table_that_dbt_made_shows_its_columns_and_what_they_are_made_of(tab: Page, address: str) -> None:
    tab.goto(f"{address}/assets/train_remaining")
    column = tab.get_by_role("row").filter(has_text="title_has_question")
    expect(column).to_contain_text("BOOLEAN")
    expect(column).to_contain_text("The title holds a question mark")
    tab.goto(f"{address}/assets/train_remaining?view=events")
    tab.get_by_text("[Show Markdown]").first.click()
    made_of = tab.get_by_role("dialog").get_by_role("row").filter(has_text="title_has_question")
    expect(made_of).to_contain_text("feat_issue_content.title_has_question")
    made_of.get_by_role("link").click()
    expect(tab).to_have_url(f"{address}/assets/feat_issue_content")


def test_the_launchpad_writes_a_page_that_opens_without_a_network(
    tab: Page, address: str, ran: Finished, page: Page
) -> None:
    reports = ran.folder / "warehouse" / "reports"
    # Nothing has changed since it was written: only a page that is gone is written again.
    for written in reports.rglob("report.html"):
        written.unlink()
    tab.goto(f"{address}/assets/report")
    tab.get_by_role("button", name="Materialize").wait_for()
    # The arrow beside it has no name.
    tab.locator("button:right-of(:text('Materialize'))").first.click()
    tab.get_by_text("Open launchpad").click()
    expect(tab.get_by_text("No errors")).to_be_visible()
    tab.get_by_role("button", name="Materialize").last.click()
    tab.wait_for_url("**/runs/*")
    expect(tab.get_by_text("Success", exact=True).first).to_be_visible()
    open_file(page, reports / "latest" / "report.html")
    (count,) = published(ran, "select count(*) from tickets.predictions")
    first, title = published(
        ran, "select item_id, title from tickets.predictions where p_within_7d is not null "
        "order by p_within_7d, repository, number"
    )  # fmt: skip
    expect(page.locator("#shown")).to_have_text(f"{min(count, 200)} of {count} tickets shown")  # type: ignore[call-overload]
    row = page.locator("#tickets-table tbody tr").first
    expect(row).to_contain_text(str(first))
    expect(row).to_contain_text(str(title))
    page.get_by_label("Words").fill(str(first))
    expect(page.locator("#shown")).to_have_text("1 of 1 tickets shown")
    assert page.locator("svg.plot").count() >= 2 and len(page.pdf()) > 50_000
    page.get_by_role("link", name="bias", exact=False).last.click()
    page.wait_for_url("**/bias.html*")
    assert page.locator("svg.plot").first.bounding_box() is not None
    assert page.pdf().startswith(b"%PDF")
