"""The settings of the live source."""

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


@pytest.mark.parametrize("value", ["0", "-1", "soon", "inf", "nan"])
def test_a_budget_is_a_number_of_seconds(value: str) -> None:
    with pytest.raises(ValueError, match=f"GITHUB_BUDGET_SECONDS is '{value}'"):
        Settings.from_environment({"GITHUB_BUDGET_SECONDS": value})
