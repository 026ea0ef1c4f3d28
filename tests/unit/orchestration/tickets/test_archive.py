"""The archive source and the choice of a source: what lands, what does not, and what the errors say."""

import gzip
import hashlib
from pathlib import Path

import pytest

from orchestration.domains.tickets.sources import SourceError, get_source
from orchestration.domains.tickets.sources.archive import ArchiveSource
from orchestration.settings import Settings
from orchestration.store.landing import land_content, land_file


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "dumps"
    (folder / "secondary" / "jira").mkdir(parents=True)
    (folder / "a__b.jsonl.gz").write_bytes(gzip.compress(b"{}\n", mtime=0))
    (folder / "plain.jsonl").write_bytes(b"{}\n")
    (folder / "SOURCES.md").write_text("no dump")
    (folder / "._a__b.jsonl").write_text("left by a file system")
    (folder / "folder.jsonl").mkdir()
    (folder / "secondary" / "jira" / "c__D.jsonl.gz").write_bytes(gzip.compress(b"[]\n", mtime=0))
    return folder


def test_takes_the_top_level_and_copies_it_as_it_came(archive: Path, tmp_path: Path) -> None:
    landed = ArchiveSource(archive).land(tmp_path / "landing")

    origins = [archive / "plain.jsonl", archive / "a__b.jsonl.gz"]
    hashes = [hashlib.sha256(origin.read_bytes()).hexdigest() for origin in origins]
    assert {file.name for file in landed} == {
        f"archive/plain.{hashes[0][:12]}.jsonl",
        f"archive/a__b.{hashes[1][:12]}.jsonl.gz",
    }
    assert {file.path.read_bytes() for file in landed} == {origin.read_bytes() for origin in origins}
    assert {file.sha256 for file in landed} == set(hashes)
    assert [path.name for path in (tmp_path / "landing").rglob(".*")] == []


def test_takes_the_secondary_subtree_when_asked(archive: Path, tmp_path: Path) -> None:
    landed = ArchiveSource(archive, secondary=True).land(tmp_path / "landing")

    assert sorted(Path(file.name).parent.as_posix() for file in landed) == [
        "archive",
        "archive",
        "archive/secondary/jira",
    ]


def test_takes_the_secondary_folders_that_are_named(archive: Path, tmp_path: Path) -> None:
    (archive / "secondary" / "other").mkdir()
    (archive / "secondary" / "other" / "x.jsonl").write_text("{}\n")
    landed = ArchiveSource(archive, secondary=("jira",)).land(tmp_path / "landing")
    assert {Path(file.name).parent.as_posix() for file in landed} == {"archive", "archive/secondary/jira"}
    with pytest.raises(SourceError, match="no folder 'nowhere' in"):
        ArchiveSource(archive, secondary=("jira", "nowhere")).land(tmp_path / "landing")


@pytest.mark.parametrize(
    ("value", "meant"),
    [("true", True), ("No", False), ("", False), ("jira", ("jira",)), ("jira, sample", ("jira", "sample"))],
)
def test_the_setting_of_the_secondary_subtree(value: str, meant: bool | tuple[str, ...]) -> None:
    assert Settings.from_environment({"ISSUES_ARCHIVE_SECONDARY": value}).archive_secondary == meant


@pytest.mark.parametrize("value", ["../elsewhere", "a/b", ",", ".."])
def test_folders_elsewhere_are_refused(value: str) -> None:
    with pytest.raises(ValueError, match="ISSUES_ARCHIVE_SECONDARY"):
        Settings.from_environment({"ISSUES_ARCHIVE_SECONDARY": value})


def test_a_landed_file_that_was_damaged_is_landed_again(archive: Path, tmp_path: Path) -> None:
    source = ArchiveSource(archive, secondary=True)
    before = {file.path: file.path.read_bytes() for file in source.land(tmp_path / "landing")}
    for path, content in before.items():
        path.write_bytes(content[:-1] + b"!")
    assert {file.path: file.path.read_bytes() for file in source.land(tmp_path / "landing")} == before


def test_what_landed_is_not_copied_again(archive: Path, tmp_path: Path) -> None:
    source = ArchiveSource(archive, secondary=True)
    before = source.land(tmp_path / "landing")
    inodes = [file.path.stat().st_ino for file in before]

    assert source.land(tmp_path / "landing") == before
    assert [file.path.stat().st_ino for file in before] == inodes


def test_changed_content_of_the_same_size_lands_beside_the_old(tmp_path: Path) -> None:
    dump = tmp_path / "a.jsonl"
    dump.write_bytes(b"1\n")
    first = land_file(dump, tmp_path / "landing", Path("archive"))
    dump.write_bytes(b"2\n")
    second = land_file(dump, tmp_path / "landing", Path("archive"))

    assert first.path.read_bytes() == b"1\n"
    assert second.path.read_bytes() == b"2\n"


def test_a_landing_that_fails_leaves_no_file_behind_under_its_name(tmp_path: Path) -> None:
    def broken() -> object:
        yield b"half"
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        land_content(broken(), "a.jsonl", tmp_path, Path("archive"))  # type: ignore[arg-type]
    assert list((tmp_path / "archive").glob("*.jsonl")) == []

    # The next landing takes over what the failed one left.
    landed = land_content([b"whole"], "a.jsonl", tmp_path, Path("archive"))
    assert [path.name for path in (tmp_path / "archive").iterdir()] == [landed.path.name]


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nowhere does not exist: set ISSUES_ARCHIVE to a folder"):
        ArchiveSource(tmp_path / "nowhere").land(tmp_path / "landing")
    assert not (tmp_path / "landing").exists()


def test_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file.jsonl").write_text("{}")
    with pytest.raises(SourceError, match=r"file\.jsonl is no folder"):
        ArchiveSource(tmp_path / "file.jsonl").land(tmp_path / "landing")


def test_a_folder_without_dumps(archive: Path, tmp_path: Path) -> None:
    expected = r"holds no dump at its top level \(\.jsonl, .*Not read: jira is a folder"
    with pytest.raises(SourceError, match=expected):
        ArchiveSource(archive / "secondary").land(tmp_path / "landing")


def test_sources_by_name(tmp_path: Path) -> None:
    assert get_source(Settings.from_environment({})).name == "sample"
    archive = {
        "ISSUES_SOURCE": "archive",
        "ISSUES_ARCHIVE": str(tmp_path),
        "ISSUES_ARCHIVE_SECONDARY": "true",
    }
    assert get_source(Settings.from_environment(archive)) == ArchiveSource(tmp_path, secondary=True)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gitlab", "There is no source 'gitlab': set ISSUES_SOURCE to one of sample, archive, github."),
        ("archive", "ISSUES_SOURCE=archive needs ISSUES_ARCHIVE"),
    ],
)
def test_sources_that_cannot_be_had(name: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        get_source(Settings.from_environment({"ISSUES_SOURCE": name}))
