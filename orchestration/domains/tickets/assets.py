"""Tickets after dbt: snapshot, models, the leaderboard of the hours and its bias, the predictions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from orchestration.defs.automation.freshness import DAILY
from orchestration.defs.bias import GAP_COLUMNS, Tables, bias_asset
from orchestration.defs.configs import TrainingRun
from orchestration.defs.executor import HOLDS_DATABASE, PRIORITY
from orchestration.defs.metadata import markdown_table, picture, short
from orchestration.defs.models import model_asset
from orchestration.defs.resources import Project
from orchestration.defs.runs import Run, find_current_runs
from orchestration.defs.snapshots import snapshot_assets
from orchestration.defs.training import train
from orchestration.defs.tuning import tuned_parameters_asset
from orchestration.defs.unchanged import journal_of_promotions, unless_unchanged
from orchestration.domains.tickets.domain import DOMAIN
from orchestration.domains.tickets.leaderboard import TASK, join, seat, version_of
from orchestration.domains.tickets.repositories import load_repositories
from orchestration.domains.tickets.service.waiting import EVERYWHERE, waiting_gaps
from orchestration.domains.tickets.serving.predictions import (
    load_predictions,
    predict_open,
    read_open_tickets,
)
from orchestration.domains.tickets.serving.served import served_models
from orchestration.domains.tickets.tasks import HOURS, REMAINING, TICKETS
from orchestration.facts import FACTS
from orchestration.store.results import replace_table
from orchestration.tables import RESPONSE_GAPS, TICKET_PREDICTIONS

if TYPE_CHECKING:
    import pandas as pd

# What predicts beside the champion: a model may be skipped, and the tickets are predicted all the same.
SERVED = [f"models/{task.name}" for task in DOMAIN.tasks if not task.has_rivals]


@dg.asset(
    deps=[["models", task.name] for task in HOURS],
    group_name="models",
    kinds={"duckdb"},
    op_tags=HOLDS_DATABASE,
)
@unless_unchanged()
def trained_models(
    context: dg.AssetExecutionContext, config: TrainingRun, project: Project
) -> dg.MaterializeResult:
    """The leaderboard of every model on the newest snapshot; what is not up to date is trained here."""
    from ml.mitigation.run import accepted_models
    from ml.reports.board import leaderboard
    from ml.runs.card import leaderboard_text
    from ml.runs.select import error_of, ranked
    from ml.store.run_folder import RunFolder, original_name

    tasks = chosen(config.models)
    folder, trained = train(project, tasks, config, context)
    # What mitigation made of these very models stays theirs, the champion among it.
    mitigated = [
        model for model in accepted_models(folder) if original_name(model) in {t.name for t in tasks}
    ]
    trained += RunFolder(folder).evaluations(mitigated)
    standing = [one for run in find_current_runs(project, DOMAIN.name, [TASK]) for one in run.evaluations]
    board = join(standing, trained)
    with project.database() as database:
        seated = seat(database, DOMAIN.name, board, Run(folder, folder, trained))
    for one in trained:
        if one.model not in seated:
            context.log.info("%s of this run is no better than what is on the leaderboard.", one.model)
    return dg.MaterializeResult(
        metadata={
            "run_id": folder.name,
            "models": len(trained),
            "on_the_leaderboard": dg.MetadataValue.json(seated),
            "lowest_mae_log_over_origins": short(lowest)
            if (lowest := error_of(ranked(board)[0])) is not None
            else None,
            "leaderboard": dg.MetadataValue.md(leaderboard_text(board, markdown=True)),
            "leaderboard_picture": picture(
                leaderboard(ranked(board)), "figures of the models with intervals"
            ),
            "run_folder": dg.MetadataValue.path(str(folder)),
        },
        data_version=dg.DataVersion(version_of(board)),
    )


def chosen(names: list[str]) -> list[Any]:
    """The tasks of the models that were named and of the baseline, without which no gap can be judged.

    All when none is named; an unknown one raises ValueError.
    """
    from ml.models import floors

    known = {task.name: task for task in HOURS}
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"There is no model {unknown[0]!r}: choose from {', '.join(known)}.")
    return [known[name] for name in dict.fromkeys([*(names or known), *floors()])]


def show_errors(test: Tables, runs: Sequence[Run]) -> dict[str, Any]:
    """The report and the gaps of the best model, and a picture of the widest one."""
    from ml.reports.plots import error_per_slice
    from ml.runs.select import ranked
    from ml.store.run_folder import RunFolder

    gaps, slices = test["summary"], test["slice_metrics"]
    first = ranked([one for run in runs for one in run.evaluations])[0]
    best, page = first.model, next(RunFolder(run.folder).page for run in runs if first in run.evaluations)
    own = gaps[(gaps["model"] == best) & ~gaps["is_outcome"]]
    widest = own.sort_values(["flagged", "shrunk_gap"], ascending=False, kind="stable")["dimension"].iloc[0]
    drawn = error_per_slice(slices[(slices["model"] == best) & ~slices["pooled"]], widest)
    shown = [column for column in GAP_COLUMNS if column in own]
    return {
        "dagster/row_count": len(slices),
        "flagged_dimensions": int(gaps["flagged"].sum()),
        "flagged_slices": int(slices["flagged"].sum()),
        "report": dg.MetadataValue.path(str(page)),
        "report_link": dg.MetadataValue.url(page.as_uri()),
        "best_model": dg.MetadataValue.md(markdown_table(own[shown])),
        "error_per_slice": picture(drawn, f"error and signed error by {widest}, {best}"),
    }


bias_metrics = bias_asset(
    DOMAIN,
    (TASK,),
    name="bias_metrics",
    after=["trained_models"],
    learned_from=(TICKETS.name,),
    description="Error of every model in every slice, with intervals, q-values and reasons, in the schema "
    "`bias`.",
    show=show_errors,
    # The champion is published with its bias, or not at all.
    is_published=False,
)


remaining_bias = bias_asset(
    DOMAIN,
    (TASK,),
    name="remaining_bias",
    after=["models/remaining"],
    learned_from=(REMAINING.name,),
    description="The same of the remaining time, at every age that a ticket was seen at.",
    show=show_errors,
    is_published=False,
)


@dg.asset(
    deps=["best_model", "tickets_open", "remaining_open", "train_remaining"],
    group_name="serving",
    kinds={"duckdb"},
    # After all models that it reads: on those it does not depend, since it does without.
    op_tags=HOLDS_DATABASE | {PRIORITY: "-1"},
    freshness_policy=DAILY,
)
@unless_unchanged(reads=SERVED, also=journal_of_promotions)
def ticket_predictions(context: dg.AssetExecutionContext, project: Project) -> dg.MaterializeResult:
    """How much longer every open ticket will take, how sure that is and why, in `tickets.predictions`."""
    served, settings = served_models(project), project.settings()
    with project.database() as database:
        opened = read_open_tickets(database)
    rows = predict_open(opened, served, settings.github_web_url)
    for reason, n in rows["reason"].value_counts().items():
        context.log.warning("%d tickets: %s", n, reason)
    with project.database() as database:
        load_predictions(database, rows, settings.prediction_days_kept)
        load_repositories(database)
    project.publish(DOMAIN)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(rows),
            "dagster/column_schema": project.column_schema(TICKET_PREDICTIONS.name),
            "predicted": int(rows["predicted_hours"].notna().sum()),
            "most_urgent": dg.MetadataValue.md(markdown_table(most_urgent(rows))),
            "overdue": int(rows["is_overdue"].sum()),
            "model_version": ", ".join(rows["model_version"].dropna().unique()) or "none",
            "median_remaining_days": short(rows["remaining_hours"].median() / 24)
            if rows["remaining_hours"].notna().any()
            else None,
        }
    )


def most_urgent(rows: "pd.DataFrame", most: int = 20) -> "pd.DataFrame":
    """The tickets that are likeliest to be still open in a week, the hopeless aside, for the asset's page."""
    known = rows[rows["p_within_7d"].notna() & ~rows["is_overdue"].eq(True)]
    first = known.sort_values("p_within_7d", kind="stable").head(most)
    return first[["repository", "number", "title"]].assign(
        age_days=first["age_days"].round().astype(int),
        # A chance is never certain, whatever rounding makes of it.
        open_in_7_days=[f"{min(1 - chance, 0.99):.0%}" for chance in first["p_within_7d"]],
        why=[
            "; ".join(one["reason"] for one in reasons[:2]) if isinstance(reasons, list) else ""
            for reasons in first["reasons"]
        ],
    )


