"""The daily page: what is in it, what is left out, and what it never lets in."""

import csv
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest

from ml.store.run_folder import BIAS_DOCUMENT, BIAS_PAGE, RunFolder
from orchestration.__main__ import main
from orchestration.page.curves import survival_plot
from orchestration.page.write import write_page
from tests.published import HOSTILE, insert, write_published


class Reader(HTMLParser):
    """The rows of tickets as text by cell, the addresses, the tags."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.sources: list[str] = []
        self.text: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]
        self.sources += [value or "" for name, value in attrs if name == "src"]

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] not in (["script"], ["style"]):
            self.text.append(data)

    @property
    def said(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.text))


@pytest.fixture
def published(tmp_path: Path) -> Path:
    return write_published(tmp_path / "warehouse.duckdb")


def page_of(published: Path) -> Path:
    return write_page(published, published.parent / "models", published.parent / "reports")


def test_the_page_says_everything_that_is_published(published: Path) -> None:
    page = page_of(published)
    read = Reader(page)
    for words in (
        "4 open tickets of 2 repositories, from archive; records until 2026-01-02,",
        "scored 2026-01-03 04:05 UTC",
        "The thing number 1 breaks",
        "later: no answer for 12 days",
        "waiting for a first answer",
        "bob 50%, has 1",
        "+ Share of the work of 30 days",
        "It broke before closed, duplicate, took 2.0 d",
        "a/b 2 1 1.2 2 5.2 h 4.0 h – 7.5 h 10.0 d at least 5.0 d 2026-01-02",
        "a/c 2 0 0.2 of 1 with a chance 1 4.0 d 3.0 d – 6.0 d not reached at least 27.9 d 2026-01-02",
        "Do newcomers wait longer? For an answer, yes: 7 days after the creation 40% of newcomers' tickets "
        "have no answer, and 30% of regulars'. Among tickets of the same repository and label the difference "
        "is +6.2 points [+1.2, +11.2]; 83% of newcomers' tickets have such a counterpart. "
        "Beyond chance, in points: a/b −3.0.",
        "closed within 30 days, newcomers' less regulars' (last 365 days): beyond chance, in points: "
        "a/b −12.5.",
        "over 10 years",
        "Proposed first: the busiest person gets 14% of the tickets, Gini 0.90. Truly taken: the busiest",
        "linear (champion)",
        "0 days 1% 81% 70 to 1 day 2% 82% 70 beyond 365 days 9% 89% 70",
        "Worse for some, beyond noise: repo (worst: a/c).",
        "No bias found: label.",
        "python -m ml reproduce linear-1",
        "This is the first page of this warehouse.",
        "It has no features.",
    ):
        assert words in read.said, words
    assert read.said.count("Truly taken") == 1
    assert "SYNTHETIC" not in read.said.upper()
    assert "None" not in read.said and "nan" not in read.said.lower().split()
    assert "https://example.org/1" in read.links
    # Three people at most, though four were proposed.
    assert "dan" in read.said and "eve 12%" not in read.said
    order = re.findall(r"a/[bc]#([1-4])\b", page.read_text().split("<tbody>")[1].split("</tbody>")[0])
    assert list(dict.fromkeys(order)) == ["1", "2", "4", "3"]


def test_the_table_beside_it_holds_the_same_tickets(published: Path) -> None:
    with page_of(published).with_name("tickets.csv").open(newline="") as stream:
        rows = {row["number"]: row for row in csv.DictReader(stream)}
    assert list(rows) == ["1", "2", "4", "3"]
    assert rows["1"]["people"] == "bob cid dan" and rows["1"]["labels"] == "bug; area-1"
    assert float(rows["1"]["p_open_7d"]) == pytest.approx(0.8) and rows["3"]["p_open_7d"] == ""
    assert rows["4"]["title"] == HOSTILE
    assert rows["4"]["author"] == "'=cmd()", "a spreadsheet would run it"


def test_nothing_of_a_ticket_becomes_markup_and_nothing_is_loaded(published: Path) -> None:
    page = page_of(published)
    read = Reader(page)
    assert read.tags.count("script") == 1 and "img" not in read.tags and read.sources == []
    assert not [link for link in read.links if link.startswith("javascript")]
    assert HOSTILE in "".join(read.text)
    assert "default-src 'none'" in page.read_text()


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        ("drop table tickets.similar", "It broke before"),
        ("drop table tickets.service_metrics", "median time"),
        ("drop table tickets.service_metrics", "How long tickets stay open"),
        ("drop table tickets.response_gaps", "have no answer"),
        ("drop table tickets.service_differences", "never seen there before"),
        ("delete from tickets.service_metrics where metric like 'time_to_close%'", "median time to close"),
        ("delete from tickets.service_metrics where metric like 'closed_within%'", "How long tickets stay"),
        ("update tickets.response_gaps set adjusted_difference = 'nan'", "points [+"),
        ("drop table tickets.assignee_candidates", "Load per person"),
        ("drop table tickets.repositories", "records until"),
        ("drop table bias.summary", "For whom it is wrong"),
        ("drop table feature_store.feature_registry", "Share of the work"),
        ("alter table tickets.predictions drop title", "The thing number"),
        ("alter table tickets.predictions drop is_overdue", "overdue"),
        ("alter table tickets.predictions drop remaining_hours", "median (days)"),
        ("alter table tickets.predictions drop p_within_7d", "open in 7 days"),
        ("delete from ml.models", "linear (champion)"),
    ],
)
def test_what_is_absent_is_left_out_without_a_hole(published: Path, gone: str, words: str) -> None:
    with duckdb.connect(str(published)) as database:
        database.execute(gone)
    read = Reader(page_of(published))
    assert words not in read.said and "None" not in read.said
    assert "a/c#1" in read.said


@pytest.mark.parametrize(
    ("q_value", "difference", "verdict"),
    [
        ("0.01", 0.1, "yes:"),
        ("0.01", -0.1, "no, regulars do:"),
        ("0.2", 0.1, "not beyond chance:"),
        ("null", 0.1, "it cannot be tested:"),
        ("'nan'", 0.1, "it cannot be tested:"),
    ],
)
def test_newcomers_are_said_to_wait_longer_only_beyond_chance(
    published: Path, q_value: str, difference: float, verdict: str
) -> None:
    with duckdb.connect(str(published)) as database:
        database.execute(
            f"update tickets.response_gaps set q_value = {q_value}, adjusted_difference = {difference}"
        )
    assert f"Do newcomers wait longer? For an answer, {verdict}" in Reader(page_of(published)).said


def test_the_curves_go_through_the_published_shares_of_open_tickets(published: Path) -> None:
    text = page_of(published).read_text()
    curves = dict(re.findall(r'<polyline class="curve" points="([^"]+)"><title>([^<]+)', text))
    found = {
        name: [float(point.split(",")[1]) for point in points.split()] for points, name in curves.items()
    }
    assert sorted(found) == ["a/b", "a/c"]
    (all_open, week, quarter), (also_open, other_week) = found["a/b"], found["a/c"]
    # Heights are counted from above: as many for the same share, and in proportion to what is closed.
    assert all_open == also_open
    assert (week - all_open) == pytest.approx(2 * (other_week - all_open), abs=0.2)
    assert (quarter - all_open) / (week - all_open) == pytest.approx(0.95 / 0.25, rel=0.01)


def test_labels_of_curves_that_end_alike_lie_apart_and_within_the_picture() -> None:
    drawn = survival_plot({f"a/{n}": [(0.0, 1.0), (90.0, 0.01)] for n in range(8)})
    height = float(re.findall(r'viewBox="0 0 \d+ (\d+)"', drawn)[0])
    places = sorted(float(y) for y in re.findall(r'class="note" x="[^"]+" y="([^"]+)"', drawn))
    assert len(places) == 8 and places[0] > 0 and places[-1] < height
    assert min(b - a for a, b in pairwise(places)) >= 12


def test_a_view_that_somebody_planted_is_not_looked_at(published: Path) -> None:
    with duckdb.connect(str(published)) as database:
        database.execute("drop table tickets.similar")
        columns = "content as item_id, 1 as rank, content as title"
        database.execute(f"create view tickets.similar as select {columns} from read_text('{published}')")
    assert "a/c#1" in Reader(page_of(published)).said


def test_without_an_open_ticket_it_says_so(published: Path) -> None:
    with duckdb.connect(str(published)) as database:
        database.execute("delete from tickets.predictions")
    assert "No ticket is open" in Reader(page_of(published)).said


def test_the_bias_page_of_the_champion_lies_beside_it_and_they_lead_to_each_other(published: Path) -> None:
    folder = RunFolder(published.parent / "models" / "r1")
    folder.write(BIAS_PAGE, "<html><body>For whom?</body></html>")
    folder.write(BIAS_DOCUMENT, "{}")
    page = page_of(published)
    assert "bias.html" in Reader(page).links
    beside = page.with_name("bias.html")
    assert Reader(beside).links == ["report.html"] and "For whom?" in beside.read_text()
    assert page.with_name("bias.json").read_text() == "{}"


def test_synthetic_tickets_are_called_so(published: Path) -> None:
    with duckdb.connect(str(published)) as database:
        database.execute("update tickets.repositories set is_synthetic = true, source = 'sample'")
    assert "These are synthetic issues" in Reader(page_of(published)).said


def test_the_next_page_says_what_changed(published: Path) -> None:
    first = page_of(published)
    with duckdb.connect(str(published)) as database:
        database.execute("delete from tickets.predictions where number = 1")
        insert(database, "tickets.predictions", item_id="a/b#8", repository="a/b", number=8)
        insert(database, "tickets.predictions", item_id="a/b#10", repository="a/b", number=10)
        database.execute("update ml.models set alias = if(model = 'median', 'champion', 'challenger')")
    (first.parent.parent / "latest").unlink()
    first.parent.rename(first.parent.with_name("20200101-000000"))
    (first.parent.parent / "latest").symlink_to("20200101-000000")
    second = page_of(published)
    read = Reader(second)
    assert "2 tickets came or were opened again and 1 are no longer open" in read.said
    assert "The champion is median-1, before linear-1." in read.said
    assert (second.parent.parent / "latest").resolve() == second.parent


@pytest.mark.parametrize("memory", ["", "[]", "{}", '{"at": 1}'])
def test_a_memory_that_cannot_be_read_is_none(published: Path, memory: str) -> None:
    first = page_of(published)
    first.with_name("summary.json").write_text(memory)
    assert "This is the first page" in Reader(page_of(published)).said


def test_before_anything_is_published_the_command_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path))
    assert main(["report"]) == 1
    assert "run the pipeline first" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
