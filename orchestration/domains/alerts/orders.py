"""How good the orders of review are: by probability, by the ranker, and with critical alerts first."""

import duckdb
import numpy as np
import pandas as pd

from orchestration.domains.alerts.serving import CRITICAL
from orchestration.store.results import replace_table
from orchestration.tables import ALERT_ORDERS

METRICS = ("precision@20", "ndcg@10", "average_precision")
ORDERS = ("probability", "rank", "must_review_first")


def measure_orders(scored: pd.DataFrame, ranked: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """Measure the three orders on the test alerts whose grade is known.

    Parameters
    ----------
    scored, ranked : DataFrame
        Prediction tables of the scorer and of the ranker.
    items : DataFrame
        The training relation's items, with the severity.

    Returns
    -------
    DataFrame
        The columns of `alerts.review_orders`; intervals draw batches.
    """
    from ml.tasks.scoring.figures import ScoredRows, scoring_metrics
    from ml.tasks.scoring.settings import ScoringConfig

    test = ranked[(ranked["split"] == "test") & ranked["y_true"].notna()]
    chances = scored.loc[scored["split"] == "test", ["item_id", "y_pred"]]
    test = test.drop(columns="y_pred").merge(chances, on="item_id")
    test = test.merge(items[["item_id", "severity_rank"]], on="item_id")
    score = test["score"].to_numpy(float)
    is_critical = test["severity_rank"].to_numpy(float) >= CRITICAL
    groups = test["group_id"].astype(str).to_numpy(dtype=object)
    rows = ScoredRows(
        relevance=test["y_true"].to_numpy(float),
        score=score,
        probability=test["y_pred"].to_numpy(float),
        baselines={
            "probability": test["y_pred"].to_numpy(float),
            "must_review_first": score + is_critical * (np.ptp(score) + 1.0),
        },
        groups=groups,
        clusters=groups,
    )
    figures = {one.metric: one for one in scoring_metrics(rows, "test", 0.5, ScoringConfig(), False)}
    return pd.DataFrame(
        [
            {"review_order": order, "metric": metric, "value": one.value, "ci_low": one.ci_low,
             "ci_high": one.ci_high, "n": one.n}
            for order in ORDERS
            for metric in METRICS
            for one in [figures[metric if order == "rank" else f"{metric}_{order}"]]
        ]
    )  # fmt: skip


def load_orders(database: duckdb.DuckDBPyConnection, orders: pd.DataFrame) -> None:
    """Replace `alerts.review_orders` by the rows given."""
    replace_table(database, ALERT_ORDERS, orders, "review_order, metric")
