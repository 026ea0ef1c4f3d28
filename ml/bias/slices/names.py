"""Names of slices: different values, or different combinations of them, never share one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ml.bias.config import MISSING, SMALL_SLICES

# A name that the toolkit gives itself, in any number of quotes.
_OURS = re.compile(f'"*(?:{re.escape(MISSING)}|{re.escape(SMALL_SLICES)})"*')


def slice_name(value: Any) -> str:
    """Name of the slice of a value; one that reads like a name of ours is put in quotes."""
    text = str(value)
    return f'"{text}"' if _OURS.fullmatch(text) else text


def joined(names: Iterable[str], separator: str) -> str:
    """Names in one text; one that holds the separator, or begins with a quote, is quoted as in CSV."""
    mark = separator.strip()
    return separator.join(
        '"' + name.replace('"', '""') + '"' if mark in name or name.startswith('"') else name
        for name in names
    )
