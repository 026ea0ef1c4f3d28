"""The pages as somebody uses them: sorted, filtered, printed, read aloud."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ml.data.dataset import Dataset
from ml.reports.bias import write_bias, write_bias_page
from ml.runs.train import train_models
from ml.tasks.duration.task import TrainingConfig
from orchestration.page.write import write_page
from tests.browser.conftest import faults, open_file
from tests.published import write_published
from tests.unit.ml import crews

MANY = 230


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    return write_page(
        write_published(folder / "warehouse.duckdb", MANY), folder / "models", folder / "reports"
    )


def first(page: Page) -> str:
    return page.locator("#tickets-table tbody tr:visible th").first.inner_text().split("\n")[0].split()[0]


def test_it_sorts_and_filters_without_a_server(page: Page, report: Path) -> None:
    open_file(page, report)
    shown = page.locator("#shown")
    expect(shown).to_have_text(f"200 of {MANY} tickets shown")
    assert first(page) == "a/c#1"
    page.get_by_role("button", name="age (days)").click()
    assert first(page) == f"a/b#{MANY}"
    expect(page.locator("#tickets-table th[aria-sort]")).to_have_attribute("aria-sort", "descending")
    page.get_by_role("button", name="age (days)").click()
    assert first(page) == "a/c#1"
    # What has no prediction is last, whatever the direction.
    page.get_by_role("button", name="Show all").click()
    expect(shown).to_have_text(f"{MANY} of {MANY} tickets shown")
    for _ in range(2):
        page.get_by_role("button", name="open in 7 days").click()
        assert page.locator("#tickets-table tbody tr").last.inner_text().startswith("a/c#3")
    page.get_by_label("Words").fill("number 22 bug")
    expect(shown).to_have_text("12 of 12 tickets shown")
    page.get_by_label("Repository").select_option("a/c")
    expect(shown).to_have_text("5 of 5 tickets shown")
    page.get_by_label("Words").fill("")
    page.get_by_label("Repository").select_option("")
    page.get_by_label("Overdue only").check()
    expect(shown).to_have_text("1 of 1 tickets shown")
    assert first(page) == "a/b#2"


def test_a_hostile_title_is_text(page: Page, report: Path) -> None:
    page.on("dialog", lambda dialog: pytest.fail("a title ran as a script"))
    open_file(page, report)
    page.get_by_label("Words").fill("onerror")
    assert "<img src=x" in page.locator("#tickets-table tbody tr:visible").inner_text()


def test_the_pictures_are_there_and_it_prints(page: Page, report: Path) -> None:
    open_file(page, report)
    assert page.locator("svg.plot").first.bounding_box() is not None
    printed = page.pdf()
    assert printed.startswith(b"%PDF") and len(printed) > 20_000


def test_axe_finds_no_fault(page: Page, report: Path, axe: str) -> None:
    open_file(page, report)
    assert faults(page, axe) == []


@pytest.fixture(scope="module")
def bias_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bias")
    dataset = Dataset.from_dir(crews.folder(folder / "data", factor=5.0))
    trained = train_models(
        dataset, ["median", "linear"], folder / "r", TrainingConfig(trials=0, replicates=0)
    )
    write_bias(dataset, trained, folder / "r")
    return write_bias_page(dataset.config, trained, folder / "r")


def test_the_bias_page_has_no_fault_and_prints_whole(page: Page, bias_page: Path, axe: str) -> None:
    open_file(page, bias_page)
    assert page.locator("svg.plot").first.bounding_box() is not None
    assert faults(page, axe) == []
    figures = page.locator("details table").first
    assert not figures.is_visible()
    page.emulate_media(media="print")
    assert figures.is_visible()
    assert page.pdf().startswith(b"%PDF")
