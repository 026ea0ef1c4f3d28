"""The scores of the newest batch into DuckDB: one row per alert, with rank, reasons and model versions."""

from typing import TYPE_CHECKING

import duckdb
import pandas as pd

from orchestration.facts import FACTS
from orchestration.store.results import replace_table
from orchestration.tables import ALERT_SCORES

if TYPE_CHECKING:
    from ml.tasks.scoring.model import ScoringModel

CRITICAL = FACTS["severities"].index("critical")


def score_newest_batch(
    items: pd.DataFrame,
    scorer: "ScoringModel",
    ranker: "ScoringModel",
    versions: tuple[str, str],
    cut: int,
) -> pd.DataFrame:
    """Score every alert of the newest batch once.

    Parameters
    ----------
    items : DataFrame
        The training relation's items, all batches.
    scorer, ranker : ScoringModel
        The scorer gives probability and reasons, the ranker the order.
    versions : tuple of str
        Model versions of scorer and ranker.
    cut : int
        Last rank that is reviewed: a critical alert is never ranked below it, as long as there is room.

    Returns
    -------
    DataFrame
        The columns of `alerts.scores`, best rank first.
    """
    from ml.stats.rank_metrics import hold_above_cut

    newest = items.loc[items["event_at"] == items["event_at"].max()].reset_index(drop=True)
    scored, ordered = scorer.score_new(newest), ranker.score_new(newest)
    rank = ordered["rank"].to_numpy().copy()
    is_critical = (newest["severity_rank"] >= CRITICAL).to_numpy()
    for batch in sorted(newest["group_id"].unique()):
        rows = (newest["group_id"] == batch).to_numpy()
        rank[rows] = hold_above_cut(rank[rows], is_critical[rows], cut)
    return (
        pd.DataFrame(
            {
                "item_id": newest["item_id"],
                "batch_id": newest["group_id"],
                "event_at": newest["event_at"],
                "probability": scored["probability"],
                "is_flagged": scored["probability"] >= scorer.threshold,
                "rank": rank,
                "is_held_above_cut": is_critical & (ordered["rank"].to_numpy() > cut),
                "reasons": scored["reasons"],
                "scorer_version": versions[0],
                "ranker_version": versions[1],
            }
        )
        .sort_values(["batch_id", "rank"])
        .reset_index(drop=True)
    )


def load_scores(database: duckdb.DuckDBPyConnection, scores: pd.DataFrame) -> None:
    """Replace `alerts.scores` by the rows given."""
    replace_table(database, ALERT_SCORES, scores, "batch_id, rank")