@dg.asset(
    deps=["train_response", "label_response"],
    group_name="bias",
    kinds={"duckdb"},
    op_tags=HOLDS_DATABASE,
)
@unless_unchanged()
def response_bias(project: Project) -> dg.MaterializeResult:
    """Whether newcomers wait longer for an answer than regulars, at equal mix, in `tickets.response_gaps`."""
    with project.database() as database:
        tickets = database.sql(
            """
            select event_at, group_id, slice_repo, slice_seniority, slice_label, y, observed_until
            from training.train_response
            inner join training.label_response using (item_id)
            order by item_id
            """
        ).df()
        gaps = waiting_gaps(tickets, FACTS["response_horizons_days"])
        replace_table(database, RESPONSE_GAPS, gaps, "repository, horizon_days")
    shown = gaps[gaps["repository"] == EVERYWHERE] if len(gaps) else gaps
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(gaps),
            "dagster/column_schema": project.column_schema(RESPONSE_GAPS.name),
            "everywhere": dg.MetadataValue.md(markdown_table(shown)),
        }
    )


ticket_snapshots = snapshot_assets(DOMAIN)
ticket_models = [model_asset(task) for task in DOMAIN.tasks]
ticket_tuning = [tuned_parameters_asset(task) for task in DOMAIN.tasks if task.is_searched]
