"""What the alerts are: batches of AML alerts, alone and in clusters."""

from pathlib import Path

import duckdb

from orchestration.declarations import Domain, RawInput
from orchestration.domains.alerts.tasks import ALERTS, CLUSTERS, TASKS
from orchestration.settings import Settings
from orchestration.tables import ALERT_ORDERS, ALERT_SCORES


def load_folder(database: duckdb.DuckDBPyConnection, settings: Settings, folder: Path) -> None:
    """Load a folder of batches; ValueError when none of them can be loaded."""
    from orchestration.domains.alerts.loading import load_alert_batches
    from orchestration.domains.alerts.sources.batches import get_alert_source

    source = get_alert_source(folder)
    report = load_alert_batches(database, source.land(settings.landing_dir), source=source.name)
    if not report.loaded:
        reasons = "; ".join(f"{batch}: {reason}" for batch, reason in report.refused.items())
        raise ValueError(f"No batch below {folder} could be loaded ({reasons or 'no batch found'}).")


DOMAIN = Domain(
    name="alerts",
    raw=RawInput("alerts", "raw.alert_batches", "--batches", load_folder),
    training_sets=(ALERTS, CLUSTERS),
    tasks=TASKS,
    tables=(ALERT_SCORES.name, ALERT_ORDERS.name),
)
