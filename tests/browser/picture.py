"""The README's picture of the daily page: `python -m tests.browser.picture report.html` takes it anew."""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.paths import ROOT

PICTURE = ROOT / "orchestration" / "page" / "report.png"


def take(report: Path) -> None:
    """Take the top of a page with its tickets in the order of triage, in few colours: a small file."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1300, "height": 900})
        tab.goto(report.resolve().as_uri())
        tab.get_by_role("button", name="triage rank").click()
        taken = Image.open(io.BytesIO(tab.screenshot()))
        browser.close()
    taken.convert("RGB").quantize(64, method=Image.Quantize.MAXCOVERAGE).save(PICTURE, optimize=True)


if __name__ == "__main__":
    take(Path(sys.argv[1]))
