"""The hours of the tickets that are open now, into DuckDB: one row per ticket."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb
import pandas as pd

from orchestration.store.results import replace_table
from orchestration.tables import TICKET_PREDICTIONS

if TYPE_CHECKING:
    from ml.tasks.duration.model import DurationModel

OUT_OF_SCOPE = "The ticket is outside of TICKET_SCOPE, so it has no features."


def read_open_tickets(database: duckdb.DuckDBPyConnection) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tickets that are open, and the newest features of those that have some."""
    tickets = database.sql("select item_id, repository, number from training.tickets_open").df()
    items = database.sql(
        """
        from training.train_tickets
        where item_id in (select item_id from training.tickets_open)
        qualify row_number() over (partition by item_id order by event_at desc) = 1
        order by item_id
        """
    )
    # By way of Arrow, as snapshots are read: the same types.
    return tickets, items.to_arrow_table().to_pandas()


def predict_open(
    tickets: pd.DataFrame, items: pd.DataFrame, model: "DurationModel", version: str
) -> pd.DataFrame:
    """The rows of `tickets.predictions`, one per open ticket.

    Parameters
    ----------
    tickets, items : DataFrame
        As `read_open_tickets` gives them. A ticket without features has no prediction, but a reason.
    model : DurationModel
        The champion.
    version : str
        Its version.
    """
    if items.empty:  # encoders take no empty frame
        return unpredicted(tickets, OUT_OF_SCOPE)
    predicted = model.predict(items).rename(columns={"y_pred": "predicted_hours"})
    known = pd.concat([items[["item_id"]], predicted], axis=1).assign(model_version=version)
    missing = tickets[~tickets["item_id"].isin(known["item_id"])]
    rows = pd.concat([tickets.merge(known, on="item_id"), unpredicted(missing, OUT_OF_SCOPE)])
    return rows.assign(scored_at=_now())


def unpredicted(tickets: pd.DataFrame, reason: str) -> pd.DataFrame:
    """Rows of tickets that have no prediction, with the reason."""
    return tickets.assign(reason=reason, scored_at=_now())


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def load_predictions(database: duckdb.DuckDBPyConnection, predictions: pd.DataFrame) -> None:
    """Replace `tickets.predictions` by the rows given."""
    replace_table(database, TICKET_PREDICTIONS, predictions, "repository, number")
