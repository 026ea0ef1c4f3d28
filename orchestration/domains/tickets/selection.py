"""The best model: chosen on validation; no better than the median, or unfair, is refused."""

from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from ml.store.run_folder import BEST, CARD
from orchestration.defs.executor import HOLDS_DATABASE
from orchestration.defs.metadata import markdown_table
from orchestration.defs.resources import Project
from orchestration.defs.runs import Run, read_current_runs
from orchestration.defs.unchanged import journal_of_promotions, unless_unchanged
from orchestration.domains.tickets.domain import DOMAIN
from orchestration.domains.tickets.gates import GATES, SelectionGate, calibration_check, gate_check
from orchestration.domains.tickets.leaderboard import TASK
from orchestration.store.promotions import follow_promotions
from orchestration.store.results import set_champion

if TYPE_CHECKING:
    import pandas as pd

    from ml.runs.promote import Outcome
    from ml.runs.select import Choice


@dg.asset(
    deps=["bias_mitigation"],
    group_name="selection",
    kinds={"duckdb"},
    op_tags=HOLDS_DATABASE,
    check_specs=GATES,
)
@unless_unchanged(also=journal_of_promotions, files=lambda project, said: papers(said["bias_report"].path))
def best_model(
    context: dg.AssetExecutionContext, config: SelectionGate, project: Project
) -> dg.MaterializeResult:
    """The best model, and whether it takes the champion's place; then the results are published."""
    import pandas as pd

    from ml.reports.bias import LEDGER, write_bias_page
    from ml.runs.card import model_card
    from ml.runs.card_parts import complete_card
    from ml.runs.select import Gate, choose_best
    from ml.runs.skill import worse_groups
    from ml.store.run_folder import RunFolder

    # The newest run last: what was chosen, or refused, is said there unless another run has the champion.
    runs = read_current_runs(project, DOMAIN.name, [TASK])
    evaluations = [one for run in runs for one in run.evaluations]
    summary = pd.concat([summary_of(run) for run in runs], ignore_index=True)
    gate = Gate(
        thresholds=config.thresholds,
        ratio_to_baseline=config.ratio_to_baseline,
        allowance=config.allowance,
        beyond_noise=config.beyond_noise,
    )
    choice = choose_best(evaluations, summary, gate)
    for model, reason in choice.refused.items():
        context.log.info("%s was refused: %s", model, reason)
    home = next((run for run in runs if choice.model in [one.model for one in run.evaluations]), runs[-1])
    block = home.dataset.config
    chosen = next((one for one in home.evaluations if one.model == choice.model), None)
    folder = RunFolder(home.folder)
    tables = {name: folder.table(name) for name in ("slice_metrics", LEDGER) if folder.has_table(name)}
    card = complete_card(
        model_card(evaluations, choice, block.note),
        chosen,
        home.dataset,
        tables.get("slice_metrics"),
        tables.get(LEDGER),
    )
    folder.write_best(choice.model, choice.reason)
    folder.write(CARD, card)
    page = write_bias_page(block, home.evaluations, home.folder, gate=gate, model=choice.model)
    chosen = next((one for one in evaluations if one.model == choice.model), None)
    worse = worse_groups(chosen, split="test") if chosen else []
    checks = [
        gate_check(choice, summary, gate, dg.AssetCheckSeverity(config.severity), worse),
        calibration_check(
            chosen, config.calibration_limit, dg.AssetCheckSeverity(config.calibration_severity)
        ),
    ]
    refusing = [one for one in checks if not one.passed and one.severity == dg.AssetCheckSeverity.ERROR]
    told = "\n".join(str(one.description) for one in checks)
    who = f"Dagster run {context.run.run_id[:8]}"
    outcome = challenge_champion(project, home, choice, told, not refusing, who)
    context.log.info("%s", outcome.why)
    published: dict[str, int] = {}
    if not refusing:
        with project.database() as database:
            if not follow_promotions(database, project.settings().runs_dir, DOMAIN.name, TASK):
                set_champion(database, DOMAIN.name, TASK, None)
        published = project.publish(DOMAIN)
    else:
        context.log.error("Nothing is published: %s", " ".join(str(one.description) for one in refusing))
    return dg.MaterializeResult(
        metadata={
            "best_model": choice.model or "none",
            "reason": choice.reason,
            "champion": outcome.champion.to_version if outcome.champion else "none",
            "is_promoted": outcome.is_promoted,
            "promotion": outcome.why,
            "refused": dg.MetadataValue.json(choice.refused),
            # A path cannot be clicked in the UI: the answer itself.
            "bias_answer": dg.MetadataValue.md(bias_answer(summary, choice.model)),
            "model_card": dg.MetadataValue.md(card),
            "bias_report": dg.MetadataValue.path(str(page)),
            "published_rows": sum(published.values()),
            "published": dg.MetadataValue.path(str(project.settings().published_database)),
        },
        check_results=checks,
    )


def papers(page: str) -> list[Path]:
    """What tells of the choice, beside the page of the bias."""
    return [Path(page), Path(page).with_name(BEST), Path(page).with_name(CARD)]


def challenge_champion(
    project: Project, home: Run, choice: "Choice", gate: str, passes: bool, who: str
) -> "Outcome":
    """Let the best model take the champion's place, if it is better and may serve."""
    from ml.runs.promote import Outcome, challenge
    from ml.store.promotions import Promotions

    runs_dir = project.settings().runs_dir
    if choice.model is None:
        return Outcome(Promotions(runs_dir).champion(DOMAIN.name, TASK), False, choice.reason)
    (challenger,) = [one for one in home.evaluations if one.model == choice.model]
    return challenge(challenger, home.dataset, runs_dir, who=who, gate=gate, passes=passes)


def bias_answer(summary: "pd.DataFrame", model: str | None) -> str:
    """Which dimensions of the chosen model are biased on the test part, and which slice is the worst."""
    own = summary[(summary["model"] == model) & (summary["split"] == "test") & ~summary["is_outcome"]]
    return markdown_table(own[["dimension", "verdict", "worst_slice", "relative_gap", "shrunk_gap"]])


def summary_of(run: Run) -> "pd.DataFrame":
    """The gaps of a run's current models: the folder may know others, whose place they took."""
    from ml.store.run_folder import RunFolder

    gaps = RunFolder(run.folder).table("summary")
    return gaps[gaps["model"].isin([one.model for one in run.evaluations])]
