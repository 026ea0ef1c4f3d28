"""What the tickets are: issues of repositories, from their creation to their resolution."""

from pathlib import Path

import duckdb

from orchestration.declarations import Domain, RawInput
from orchestration.domains.tickets.tasks import REMAINING, RESPONSE, TASKS, TICKETS
from orchestration.settings import Settings
from orchestration.tables import (
    PREDICTION_HISTORY,
    REPOSITORIES,
    RESPONSE_GAPS,
    SERVICE_DIFFERENCES,
    SERVICE_METRICS,
    SIMILAR_TICKETS,
    TICKET_PREDICTIONS,
)


def load_folder(database: duckdb.DuckDBPyConnection, settings: Settings, folder: Path) -> None:
    """Load a folder of dumps."""
    from orchestration.domains.tickets.landed.loading import load_landed
    from orchestration.domains.tickets.sources import get_source

    dumps = get_source(settings.model_copy(update={"issues_source": "archive", "issues_archive": folder}))
    load_landed(database, dumps.land(settings.landing_dir), source=dumps.name)


TABLES = (
    TICKET_PREDICTIONS,
    PREDICTION_HISTORY,
    SIMILAR_TICKETS,
    REPOSITORIES,
    RESPONSE_GAPS,
    SERVICE_METRICS,
    SERVICE_DIFFERENCES,
)
DOMAIN = Domain(
    name="tickets",
    raw=RawInput("issues", "raw.issues", "--archive", load_folder),
    training_sets=(TICKETS, REMAINING, RESPONSE),
    tasks=TASKS,
    tables=tuple(table.name for table in TABLES),
)
