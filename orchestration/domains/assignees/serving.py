"""Whom to propose for the tickets that are open now, into DuckDB: a short list per ticket, with reasons."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import duckdb
import pandas as pd

from orchestration.domains.assignees.reasons import in_words
from orchestration.store.results import replace_table
from orchestration.tables import ASSIGNEE_CANDIDATES

if TYPE_CHECKING:
    from ml.tasks.scoring.model import ScoringModel

PROPOSED = [
    "item_id", "login", "rank", "probability", "is_confident", "why", "reasons", "observed_at",
    "model_version",
]  # fmt: skip


def of_repositories(items: pd.DataFrame, repositories: Sequence[str]) -> pd.DataFrame:
    """The candidates of the open tickets of some repositories; of all when none is named.

    Raises
    ------
    ValueError
        A repository has no open ticket with candidates; the sentence names it.
    """
    if not repositories:
        return items
    unknown = sorted(set(repositories) - set(items["slice_repo"]))
    if unknown:
        raise ValueError(
            f"The repositories {unknown} have no open ticket with candidates: name them as tickets.* does."
        )
    return items[items["slice_repo"].isin(repositories)].reset_index(drop=True)


def propose(items: pd.DataFrame, model: "ScoringModel", version: str, most: int) -> pd.DataFrame:
    """The most likely people of every open ticket.

    Parameters
    ----------
    items : DataFrame
        Candidates in the shape of the training relation; `group_id` is the ticket, `entity_id` the person.
    model : ScoringModel
        One of questions: it knows when to propose nobody.
    version : str
        Version of the model.
    most : int
        People per ticket.

    Returns
    -------
    DataFrame
        The columns of `tickets.assignee_candidates` but repository and number, best rank first.
    """
    if items.empty:  # no ticket is open, or nobody was seen where one is
        return pd.DataFrame(columns=PROPOSED)
    scored = model.score_new(items, reasons_to_rank=most)
    chosen = (scored["rank"] <= most).to_numpy()
    items, scored = items[chosen], scored[chosen]
    return (
        pd.DataFrame(
            {
                "item_id": items["group_id"].to_numpy(),
                "login": items["entity_id"].to_numpy(),
                "rank": scored["rank"].to_numpy(),
                "probability": scored["probability"].to_numpy(),
                "is_confident": scored["is_confident"].to_numpy(),
                "why": [
                    in_words(reasons, values)
                    for reasons, values in zip(scored["reasons"], items.to_dict("records"), strict=True)
                ],
                "reasons": scored["reasons"].to_numpy(),
                "observed_at": items["event_at"].to_numpy(),
                "model_version": version,
            }
        )
        .sort_values(["item_id", "rank"])
        .reset_index(drop=True)
    )


def load_candidates(database: duckdb.DuckDBPyConnection, proposed: pd.DataFrame) -> None:
    """Replace `tickets.assignee_candidates` by the rows whose ticket is open, and what the person has now."""
    tickets = database.sql("select item_id, repository, number from training.tickets_open").df()
    load = database.sql(
        """
        select repository, assignee_login as login, count(*) as current_load
        from training.tickets_open inner join staging.stg_github__assignee using (item_id)
        group by all
        """
    ).df()
    rows = proposed.merge(tickets, on="item_id").merge(load, on=["repository", "login"], how="left")
    rows["current_load"] = rows["current_load"].fillna(0)
    replace_table(database, ASSIGNEE_CANDIDATES, rows, "repository, number, rank")
