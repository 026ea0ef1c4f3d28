"""Predictions of the champion for the tickets that are open now."""

from datetime import UTC, datetime

import dagster as dg
import pandas as pd
import pyarrow as pa

from orchestration.defs.resources import Project
from orchestration.defs.runs import DOMAIN, read_dataset
from orchestration.store.results import champion, load_ticket_predictions


@dg.asset(deps=["best_model", "tickets_open"], group_name="selection", kinds={"duckdb"})
def ticket_predictions(context: dg.AssetExecutionContext, project: Project) -> dg.MaterializeResult:
    """Hours and chances of closing of every open ticket, seen from its creation, in `tickets.predictions`."""
    from ml.store.run_folder import RunFolder

    settings = project.settings()
    with project.database() as database:
        best = champion(database, DOMAIN)
        tickets = database.sql("select item_id, repository, number from training.tickets_open").df()
    if best is None:
        context.log.warning("There is no champion, so no ticket is predicted: see the reasons on best_model.")
        return dg.MaterializeResult(metadata={"dagster/row_count": 0})
    items = read_dataset(settings.snapshots_dir / best.snapshot_id).items
    open_items = items[items["item_id"].isin(tickets["item_id"])].drop_duplicates("item_id", keep="last")
    # One row too many, taken off again: encoders take no empty frame, and every ticket may be closed.
    scored = pd.concat([open_items, items.head(1)])
    predicted = (
        RunFolder(settings.runs_dir / best.run_id).model(best.model).predict(scored).head(len(open_items))
    )
    rows = pd.concat([open_items[["item_id"]].reset_index(drop=True), predicted], axis=1)
    rows = tickets.merge(rows, on="item_id").rename(columns={"y_pred": "predicted_hours"})
    rows["model_version"] = best.model_version
    rows["scored_at"] = datetime.now(UTC).replace(tzinfo=None)
    with project.database() as database:
        load_ticket_predictions(database, pa.Table.from_pandas(rows, preserve_index=False))
    project.publish(DOMAIN)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(rows),
            "model_version": best.model_version,
            "median_predicted_days": float(rows["predicted_hours"].median() / 24) if len(rows) else None,
        }
    )
