"""What the models say of the tickets that are open now, into DuckDB: one row per ticket, and per day."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from orchestration.domains.tickets.serving.served import Served
from orchestration.domains.tickets.serving.wording import say_reasons
from orchestration.facts import FACTS
from orchestration.store.history import remember_day
from orchestration.store.results import write_table
from orchestration.store.warehouse import transaction
from orchestration.tables import PREDICTION_HISTORY, TICKET_PREDICTIONS

if TYPE_CHECKING:
    from ml.tasks.remaining.model import RemainingModel

# Of what is later no model says more than that it is not soon, and a date would look like knowledge.
LAST_DATE_HOURS = 10 * 365.25 * 24
# More than are shown: some say the same.
REASONS = 15
HORIZONS = FACTS["horizons_days"]
OUT_OF_SCOPE = "The ticket is outside of TICKET_SCOPE, so it has no features."
NO_CHAMPION = "There is no champion, so no ticket is predicted: see the reasons on best_model."
SEEN_FROM_CREATION = (
    "No model of the remaining time has been trained, so the hours are those seen from the creation: see "
    "the log of models/remaining."
)


@dataclass(frozen=True, eq=False)
class OpenTickets:
    """The tickets that are open, and their features.

    Parameters
    ----------
    tickets : DataFrame
        As `training.tickets_open` has them.
    now, created : DataFrame
        The features of those that have some, one row each in one order: at the end of their repository's
        records, and at their creation.
    """

    tickets: pd.DataFrame
    now: pd.DataFrame
    created: pd.DataFrame


def read_open_tickets(database: duckdb.DuckDBPyConnection) -> OpenTickets:
    """The tickets that are open, with their features."""
    tickets = database.sql("from training.tickets_open order by repository, number").df()
    now, created = (
        # By way of Arrow, as snapshots are read: the same types.
        database.sql(query).to_arrow_table().to_pandas()
        for query in (
            "from training.remaining_open order by item_id",
            "from training.train_remaining where age_days = 0 "
            "and item_id in (select item_id from training.remaining_open) order by item_id",
        )
    )
    return OpenTickets(tickets, now, created)


def predict_open(opened: OpenTickets, served: Served, web: str) -> pd.DataFrame:
    """The rows of `tickets.predictions`, one per open ticket.

    What the ticket is older than is never shown: neither the chance of a horizon that it has outlived nor,
    given its age, a closing in the past. A ticket without features has no prediction, but a reason.

    Parameters
    ----------
    opened : OpenTickets
    served : Served
    web : str
        Address of the host of the tickets' pages.
    """
    rows = shown(opened.tickets, web)
    if len(opened.now):  # encoders take no empty frame
        told = [life(opened.now), hours(opened, served), order(opened, served)]
        rows = rows.merge(pd.concat(told, axis=1), on="item_id", how="left")
        rows["triage_rank"] = rows.groupby("repository")["triage_rank"].rank(method="first").astype("Int64")
    rows = rows.reindex(columns=list(TICKET_PREDICTIONS.columns))
    rows.loc[~rows["item_id"].isin(opened.now["item_id"]), "reason"] = OUT_OF_SCOPE
    return rows


def shown(tickets: pd.DataFrame, web: str) -> pd.DataFrame:
    """What a reader knows of a ticket already."""
    page = web + "/" + tickets["repository"] + "/issues/" + tickets["number"].astype(str)
    return tickets.drop(columns="is_on_github").assign(
        url=page.where(tickets["is_on_github"], None), scored_at=datetime.now(UTC).replace(tzinfo=None)
    )


def life(now: pd.DataFrame) -> pd.DataFrame:
    """Whether somebody answered, and how long an answer has been waited for."""
    answers = now[["n_comments_member", "n_comments_other"]].sum(axis=1, min_count=1)
    return pd.DataFrame(
        {
            "item_id": now["item_id"],
            "is_answered": (answers > 0).astype("boolean").mask(answers.isna()),
            "waiting_days": now["waiting_days"],
        }
    )


def hours(opened: OpenTickets, served: Served) -> pd.DataFrame:
    """How long they will take by the model of the remaining time, or else as seen from the creation."""
    age = opened.now["age_days"].to_numpy(float)
    if served.remaining is not None:
        return remaining(opened, *served.remaining, age)
    if served.hours is None:
        return pd.DataFrame({"reason": [NO_CHAMPION] * len(age)})
    model, version = served.hours
    told = model.predict(opened.created)
    return pd.DataFrame(
        {
            "predicted_hours": told["y_pred"],
            "p10": told["p10"],
            "p90": told["p90"],
            **{
                name: told[name].where(age < days) for days, name in ((d, f"p_within_{d}d") for d in HORIZONS)
            },
            "is_overdue": age * 24 > told["p90"],
            "model_version": version,
            "reason": SEEN_FROM_CREATION,
        }
    )


def remaining(
    opened: OpenTickets, model: "RemainingModel", version: str, age: NDArray[np.float64]
) -> pd.DataFrame:
    """The same by the model of the remaining time, which counts from the end of the records on."""
    x = model.encoded(opened.now)
    ahead, from_start = model.forecast_encoded(x, age), model.forecast(opened.created)
    median, low, high = (ahead.hours(share) for share in (0.5, 0.1, 0.9))
    closing = opened.now["event_at"] + pd.to_timedelta(median, unit="h").round("s")
    features = opened.now.to_dict("records")
    return pd.DataFrame(
        {
            "predicted_hours": age * 24 + median,
            "p10": age * 24 + low,
            "p90": age * 24 + high,
            "remaining_hours": median,
            "remaining_p10": low,
            "remaining_p90": high,
            "expected_closing_at": closing.where(median <= LAST_DATE_HOURS),
            **{f"p_within_{days}d": ahead.ended_within(days) for days in HORIZONS},
            "is_overdue": age * 24 > from_start.hours(0.9),
            "reasons": [
                say_reasons(reasons, values)
                for reasons, values in zip(model.reasons_encoded(x, age, REASONS), features, strict=True)
            ],
            "model_version": version,
            "reason": None,
        }
    )


def order(opened: OpenTickets, served: Served) -> pd.DataFrame:
    """What the scorer and the ranker say, which know a ticket from its creation only."""
    columns: dict[str, Any] = {"triage_rank": pd.Series(np.nan, index=opened.created.index)}
    if served.triage is not None:
        columns["triage_rank"] = -served.triage.predict(opened.created, reasons_to_rank=1)["score"]
    if served.late is not None:
        chance = served.late.predict(opened.created, reasons_to_rank=1)["probability"]
        columns["late_probability"] = chance.where(opened.now["age_days"] < served.late_days)
    return pd.DataFrame(columns)


def load_predictions(database: duckdb.DuckDBPyConnection, predictions: pd.DataFrame, days_kept: int) -> None:
    """Replace `tickets.predictions` by the rows given, and `tickets.prediction_history` of the same day."""
    with transaction(database):
        write_table(database, TICKET_PREDICTIONS, predictions, "repository, number")
        if len(predictions):
            day = predictions["scored_at"].max().date()
            remember_day(database, PREDICTION_HISTORY, TICKET_PREDICTIONS, day, days_kept)
