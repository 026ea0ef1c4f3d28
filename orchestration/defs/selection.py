"""The best model: chosen on validation; no better than the median, or unfair, is refused."""

import dagster as dg
from pydantic import Field

from orchestration.defs.resources import Project
from orchestration.defs.runs import DOMAIN, read_current_run, read_dataset
from orchestration.results import set_champion


class SelectionGate(dg.Config):
    """What a model must hold to be chosen; judged on the validation part."""

    max_relative_gap: float | None = Field(
        default=None, description="Largest relative gap of a slice dimension; no limit if empty."
    )
    max_ratio_to_baseline: float | None = Field(
        default=2.0, description="A gap over this many times the median's in the same dimension is refused."
    )


@dg.asset(deps=["bias_metrics"], group_name="selection", kinds={"duckdb"})
def best_model(
    context: dg.AssetExecutionContext, config: SelectionGate, project: Project
) -> dg.MaterializeResult:
    """The champion: lowest validation MAE of log hours of those not refused; then published."""
    import pandas as pd

    from ml.artifacts import write_atomically
    from ml.model_card import model_card
    from ml.selection import Gate, choose_best

    run = read_current_run(project)
    summary = pd.read_parquet(run.folder / "bias_summary.parquet")
    gate = Gate(
        max_relative_gap=config.max_relative_gap,
        max_ratio_to_baseline=config.max_ratio_to_baseline,
        ignored=tuple(
            name.removeprefix("slice_") for name in read_dataset(run.snapshot).config.outcome_slices
        ),
    )
    choice = choose_best(run.evaluations, summary, gate)
    card = model_card(run.evaluations, choice)
    write_atomically(run.folder / "best.txt", f"{choice.model or 'none'}\n{choice.reason}\n")
    write_atomically(run.folder / "model_card.md", card)
    with project.database() as database:
        set_champion(database, DOMAIN, "regression", choice.model)
    published = project.publish()
    for model, reason in choice.refused.items():
        context.log.info("%s was refused: %s", model, reason)
    return dg.MaterializeResult(
        metadata={
            "best_model": choice.model or "none",
            "reason": choice.reason,
            "refused": dg.MetadataValue.json(choice.refused),
            "model_card": dg.MetadataValue.md(card),
            "published_rows": sum(published.values()),
            "published": dg.MetadataValue.path(str(project.settings().published_database)),
        }
    )
