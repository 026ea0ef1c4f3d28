"""What was like a ticket: the most similar earlier ones of its repository, and what became of them."""

from time import perf_counter

import dagster as dg
import duckdb
import pandas as pd
from pydantic import Field

from orchestration.defs.executor import HOLDS_DATABASE
from orchestration.defs.resources import Project
from orchestration.defs.unchanged import unless_unchanged
from orchestration.domains.tickets.domain import DOMAIN
from orchestration.store.results import replace_table
from orchestration.tables import SIMILAR_TICKETS

# Only the beginning of a text is compared; a ticket that is gone from the tracker helps nobody.
_TICKETS = """
select
    issue.item_id, issue.repository, issue.title, left(issue.body, ?) as body, issue.created_at,
    ticket.item_id is not null as is_open
from intermediate.int_issue__cleaned as issue
left join training.tickets_open as ticket on issue.item_id = ticket.item_id
where issue.item_id not in (select item_id from staging.stg_github__tombstone)
order by issue.repository, issue.created_at, issue.number
"""

_TOLD = """
select
    ticket.item_id, ticket.repository, ticket.number, pair.rank, pair.similar_item_id, pair.score,
    other.title,
    -- Jira's names begin with "jira:", and what is made up has no page.
    coalesce(
        issues.record ->> '$.html_url',
        case
            when issues.source <> 'sample' and not contains(other.repository, ':')
                then 'https://github.com/' || other.repository || '/issues/' || other.number
        end
    ) as url,
    if(other.is_closed, 'closed', 'open') as state,
    closing.resolution_kind,
    resolution.resolution_hours
from pairs as pair
join training.tickets_open as ticket on pair.item_id = ticket.item_id
join intermediate.int_issue__cleaned as other on pair.similar_item_id = other.item_id
join raw.issues on other.repository = issues.repository and other.number = issues.number
join intermediate.int_issue__resolution as resolution on other.item_id = resolution.item_id
left join intermediate.int_issue__closing as closing
    on other.item_id = closing.item_id and closing.is_last and other.is_closed
"""


class Comparing(dg.Config):
    """How many."""

    most: int = Field(default=5, ge=1, description="Similar tickets per open ticket.")


@dg.asset(
    deps=["tickets_open", "int_issue__cleaned", "int_issue__closing", "int_issue__resolution"],
    group_name="serving",
    kinds={"duckdb"},
    op_tags=HOLDS_DATABASE,
)
@unless_unchanged()
def similar_tickets(
    context: dg.AssetExecutionContext, config: Comparing, project: Project
) -> dg.MaterializeResult:
    """What was like every open ticket: the most similar earlier ones of its repository, `tickets.similar`."""
    from ml.encoding.neighbours import SimilarityConfig

    with project.database() as database:
        tickets = read_texts(database, SimilarityConfig().characters)
    began = perf_counter()
    pairs = find_similar(tickets, config.most)
    seconds = perf_counter() - began
    with project.database() as database:
        load_similar(database, pairs)
    project.publish(DOMAIN)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(pairs),
            "dagster/column_schema": project.column_schema(SIMILAR_TICKETS.name),
            "open": int(tickets["is_open"].sum()),
            "with_similar_ones": pairs["item_id"].nunique(),
            "compared": len(tickets),
            "seconds": round(seconds, 2),
        }
    )


def read_texts(database: duckdb.DuckDBPyConnection, characters: int) -> pd.DataFrame:
    """All tickets with the texts that are compared, and which of them are open."""
    return database.execute(_TICKETS, [characters]).df()


def find_similar(tickets: pd.DataFrame, most: int) -> pd.DataFrame:
    """The most similar earlier tickets of every open one.

    Parameters
    ----------
    tickets : DataFrame
        As `read_texts` gives them.
    most : int
        Tickets per open ticket.

    Returns
    -------
    DataFrame
        ``item_id, similar_item_id, rank, score``.
    """
    from ml.encoding.neighbours import earlier_neighbours

    found = earlier_neighbours(
        tickets["title"],
        tickets["body"],
        tickets["repository"],
        tickets["created_at"],
        most=most,
        asked=tickets["is_open"].to_numpy(bool),
    )
    names = tickets["item_id"].to_numpy()
    return pd.DataFrame(
        {
            "item_id": names[found["row"]],
            "similar_item_id": names[found["other"]],
            "rank": found["rank"],
            "score": found["score"].astype(float),
        }
    )


def load_similar(database: duckdb.DuckDBPyConnection, pairs: pd.DataFrame) -> None:
    """Replace `tickets.similar` by the pairs given, with what became of the other ticket as known now."""
    database.register("pairs", pairs.astype({"item_id": "string", "similar_item_id": "string"}))
    told = database.execute(_TOLD).df()
    database.unregister("pairs")
    replace_table(database, SIMILAR_TICKETS, told, "repository, number, rank")
