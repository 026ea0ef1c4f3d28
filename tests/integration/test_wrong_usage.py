"""Runs that cannot work: one sentence says why, and nothing is left behind."""

import json
from pathlib import Path

import dagster as dg
import pytest

from orchestration.domains.tickets.assets import trained_models
from orchestration.domains.tickets.landed.ingestion import raw_issues
from tests.integration.pipeline import materialize, materialize_here


def test_the_command_ends_with_the_sentence(tmp_path: Path) -> None:
    answer = materialize(tmp_path, "raw_issues", {}, ISSUES_SOURCE="nowhere")
    assert answer.returncode != 0
    assert "There is no source 'nowhere'" in answer.stdout
    assert not list(tmp_path.rglob("warehouse.duckdb"))


@pytest.mark.parametrize(
    ("settings", "asset", "sentence"),
    [
        ({"ISSUES_SOURCE": "nowhere"}, raw_issues, "There is no source 'nowhere'"),
        ({"ISSUES_SOURCE": "github"}, raw_issues, "GITHUB_"),
        ({"ISSUES_SOURCE": "archive", "ISSUES_ARCHIVE": "/does/not/exist"}, raw_issues, "does not exist"),
        ({"TICKET_SCOPE": "some"}, raw_issues, "must be one of all, assigned"),
        ({}, trained_models, "There is no training snapshot"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(
    tmp_path: Path, settings: dict[str, str], asset: dg.AssetsDefinition, sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        materialize_here(asset, tmp_path, **settings)
    assert not list(tmp_path.rglob("warehouse.duckdb"))


def test_an_archive_of_nothing_useful_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    (archive / "empty.jsonl").write_text(json.dumps({"no": "issue"}) + "\nnot json\n")
    sentence = r"brought no issue that could be loaded\. The commonest reason, of 1 records: "
    with pytest.raises(ValueError, match=sentence):
        materialize_here(raw_issues, tmp_path, ISSUES_SOURCE="archive", ISSUES_ARCHIVE=str(archive))
