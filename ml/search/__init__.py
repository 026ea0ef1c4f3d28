"""The search for parameters, for every task."""

from __future__ import annotations

from ml.search.study import SearchRequest, SearchResult, search

__all__ = ["SearchRequest", "SearchResult", "search"]
