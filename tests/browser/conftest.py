"""A real browser: Debian's Chromium, driven by Playwright; without one these tests are skipped and say so."""

import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.integration.conftest import finished  # noqa: F401 - a fixture, made once for both rooms
from tests.paths import ROOT

AXE = "axe-core@4.14.1"
# On a machine that has other work to do.
SECONDS = 60


# As long as Playwright runs, its loop is the thread's: what else needs one, as Dagster does, would fail.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("there is no Chromium on this machine (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A tab without a network, in which nothing may complain."""
    with quiet_tab(browser, offline=True) as tab:
        yield tab


@contextmanager
def quiet_tab(browser: Browser, *, offline: bool) -> Iterator[Page]:
    """A tab in which nothing may complain."""
    complaints: list[str] = []
    context = browser.new_context(offline=offline, viewport={"width": 1300, "height": 900})
    context.set_default_timeout(SECONDS * 1000)
    tab = context.new_page()
    tab.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    yield tab
    context.close()
    assert complaints == []


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core, which finds what people cannot use; from npm, kept in .cache."""
    folder = ROOT / ".cache" / "axe"
    script = folder / "package" / "axe.min.js"
    if not script.is_file():
        if shutil.which("npm") is None:
            pytest.skip("there is no npm to get axe-core with")
        folder.mkdir(parents=True, exist_ok=True)
        packed = subprocess.run(
            ["npm", "pack", AXE], cwd=folder, capture_output=True, text=True, timeout=120, check=False
        )
        if packed.returncode:
            pytest.skip(f"npm has no {AXE} for this machine")
        with tarfile.open(folder / packed.stdout.split()[-1]) as archive:
            archive.extract("package/axe.min.js", folder, filter="data")
    return script.read_text(encoding="utf-8")


def faults(page: Page, axe: str) -> list[str]:
    """What axe-core finds, each with the first place where it is."""
    # By the debugger: the page's own policy lets no other script in.
    page.evaluate(axe)
    found = page.evaluate("async () => (await axe.run()).violations")
    return [f"{one['id']}: {one['help']} at {one['nodes'][0]['target']}" for one in found]


def open_file(page: Page, path: Path) -> None:
    """Open a file of this machine."""
    page.goto(path.resolve().as_uri())
