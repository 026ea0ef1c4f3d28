"""People after dbt: their snapshot, the ranker, whom it proposes for the open tickets, and its bias."""

from collections.abc import Sequence
from typing import Any

import dagster as dg
from pydantic import Field

from orchestration.defs.bias import Tables, bias_asset
from orchestration.defs.configs import TimelineRun, unheeded
from orchestration.defs.executor import HOLDS_DATABASE
from orchestration.defs.metadata import markdown_table, picture
from orchestration.defs.models import model_asset
from orchestration.defs.resources import Project
from orchestration.defs.runs import Run, served_model
from orchestration.defs.snapshots import snapshot_assets
from orchestration.defs.tuning import tuned_parameters_asset
from orchestration.defs.unchanged import unless_unchanged
from orchestration.domains.assignees.domain import DOMAIN
from orchestration.domains.assignees.serving import load_candidates, of_repositories, propose
from orchestration.domains.assignees.tasks import RANKER
from orchestration.tables import ASSIGNEE_CANDIDATES

SHOWN = ["mrr", "mrr_gain_vs_most_active", "mrr_gain_vs_last_assigned", "top@3"]
COLUMNS = ["slice", "metric", "n_lists", "value", "ci_low", "ci_high", "q_value", "flagged"]


class Proposing(TimelineRun):
    """How many people. The ranker is the current one: the other fields are its to heed."""

    most: int = Field(default=5, ge=1, description="People per open ticket.")
    repositories: list[str] = Field(
        default=[], description="Repositories whose open tickets are served; all if empty."
    )


@dg.asset(
    deps=[["models", RANKER.name], "assignees_open", "tickets_open", "stg_github__assignee"],
    group_name="serving",
    kinds={"duckdb"},
    op_tags=HOLDS_DATABASE,
)
@unless_unchanged()
def assignee_candidates(
    context: dg.AssetExecutionContext, config: Proposing, project: Project
) -> dg.MaterializeResult:
    """Whom to ask: the likeliest people of every open ticket, with reasons, as of the records' end."""
    if names := unheeded(config):
        context.log.warning("Nothing is trained here: give %s to models/… instead.", ", ".join(names))
    model, evaluation = served_model(project, RANKER)
    with project.database() as database:
        items = database.sql("from training.assignees_open order by item_id").df()
    proposed = propose(
        of_repositories(items, config.repositories), model, evaluation.model_version, config.most
    )
    with project.database() as database:
        load_candidates(database, proposed)
    project.publish(DOMAIN)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(proposed),
            "dagster/column_schema": project.column_schema(ASSIGNEE_CANDIDATES.name),
            "tickets": proposed["item_id"].nunique(),
            "people": proposed["login"].nunique(),
            "confident": int(proposed["is_confident"].sum()),
            "model_version": evaluation.model_version,
        }
    )


def show_people(test: Tables, runs: Sequence[Run]) -> dict[str, Any]:
    """How good the lists are by repository, and how much lands on how few."""
    from ml.reports.plots import metric_per_slice

    metrics = test["ranking_metrics"]
    drawn = metrics.loc[~metrics["pooled"]].rename(columns={"n_lists": "n"})
    shown = metrics.loc[metrics["metric"].isin(SHOWN), COLUMNS]
    return {
        "dagster/row_count": len(metrics),
        "mrr_per_repository": picture(metric_per_slice(drawn, "mrr", "repo"), "MRR by repository"),
        "per_repository": dg.MetadataValue.md(markdown_table(shown)),
        "concentration": dg.MetadataValue.md(markdown_table(test["ranking_concentration"])),
    }


assignee_bias = bias_asset(
    DOMAIN,
    ("ranking",),
    name="assignee_bias",
    after=["models/assignee_ranker"],
    description="Where the ranker of people is worse, whom it puts first, and how much lands on how few.",
    show=show_people,
)
assignee_snapshots = snapshot_assets(DOMAIN)
assignee_models = [model_asset(task) for task in DOMAIN.tasks]
assignee_tuning = [tuned_parameters_asset(task) for task in DOMAIN.tasks]
