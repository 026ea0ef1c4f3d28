"""What each generic dbt test asks, in words for the checks of the UI."""

from collections.abc import Mapping
from typing import Any


def in_words(asked: Mapping[str, Any]) -> str:
    """Say what a test asks, given the metadata that dbt's manifest keeps of it."""
    given = asked["kwargs"]
    if asked["name"] == "same_rows":
        return f"It has the rows of {_model(given['other'])}, by {_list(given['columns'])}."
    if asked["name"] == "all_read":
        return f"Every entry of {given['entries']} in {_model(given['record'])} became a row."
    told = [f"One row per {_list(key)}." for key in given.get("keys", [])]
    if columns := given.get("never_null"):
        told.append(f"Never null: {_list(columns)}.")
    return " ".join([*told, *(f"`{condition}`." for condition in given.get("holds", []))])


def _model(reference: str) -> str:
    return reference.removeprefix("ref('").removesuffix("')")


def _list(columns: list[str]) -> str:
    return ", ".join(columns)
