"""What a run changed in what is published, told in a sentence."""

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from orchestration.settings import Settings


@dataclass(frozen=True)
class Facts:
    """What is published at one time: the champion of the hours, the open tickets."""

    champion: str
    open_tickets: frozenset[str]


def facts(settings: Settings) -> Facts | None:
    """What is published now; None before the first publication, or where the file is no longer as it was."""
    if not settings.published_database.exists():
        return None
    try:
        with duckdb.connect(
            str(settings.published_database), read_only=True, config={"enable_external_access": "false"}
        ) as database:
            tables = database.execute("select schema_name, table_name from duckdb_tables()").fetchall()
            if not {("ml", "models"), ("tickets", "predictions")} <= set(tables):
                return None
            champions = database.execute(
                "select model_version from ml.models"
                " where domain = 'tickets' and task = 'regression' and alias = 'champion'"
            ).fetchall()
            items = database.execute("select item_id from tickets.predictions").fetchall()
    except duckdb.Error:
        return None
    return Facts(champions[0][0] if champions else "none", frozenset(item for (item,) in items))


def changes(before: Facts | None, after: Facts | None) -> Iterator[tuple[str, str]]:
    """The difference as a heading and a sentence; nothing where there is nothing to compare."""
    if before is None or after is None:
        return
    told = []
    if before.champion != after.champion:
        told.append(f"the champion is {after.champion}, before {before.champion}")
    new, gone = after.open_tickets - before.open_tickets, before.open_tickets - after.open_tickets
    if new or gone:
        told.append(f"{len(new):,} tickets newly open, {len(gone):,} no longer open")
    yield "Changed", "; ".join(told) or "nothing: the same champion, the same open tickets"
