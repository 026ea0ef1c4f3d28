"""The published tables, each declared once: what it is, and of every column the type and the meaning."""

from collections.abc import Mapping

from orchestration.tables.alerts import ALERT_ORDERS, ALERT_SCORES
from orchestration.tables.assignees import ASSIGNEE_CANDIDATES
from orchestration.tables.feature_store import COLUMN_LINEAGE, FEATURE_STORE, MODEL_BUILDS
from orchestration.tables.results import RESULTS
from orchestration.tables.table import Table
from orchestration.tables.tickets import (
    PREDICTION_HISTORY,
    REPOSITORIES,
    RESPONSE_GAPS,
    SERVICE_DIFFERENCES,
    SERVICE_METRICS,
    SIMILAR_TICKETS,
    TICKET_PREDICTIONS,
)

__all__ = [
    "ALERT_ORDERS", "ALERT_SCORES", "ASSIGNEE_CANDIDATES", "COLUMN_LINEAGE", "FEATURE_STORE", "MODEL_BUILDS",
    "PREDICTION_HISTORY", "REPOSITORIES", "RESPONSE_GAPS", "RESULTS", "SERVED", "SERVICE_DIFFERENCES",
    "SERVICE_METRICS", "SIMILAR_TICKETS", "TICKET_PREDICTIONS", "Table", "descriptions",
]  # fmt: skip

SERVED = (
    TICKET_PREDICTIONS,
    PREDICTION_HISTORY,
    REPOSITORIES,
    SIMILAR_TICKETS,
    RESPONSE_GAPS,
    SERVICE_METRICS,
    SERVICE_DIFFERENCES,
    ASSIGNEE_CANDIDATES,
    ALERT_SCORES,
    ALERT_ORDERS,
)


def descriptions() -> dict[str, tuple[str, Mapping[str, str]]]:
    """Sentence of every published table, by `schema.table`, and of each of its columns."""
    from ml.bias.tables import MEANINGS, columns

    declared = {
        table.name: (table.meaning, {name: meaning for name, (_, meaning) in table.columns.items()})
        for table in (*RESULTS, *FEATURE_STORE, *SERVED)
    }
    bias = {name: {column.name: column.comment for column in columns(name)} for name in MEANINGS}
    return {
        **declared,
        **{f"bias.{name}": (f"{MEANINGS[name]}.", of_columns) for name, of_columns in bias.items()},
        "history.bias_summary": (f"{MEANINGS['summary']}, of all runs.", bias["summary"]),
    }
