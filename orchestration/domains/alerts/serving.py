"""The scores of a batch into DuckDB: one row per alert, with both orders, reasons and model versions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import duckdb
import pandas as pd

from orchestration.facts import FACTS
from orchestration.store.results import replace_table
from orchestration.tables import ALERT_SCORES

if TYPE_CHECKING:
    from ml.tasks.scoring.model import ScoringModel

CRITICAL = FACTS["severities"].index("critical")


def chosen_batches(items: pd.DataFrame, batches: Sequence[str]) -> pd.DataFrame:
    """The alerts of the batches that are named, or of the newest when none is.

    Raises
    ------
    ValueError
        A batch is not there; the sentence names it.
    """
    if not batches:
        return items.loc[items["event_at"] == items["event_at"].max()].reset_index(drop=True)
    known = sorted(items["group_id"].astype(str).unique())
    unknown = sorted(set(batches) - set(known))
    if unknown:
        raise ValueError(
            f"The batches {unknown} are not in the snapshot: the newest one is {known[-1]}; name batches as "
            "processing date/window, and load them first."
        )
    return items.loc[items["group_id"].isin(batches)].reset_index(drop=True)


def score_batches(
    items: pd.DataFrame,
    scorer: "ScoringModel",
    ranker: "ScoringModel",
    versions: tuple[str, str],
    cut: int,
) -> pd.DataFrame:
    """Score every alert once.

    Parameters
    ----------
    items : DataFrame
        Whole batches of the training relation's items.
    scorer, ranker : ScoringModel
        The scorer gives probability and reasons, the ranker the order.
    versions : tuple of str
        Model versions of scorer and ranker.
    cut : int
        Last rank that is reviewed; a critical alert is reviewed whatever its rank.

    Returns
    -------
    DataFrame
        The columns of `alerts.scores`, best rank first.
    """
    scored, ordered = scorer.predict(items), ranker.predict(items, top=0)
    is_critical = (items["severity_rank"] >= CRITICAL).to_numpy(dtype=bool)
    return (
        pd.DataFrame(
            {
                "item_id": items["item_id"],
                "batch_id": items["group_id"],
                "event_at": items["event_at"],
                "probability": scored["probability"],
                "is_flagged": scored["probability"] >= scorer.threshold,
                "probability_rank": scored["rank"],
                "rank": ordered["rank"],
                "must_review": is_critical,
                "is_held_above_cut": is_critical & (ordered["rank"] > cut),
                "may_be_known": scorer.may_know(items) | ranker.may_know(items),
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
