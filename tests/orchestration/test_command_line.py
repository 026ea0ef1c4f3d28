"""`python -m orchestration`: commands, and errors in a sentence."""

from pathlib import Path

import pytest

from orchestration.__main__ import main


def test_nothing_to_export_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path))
    assert main(["export", "--output", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err == "error: There is nothing to export: run the pipeline first.\n"


def test_a_command_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([])
    assert "COMMAND" in capsys.readouterr().err
