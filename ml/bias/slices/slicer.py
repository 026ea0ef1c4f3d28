"""Cutting a frame of tickets into named slices; nothing is measured here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from ml.bias.config import MISSING
from ml.bias.slices.names import slice_name

FAST_HOURS, MEDIUM_HOURS = 5, 24


class DataSlicer:
    """Slices of a frame by repository, seniority, completion time, label and keyword.

    Parameters
    ----------
    df : DataFrame
        Uses, where asked for: ``repo`` (or ``repository``, ``slice_repo``), ``seniority`` (or
        ``slice_seniority``), ``completion_hours_business`` (hours), ``labels`` (or ``slice_label``; a
        comma-separated string or a list per row), ``keywords`` (or ``slice_keyword``, likewise), else the
        text in ``title``, ``body`` and ``text``.

    Raises
    ------
    ValueError
        If ``df`` is empty, a method's column is absent, or a label or keyword is blank.
    """

    def __init__(self, df: pd.DataFrame) -> None:
        if df.empty:
            raise ValueError(f"df is empty (shape {df.shape}): there is nothing to slice")
        self.df = df

    def slice_by_repo(self) -> dict[str, pd.DataFrame]:
        """One slice per repository; rows without one are the slice "(missing)"."""
        return self._by_value("repo", "repository", "slice_repo")

    def slice_by_seniority(self) -> dict[str, pd.DataFrame]:
        """One slice per seniority; rows without one are the slice "(missing)"."""
        return self._by_value("seniority", "slice_seniority")

    def slice_by_completion_time(self) -> dict[str, pd.DataFrame]:
        """``fast`` (under 5 business hours), ``medium`` (under 24), ``slow`` and ``unknown``."""
        hours = self.df[self._column("completion_hours_business")].to_numpy(dtype=float, na_value=np.nan)
        names = np.select(
            [np.isnan(hours), hours < FAST_HOURS, hours < MEDIUM_HOURS], ["unknown", "fast", "medium"], "slow"
        )
        return {
            name: self.df[names == name]
            for name in ("fast", "medium", "slow", "unknown")
            if (names == name).any()
        }

    def slice_by_label(self, label: str) -> dict[str, pd.DataFrame]:
        """Rows that carry exactly this label, and the others: ``bug`` is not in ``debugging``."""
        _named(label, "label")
        has = self._holds(self._column("labels", "slice_label"), lambda values: label in values)
        return {f"has_{label}": self.df[has], f"no_{label}": self.df[~has]}

    def slice_by_keywords(self, keywords: str | Iterable[str]) -> dict[str, pd.DataFrame]:
        """For each keyword the rows that hold it as a whole token, in any case, and the others.

        ``c`` is in neither ``c++`` nor ``c#``.
        """
        slices: dict[str, pd.DataFrame] = {}
        for keyword in [keywords] if isinstance(keywords, str) else keywords:
            _named(keyword, "keyword")
            has = self._has_keyword(keyword)
            slices |= {f"has_{keyword}": self.df[has], f"no_{keyword}": self.df[~has]}
        return slices

    def _has_keyword(self, keyword: str) -> pd.Series:
        listed = next((name for name in ("keywords", "slice_keyword") if name in self.df), None)
        if listed is not None:
            wanted = keyword.lower()
            return self._holds(listed, lambda values: wanted in {value.lower() for value in values})
        texts = [name for name in ("title", "body", "text") if name in self.df]
        if not texts:
            self._column("keywords", "slice_keyword", "title", "body", "text")
        token = re.compile(rf"(?<![\w+#]){re.escape(keyword)}(?![\w+#])", re.IGNORECASE)
        joined = self.df[texts].fillna("").astype(str).agg("\n".join, axis=1)
        return joined.map(lambda text: token.search(text) is not None).astype(bool)

    def _by_value(self, *candidates: str) -> dict[str, pd.DataFrame]:
        values = self.df[self._column(*candidates)]
        names = values.astype(object).map(slice_name).where(values.notna(), MISSING)
        return {str(name): group for name, group in self.df.groupby(names.to_numpy(), sort=True)}

    def _column(self, *candidates: str) -> str:
        for name in candidates:
            if name in self.df:
                return name
        raise ValueError(f"df has no column {' or '.join(map(repr, candidates))}; it has {list(self.df)}")

    def _holds(self, column: str, test: Callable[[list[str]], bool]) -> pd.Series:
        return self.df[column].map(lambda cell: test(values_of(cell))).astype(bool)


def _named(text: str, what: str) -> None:
    if not text.strip():
        raise ValueError(f"The {what} {text!r} is empty: every row, and none, would hold it")


def values_of(cell: Any) -> list[str]:
    """The values in a cell: a list's elements, or the parts of a comma-separated string."""
    if isinstance(cell, str):
        return [part.strip() for part in cell.split(",") if part.strip()]
    if isinstance(cell, list | tuple | set | np.ndarray):
        return [str(value) for value in cell]
    return [] if pd.isna(cell) else [str(cell)]
