"""Wrong usages of ``python -m orchestration``: one sentence on standard error, and nothing written."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.__main__ import main

# {dumps}: an archive without one issue; {free}: a folder to write to; {file}: a file.
SET = "training-set --domain tickets"
WRONG: list[tuple[str, str]] = [
    ("", "the following arguments are required: COMMAND"),
    ("exprot", "invalid choice: 'exprot'"),
    ("export", "the following arguments are required: --output"),
    ("export --output", "argument --output: expected one argument"),
    ("export --output {file}", "is a file; name another folder"),
    ("export --output {file}/below", "is a file; name another folder"),
    ("export --output {free} --format csv", "unrecognized arguments: --format csv"),
    ("training-set", "the following arguments are required: --domain, --output"),
    ("training-set --domain weather --archive {dumps} --output {free}/out", "invalid choice: 'weather'"),
    (f"{SET} --output {{free}}/out", "one of the arguments --batches --archive is required"),
    (f"{SET} --archive {{dumps}}", "the following arguments are required: --output"),
    (f"{SET} --archive {{dumps}} --batches {{dumps}} --output {{free}}/out", "not allowed with argument"),
    (f"{SET} --archive {{free}}/none --output {{free}}/out", "There is no folder"),
    (f"{SET} --archive {{file}} --output {{free}}/out", "There is no folder"),
    (f"{SET} --archive {{dumps}} --output {{file}}", "is a file; name another folder"),
    (f"{SET} --archive {{dumps}} --output {{file}}/below", "is a file; name another folder"),
    (f"{SET} --archive {{dumps}} --output {{free}}/out --rows 5", "unrecognized arguments: --rows 5"),
    ("training-set --domain alerts --batches {free}/none --output {free}/out", "There is no folder"),
    ("training-set --domain alerts --batches {dumps} --output {free}/out", "{dumps}"),
    ("training-set --domain alert_clusters --batches {dumps} --output {free}/out", "{dumps}"),
]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    root: Path = tmp_path_factory.mktemp("usage")
    for name in ("dumps", "free"):
        (root / name).mkdir()
    (root / "file").write_text("a file")
    return {path.name: str(path) for path in root.iterdir()}


@pytest.mark.parametrize(("usage", "sentence"), WRONG, ids=[usage for usage, _ in WRONG])
def test_a_wrong_usage_is_one_sentence(
    usage: str,
    sentence: str,
    places: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path))
    try:
        code = main([word.format(**places) for word in usage.split()])
    except SystemExit as stopped:
        code = int(stopped.code or 0)
    shown = capsys.readouterr()
    (said,) = [line for line in shown.err.splitlines() if line.startswith("error: ")]
    assert code != 0 and sentence.format(**places) in said
    assert "Traceback" not in shown.err and not shown.out
    assert not list(Path(places["free"]).iterdir())


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("REJECTED_SHARE_LIMIT", "x", "it must be a number from 0 to 1"),
        ("REJECTED_SHARE_LIMIT", "2", "it must be a number from 0 to 1"),
        ("TICKET_SCOPE", "some", "it must be one of all, assigned"),
        ("GITHUB_BUDGET_SECONDS", "-1", "it must be a number of seconds above 0"),
        ("GITHUB_BUDGET_SECONDS", "soon", "it must be a number of seconds above 0"),
        ("GITHUB_API_URL", "ftp://host", "it must be http:// or https:// with a host"),
    ],
)
def test_a_wrong_variable_is_one_sentence(
    name: str,
    value: str,
    sentence: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path / "warehouse"))
    monkeypatch.setenv(name, value)
    assert main(["export", "--output", str(tmp_path / "out")]) == 1
    shown = capsys.readouterr()
    assert shown.err.startswith(f"error: {name} is {value!r}; {sentence}") and shown.err.count("\n") == 1
    assert not shown.out and not (tmp_path / "out").exists()
