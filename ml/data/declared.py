"""The contract as it is declared: every column of both frames, and every setting, with type and meaning.

`ml.data.contract` holds data to it, `ml.data.domain` declares the settings; `contract_text` says both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from inspect import getdoc
from typing import get_type_hints

from ml.data.domain import DomainConfig
from ml.data.settings import said_type

SLICE = "slice_"


@dataclass(frozen=True)
class Column:
    """One column of a frame.

    Parameters
    ----------
    name, type, meaning : str
    may_be_empty : bool
        Whether values may be missing.
    """

    name: str
    type: str
    meaning: str
    may_be_empty: bool = False


ITEM_COLUMNS = (
    Column("item_id", "text or whole number", "What is looked at, one of its kind: a parcel, a request."),
    Column("event_at", "time", "When the item is looked at; every feature must have been known by then."),
    Column("entity_id", "text or number", "Whom the item belongs to: an author, an account.", True),
    Column(
        "group_id",
        "text or number",
        "The list that a ranker orders, and what intervals draw together: a batch, a week of a place.",
        True,
    ),
)
FREE_COLUMNS = (
    Column(
        "any other name",
        "number, true or false, or text",
        "A feature, one at least. Texts are categories, those named text or text_* are read word by word.",
        True,
    ),
    Column(
        f"{SLICE}*",
        "text or number, or a list of texts",
        "A slice of the bias report, never a feature; none, one or more.",
        True,
    ),
)
LABEL_COLUMNS = (
    Column("item_id", "text or whole number", "The item; one label each, and no item without one."),
    Column("y", "number, 0 or more", "Hours to the item's end, or 0 and 1; empty when censored.", True),
    Column("is_censored", "true or false", "Whether the end, or the class, is not known."),
    Column("observed_until", "time", "Until when the item was watched, whether it ended or not."),
    Column("relevance", "whole number from 0 to 30", "The grade that a ranker learns.", True),
    Column("weight", "number above 0", "How much the item counts; empty counts as 1.", True),
    Column("labelled_at", "time", "When y became known: the end itself; empty when censored.", True),
)


def contract_text() -> str:
    """Return the contract for people: both frames and the settings, as aligned text."""
    settings = _settings()
    return "\n\n".join(
        [
            "A training set is a folder with train.parquet (a row per item and observation time),\n"
            "label.parquet (a row per item; not needed to score) and, if wished, domain.json (settings).\n"
            "All columns that are named must be there; those marked * may have empty values. Times are\n"
            "timestamps in UTC without zone.",
            "train.parquet\n" + _table([*ITEM_COLUMNS, *FREE_COLUMNS]),
            "label.parquet\n" + _table(LABEL_COLUMNS),
            "domain.json: every setting is optional\n" + _table(settings),
        ]
    )


def _settings() -> list[Column]:
    """Return the settings of a domain: types by the annotations, meanings by the docstring."""
    text = str(getdoc(DomainConfig))
    found = re.findall(r"^(\w+) : [^\n]*\n((?: {4}[^\n]*\n?)+)", text, flags=re.MULTILINE)
    meanings = {name: " ".join(meaning.split()) for name, meaning in found}
    kinds = get_type_hints(DomainConfig, include_extras=True)
    return [Column(one.name, said_type(kinds[one.name]), meanings[one.name]) for one in fields(DomainConfig)]


def _table(columns: list[Column] | tuple[Column, ...]) -> str:
    names = [f"{column.name}{' *' if column.may_be_empty else ''}" for column in columns]
    width, kinds = max(map(len, names)), max(min(34, len(column.type)) for column in columns)
    return "\n".join(
        f"  {name:<{width}}  {column.type:<{kinds}}  {column.meaning}"
        for name, column in zip(names, columns, strict=True)
    )
