"""The settings: what a variable may be, and who wins."""

from pathlib import Path

import pytest

from orchestration.settings import Settings


def test_lists_are_separated_by_commas_and_tokens_are_not_shown() -> None:
    settings = Settings.from_environment(
        {
            "GITHUB_TOKEN": " first , second,",
            "GITHUB_REPOS": "a/b, c/d",
            "GITHUB_API_URL": "https://h/api/v3/",
        }
    )
    assert settings.github_tokens == ("first", "second")
    assert settings.github_repositories == ("a/b", "c/d")
    assert settings.github_api_url == "https://h/api/v3"
    assert "first" not in repr(settings)


def test_nothing_is_set_unless_told() -> None:
    settings = Settings.from_environment({})
    assert (settings.github_tokens, settings.github_repositories) == ((), ())
    assert settings.github_api_url == "https://api.github.com"
    assert settings.github_budget_seconds == 4 * 3600


def test_the_environment_wins_over_the_file_and_an_empty_variable_means_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "settings.env"
    file.write_text("WAREHOUSE_DIR=/of/the/file\nISSUES_ARCHIVE=/dumps\nTICKET_SCOPE=assigned\n")
    monkeypatch.setitem(Settings.model_config, "env_file", file)
    monkeypatch.setenv("WAREHOUSE_DIR", "/given")
    monkeypatch.setenv("ISSUES_ARCHIVE", "")
    monkeypatch.delenv("TICKET_SCOPE", raising=False)

    settings = Settings.from_environment()

    assert settings.warehouse_dir == Path("/given")
    assert settings.issues_archive is None
    assert settings.ticket_scope == "assigned"


@pytest.mark.parametrize(
    ("name", "value", "must"),
    [
        ("REJECTED_SHARE_LIMIT", "2", "a number from 0 to 1"),
        ("REJECTED_SHARE_LIMIT", "nan", "a number from 0 to 1"),
        ("TICKET_SCOPE", "mine", "one of all, assigned"),
        ("DBT_TARGET", "presto", "one of duckdb, spark"),
        ("SPARK_MASTER", "host:7077", "a master of Spark such as local[*] or spark://HOST:7077"),
        ("DUCKDB_MEMORY_LIMIT", "2", "a size such as 2GB or 500MB"),
        ("TRAINING_BACKEND", "threads", "one of local, processes, dask, dask_rows"),
        ("TRAINING_WORKERS", "-1", "a whole number from 0"),
        ("RUN_EXECUTOR", "kubernetes", "one of side_by_side, in_process, multiprocess, or package:attribute"),
        ("WAREHOUSE_DIR", "~nobody-of-this-name/x", "a folder"),
        ("GITHUB_API_URL", "ftp://host", "http:// or https://"),
        ("GITHUB_API_URL", "https://", "http:// or https://"),
        ("GITHUB_API_URL", "https://host:port", "http:// or https://"),
        ("GITHUB_API_URL", "https://[::1", "http:// or https://"),
        ("GITHUB_API_URL", "https://host\\path", "http:// or https://"),
    ],
)
def test_a_bad_value_is_named_with_what_it_must_be(name: str, value: str, must: str) -> None:
    with pytest.raises(ValueError, match=name) as caught:
        Settings.from_environment({name: value, "GITHUB_TOKEN": "of-mine"})
    assert str(caught.value).startswith(f"{name} is {value!r}; it must be {must}")
    assert "of-mine" not in str(caught.value)


@pytest.mark.parametrize("name", ["GITHUB_API_URL", "MLFLOW_TRACKING_URI"])
def test_a_password_in_an_address_is_not_repeated(name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} is what it cannot be; it must be") as caught:
        Settings.from_environment({name: "https://me:my-password@host"})
    assert "my-password" not in str(caught.value)


@pytest.mark.parametrize("value", ["0", "-1", "soon", "inf", "nan"])
def test_a_budget_is_a_number_of_seconds(value: str) -> None:
    with pytest.raises(ValueError, match=f"GITHUB_BUDGET_SECONDS is '{value}'"):
        Settings.from_environment({"GITHUB_BUDGET_SECONDS": value})
