"""Who should take a ticket: the ranker of people, its bias, and whom it proposes for the open tickets."""

import dagster as dg
from pydantic import Field

from orchestration.defs.metadata import markdown_table, picture
from orchestration.defs.resources import Project
from orchestration.defs.scored_assets import model_asset, snapshot_asset, tuned_parameters_asset
from orchestration.defs.scored_bias import GAP_COLUMNS, measure_domain, rows_of_test
from orchestration.defs.scored_tasks import ScoredTask, SmallTuning, TimelineRun, train_or_read
from orchestration.domains.assignees.serving import load_candidates, propose

DOMAIN = "assignees"
ASSIGNEES = {
    "name": DOMAIN,
    "timeline": "slice_repo",
    # A ticket has a handler: one who is not among the candidates is a miss, for every order alike.
    "groups_are_questions": True,
    # Whoever has this week's tickets has many of them: the tickets of a week are drawn together.
    "block_days": 7,
    "baselines": {
        "most_active": ["acts_180d", "acts_30d"],
        "last_assigned": ["-days_since_handled", "handled_30d"],
    },
}
ASSIGNEE_RANKER = ScoredTask(
    name="assignee_ranker",
    domain=DOMAIN,
    snapshot="assignee_snapshot",
    kind="ranker",
    description="The order of the people of a repository for a ticket: who had it when it was closed.",
    # Thousands of short lists: a faster rate than that of a few long ones costs nothing. Grades of 0 and 1
    # have no gain to start from.
    params={"learning_rate": 0.1, "subsample": 0.8, "colsample_bytree": 0.4, "gain_trees": 0},
    run=TimelineRun,
    tuning=SmallTuning,
)
SHOWN = ["mrr", "mrr_gain_vs_most_active", "mrr_gain_vs_last_assigned", "top@3"]


class Proposing(TimelineRun):
    """Which model proposes, and how many people."""

    most: int = Field(default=5, ge=1, description="People per open ticket.")


assignee_snapshot = snapshot_asset("assignee_snapshot", "train_assignees", "label_assignees", ASSIGNEES)
assignee_ranker = model_asset(ASSIGNEE_RANKER)
assignee_tuning = tuned_parameters_asset(ASSIGNEE_RANKER)


@dg.asset(
    deps=[["models", ASSIGNEE_RANKER.name], "assignees_open", "tickets_open"],
    group_name="selection",
    kinds={"duckdb"},
)
def assignee_candidates(config: Proposing, project: Project) -> dg.MaterializeResult:
    """Whom to ask: the likeliest people of every open ticket, with reasons, as of the records' end."""
    from ml.store.run_folder import RunFolder

    folder, evaluation = train_or_read(project, ASSIGNEE_RANKER, config)
    with project.database() as database:
        items = database.sql("from training.assignees_open order by item_id").df()
    model = RunFolder(folder).model(ASSIGNEE_RANKER.name)
    proposed = propose(items, model, evaluation.model_version, config.most)
    with project.database() as database:
        load_candidates(database, proposed)
    project.publish(DOMAIN)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(proposed),
            "tickets": proposed["item_id"].nunique(),
            "people": proposed["login"].nunique(),
            "model_version": evaluation.model_version,
        }
    )


@dg.asset(deps=["assignee_candidates"], group_name="bias", kinds={"duckdb"})
def assignee_bias(project: Project) -> dg.MaterializeResult:
    """Where the ranker of people is worse, whom it puts first, and how much lands on how few."""
    from ml.reports.plots import metric_per_slice

    measured = [measure_domain(project, DOMAIN, ("ranking",))]
    project.publish(DOMAIN)
    summary, metrics, work = (
        rows_of_test(measured, name) for name in ("summary", "ranking_metrics", "ranking_concentration")
    )
    shown = metrics[metrics["metric"].isin(SHOWN)]
    columns = ["slice", "metric", "n_lists", "value", "ci_low", "ci_high", "q_value", "flagged"]
    drawn = metrics.loc[~metrics["pooled"]].rename(columns={"n_lists": "n"})
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(metrics),
            "flagged_gaps": int(summary["flagged"].sum()),
            "summary": dg.MetadataValue.md(markdown_table(summary[GAP_COLUMNS])),
            "mrr_per_repository": picture(metric_per_slice(drawn, "mrr", "repo"), "MRR by repository"),
            "per_repository": dg.MetadataValue.md(markdown_table(shown[columns])),
            "concentration": dg.MetadataValue.md(markdown_table(work)),
        }
    )
