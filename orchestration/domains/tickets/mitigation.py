"""Mitigation of the best models' bias, measured on rows that no model and no method has seen."""

import dagster as dg
from pydantic import Field

from orchestration.defs.metadata import markdown_table
from orchestration.defs.resources import Project
from orchestration.defs.runs import DOMAIN, read_current_run, read_dataset
from orchestration.store.results import load_bias, load_training

SHOWN = [
    "model",
    "method",
    "dimension",
    "worst_slice",
    "worst_before",
    "worst_after",
    "ci_low",
    "ci_high",
    "overall_before",
    "overall_after",
    "reason",
    "n_fits",
    "seconds",
]


class MitigationRun(dg.Config):
    """What is tried."""

    dimension: str = Field(
        default="", description="Slice dimension to mitigate; each model's largest flagged one if empty."
    )
    methods: list[str] = Field(default=[], description="Methods to try; every known one if empty.")
    best: int = Field(default=2, ge=1, description="How many models, by validation error.")
    margin: float = Field(default=0.01, ge=0, description="Relative rise of the overall error to accept.")
    constrained_rows: int = Field(default=8000, ge=100, description="Rows per fit of the reduction.")


@dg.asset(deps=["bias_metrics"], group_name="bias", kinds={"duckdb"})
def bias_mitigation(
    context: dg.AssetExecutionContext, config: MitigationRun, project: Project
) -> dg.MaterializeResult:
    """What each method changed in the worst slice, in `bias.mitigation`; accepted models join the others."""
    from ml.mitigation.run import METHODS, MitigationConfig, mitigate_models
    from ml.reports.bias import LEDGER, TABLES, write_bias_page, write_bias_reports

    run = read_current_run(project)
    dataset = read_dataset(run.snapshot)
    settings = MitigationConfig(
        dimension=config.dimension or None,
        methods=tuple(config.methods) or METHODS,
        best=config.best,
        margin=config.margin,
        constrained_rows=config.constrained_rows,
    )
    done = mitigate_models(
        dataset,
        run.evaluations,
        run.folder,
        settings,
        lambda model, method: context.log.info("%s: %s", model, method),
    )
    originals = [e for e in run.evaluations if "+" not in e.model]
    evaluations = [*originals, *done.accepted]
    tables: tuple[str, ...] = (LEDGER,)
    if {e.model for e in evaluations} != {e.model for e in run.evaluations}:
        write_bias_reports(dataset, evaluations, run.folder)
        tables = (*TABLES, LEDGER)
    page = write_bias_page(dataset.config, evaluations, run.folder)
    with project.database() as database:
        load_training(database, run.folder, [e.model for e in evaluations])
        load_bias(database, run.folder, DOMAIN, tables)
    tried = done.ledger[done.ledger["method"] != "baseline"]
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(done.ledger),
            "tried": len(tried),
            "accepted": len(done.accepted),
            "accepted_models": dg.MetadataValue.json([e.model for e in done.accepted]),
            "is_new": done.is_new,
            "seconds": float(done.ledger["seconds"].sum()),
            "ledger": dg.MetadataValue.md(markdown_table(tried[SHOWN])),
            "report": dg.MetadataValue.path(str(page)),
        }
    )
