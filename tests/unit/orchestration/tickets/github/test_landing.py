"""Page files and the state that is read from them."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ml.store.lock import only_one
from orchestration.domains.tickets.landed.loading import load_landed
from orchestration.domains.tickets.reading.lines import read_lines
from orchestration.domains.tickets.sources.github.errors import GitHubError
from orchestration.domains.tickets.sources.github.pages import (
    Page,
    merge_lists,
    open_lists,
    read_json,
    read_page,
    write_page,
)
from orchestration.domains.tickets.sources.github.queries import ISSUES, query_hash
from orchestration.domains.tickets.sources.github.state import Folder, Known
from orchestration.domains.tickets.sources.github.walk.increment import since
from tests.fake_github import Fault, Request, breakage
from tests.unit.orchestration.tickets.github.served import NAME, page_names, serving, source, world_of


def is_page(request: Request) -> bool:
    return "title" in request.query_text


def test_a_page_file_holds_the_answer_as_it_came_and_what_was_asked(tmp_path: Path) -> None:
    with serving(world_of(3)) as fake:
        files = source(fake).land(tmp_path)
        kept = json.loads(gzip.decompress(files[0].path.read_bytes()))
        assert kept["request"]["query"] == query_hash(ISSUES)
        assert kept["request"]["variables"] == fake.requests[-1].variables
        assert kept["status"] == 200
        assert set(kept["headers"]) >= {"date", "x-github-request-id", "x-ratelimit-remaining"}
        assert "server" not in kept["headers"]
        document = json.loads(kept["body"])
        assert [node["number"] for node in document["data"]["repository"]["issues"]["nodes"]] == [1, 2, 3]
        assert datetime.fromisoformat(kept["fetched_at"]) == fake.clock.now()
        assert files[0].fetched_at == fake.clock.now().replace(tzinfo=None)


def test_equal_answers_are_equal_bytes(tmp_path: Path) -> None:
    page = Page("probe", {}, {}, body="{}", fetched_at="2026-03-02T09:00:00+00:00")
    for name in ("a", "b"):
        write_page(tmp_path / name, page)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert read_page(tmp_path / "a") == page


def test_a_damaged_page_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.page.json.gz"
    path.write_bytes(gzip.compress(b'{"kind": "iss')[:-9])
    with pytest.raises(GitHubError, match=r"x\.page\.json\.gz is damaged.*full_refresh"):
        read_json(path)


def node(number: int, labels: list[str], cursor: str | None) -> dict[str, Any]:
    whole = {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": []}
    return {
        "id": f"I{number}",
        "number": number,
        "assignees": whole,
        "timelineItems": whole,
        "labels": {
            "pageInfo": {"hasNextPage": cursor is not None, "endCursor": cursor},
            "nodes": [{"name": name} for name in labels],
        },
    }


def test_the_rest_of_a_list_is_appended_to_its_issue() -> None:
    base = [node(1, ["a"], "c1"), node(2, ["x"], "c2"), node(3, ["q"], "c3")]
    answer = {
        "n0": {"labels": node(1, ["b"], None)["labels"]},
        "n1": {"labels": node(2, ["y"], "c4")["labels"]},
        "n2": None,
    }
    lists = [["I1", "labels"], ["I2", "labels"], ["I3", "labels"]]
    first, second = merge_lists(base, lists, {"data": answer})
    assert [label["name"] for label in first["labels"]["nodes"]] == ["a", "b"]
    assert open_lists(first) == []
    assert [label["name"] for label in second["labels"]["nodes"]] == ["x", "y"]
    assert open_lists(second) == [("labels", "c4")]
    assert [label["name"] for label in base[0]["labels"]["nodes"]] == ["a"], "the base stays as it was"


def test_an_issue_lands_once_and_only_whole(tmp_path: Path, connection: duckdb.DuckDBPyConnection) -> None:
    world = world_of(4)
    for index in range(30):
        world.label(NAME, 2, f"label-{index}")
    with serving(world) as fake:
        files = source(fake).land(tmp_path)
        counts = [len(list(read_lines(file.path))) for file in files]
        assert [Path(file.name).name.split("-")[-1].split(".")[0] for file in files] == ["issues", "lists"]
        assert counts == [3, 1]
        report = load_landed(connection, files, source="github")
        assert (report.lines_read, report.loaded, report.superseded, report.rejected) == (4, 4, 0, 0)
        labels = connection.execute(
            "select json_array_length(record, '$.labels') from raw.issues where number = 2"
        )
        assert labels.fetchall() == [(31,)]


def test_the_state_is_that_of_the_files(tmp_path: Path) -> None:
    with serving(world_of(250)) as fake:
        fake.faults.append(Fault(is_page, breakage.refused(400, "no"), skip=2))
        first = source(fake)
        first.land(tmp_path)
        assert "400" in first.failures[0]
        folder = Folder(tmp_path / "github" / "4000")
        run = folder.open_run("backfill", "increment")
        assert run is not None and (run.pages, len(run.landed), run.is_last_page_here) == (2, 200, False)
        assert folder.known() == Known()
        asked = len(fake.requests)
        again = source(fake)
        again.land(tmp_path)
        assert again.failures == [] and len(fake.requests) - asked == 2
        assert folder.open_run("backfill", "increment") is None
        # By the server's clock, when the backfill began: not when it was resumed.
        assert folder.known().watermark == "2026-03-02T09:00:00+00:00"
        assert folder.known().numbers == set(range(1, 251))
        assert page_names(tmp_path) == [f"0001-backfill-{page:06d}-issues.page.json.gz" for page in (1, 2, 3)]


def test_a_full_refresh_fetches_everything_again(tmp_path: Path) -> None:
    with serving(world_of(150)) as fake:
        source(fake).land(tmp_path)
        source(fake).land(tmp_path)
        refresh = source(fake, full_refresh=True)
        refresh.land(tmp_path)
        assert [name.rsplit("-", 2)[0] for name in page_names(tmp_path)] == [
            *2 * ["0001-backfill"],
            "0003-increment",
            *2 * ["0005-backfill"],
        ]
        assert refresh.reports[0].known == 150


def test_a_sweep_fetches_what_never_landed(tmp_path: Path) -> None:
    with serving(world_of(5)) as fake:
        fake.faults.append(Fault(is_page, breakage.node_error(2, "FORBIDDEN")))
        lossy = source(fake)
        lossy.land(tmp_path)
        assert "1 dead letters" in lossy.failures[0]
        later = source(fake)
        later.land(tmp_path)
        assert later.failures == [] and "1 issues never landed" in later.reports_table()
        healed = source(fake, is_sweep=True)
        healed.land(tmp_path)
        assert healed.failures == []
        assert healed.reports[0].known == 5


@pytest.mark.parametrize(
    "break_it",
    [
        lambda node: node["labels"]["nodes"][0].pop("name"),
        lambda node: node["timelineItems"].__setitem__("nodes", [7]),
        lambda node: node.__setitem__("fullDatabaseId", "x"),
        lambda node: node.__setitem__("milestone", {"title": "v1"}) or node.__setitem__("locked", 0),
    ],
)
def test_a_page_of_which_no_records_can_be_made_does_not_land(
    tmp_path: Path, break_it: Callable[[dict[str, Any]], Any]
) -> None:
    """It would break every later load."""

    def change(body: dict[str, Any]) -> None:
        break_it(body["data"]["repository"]["issues"]["nodes"][1])

    with serving(world_of(3)) as fake:
        fake.faults.append(Fault(is_page, breakage.edited(change)))
        odd = source(fake)
        assert odd.land(tmp_path) == []
        assert "schema error" in odd.failures[0]
        assert len(source(fake).land(tmp_path)) == 1


def test_an_overlap_of_ten_minutes() -> None:
    assert since("2026-03-02T09:05:00+00:00") == "2026-03-02T08:55:00Z"


def test_a_second_run_at_once_is_refused(tmp_path: Path) -> None:
    with serving(world_of(1)) as fake:
        with (
            only_one(tmp_path / "github" / ".lock", "is at it"),
            pytest.raises(GitHubError, match=r"Another run \(process \d+\)"),
        ):
            source(fake).land(tmp_path)
        assert fake.requests == []
        source(fake).land(tmp_path)


@pytest.mark.parametrize("name", ["name", "owner/", "owner/name/more", "owner/na me", "owner/../x"])
def test_what_is_no_repository_is_refused(tmp_path: Path, name: str) -> None:
    with serving(world_of(1)) as fake:
        with pytest.raises(GitHubError, match="is no repository"):
            source(fake, name).land(tmp_path)
        assert fake.requests == []


def test_the_report_says_how_far_it_is(tmp_path: Path) -> None:
    with serving(world_of(250)) as fake:
        fake.faults.append(Fault(is_page, breakage.refused(400, "no"), skip=2))
        stopped = source(fake)
        stopped.land(tmp_path)
        report = stopped.reports[0]
        assert (report.mode, report.issues, report.total, report.points) == ("backfill", 200, 250, 6)
        assert report.issues_per_second == 100
        assert report.expected_end == datetime(2026, 3, 2, 9, 0, 3, 500_000, tzinfo=UTC)
        table = stopped.reports_table()
        assert "| owner/name | backfill | none | 200 of 250 |" in table and "2026-03-02 09:00:03" in table
