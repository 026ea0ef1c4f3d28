"""The code location: assembles the definitions and computes nothing."""

import dagster as dg

from orchestration.defs.automation import daily, everything
from orchestration.defs.bias import bias_metrics
from orchestration.defs.dbt import dbt_models, dbt_resource
from orchestration.defs.ingestion import raw_issues, rejected_records
from orchestration.defs.models import model_assets, trained_models
from orchestration.defs.predictions import ticket_predictions
from orchestration.defs.resources import Project
from orchestration.defs.selection import best_model
from orchestration.defs.snapshots import training_snapshot

defs = dg.Definitions(
    assets=[
        raw_issues,
        dbt_models,
        training_snapshot,
        *model_assets,
        trained_models,
        bias_metrics,
        best_model,
        ticket_predictions,
    ],
    asset_checks=[rejected_records],
    jobs=[everything],
    schedules=[daily],
    resources={"project": Project(), "dbt": dbt_resource},
    loggers={"console": dg.colored_console_logger.configured({"log_level": "INFO"})},
    # Every step works on the same DuckDB file, which one process at a time can hold.
    executor=dg.in_process_executor,
)
