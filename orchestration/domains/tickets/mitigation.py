"""Mitigation of the best models' bias, measured on rows that no model and no method has seen."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from ml.store.run_folder import MITIGATION
from orchestration.defs.bias import measure_run
from orchestration.defs.executor import HOLDS_DATABASE
from orchestration.defs.metadata import markdown_table, short
from orchestration.defs.resources import Project
from orchestration.defs.runs import Run, read_current_runs
from orchestration.defs.unchanged import unless_unchanged
from orchestration.domains.tickets.domain import DOMAIN
from orchestration.domains.tickets.leaderboard import TASK, is_mitigated, seat, version_of
from orchestration.store.results import load_bias

if TYPE_CHECKING:
    from ml.mitigation.run import Mitigation, MitigationConfig
    from ml.store.record import Evaluation

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
    constrained_best: int = Field(
        default=1, ge=0, description="How many of them the reduction is tried on, which fits dozens of times."
    )


@dg.asset(deps=["bias_metrics"], group_name="bias", kinds={"duckdb"}, op_tags=HOLDS_DATABASE)
@unless_unchanged(files=lambda project, said: [Path(said["mitigation"].path)])
def bias_mitigation(
    context: dg.AssetExecutionContext, config: MitigationRun, project: Project
) -> dg.MaterializeResult:
    """What each method changed in the worst slice, in `bias.mitigation`; accepted models join the others."""
    import pandas as pd

    from ml.mitigation.run import METHODS, MitigationConfig
    from ml.reports.bias import LEDGER, bias_tables
    from ml.store.run_folder import RunFolder

    settings = MitigationConfig(
        dimension=config.dimension or None,
        methods=tuple(config.methods) or METHODS,
        best=config.best,
        margin=config.margin,
        constrained_rows=config.constrained_rows,
        constrained_best=config.constrained_best,
    )
    runs = read_current_runs(project, DOMAIN.name, [TASK])
    tried = [mitigate(run, best_of(runs, config.best), settings, context.log) for run in runs]
    after = [run for run, _ in tried]
    board = [one for run in after for one in run.evaluations]
    with project.database() as database:
        for run in after:
            seat(database, DOMAIN.name, board, run)
        load_bias(database, DOMAIN.name, [TASK], [run.folder for run in after], (*bias_tables(board), LEDGER))
    ledger = pd.concat([done.ledger for _, done in tried if done is not None], ignore_index=True)
    rows = ledger[ledger["method"] != "baseline"]
    accepted = [one.model for one in board if is_mitigated(one.model)]
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(ledger),
            "tried": len(rows),
            "accepted": len(accepted),
            "accepted_models": dg.MetadataValue.json(accepted),
            "is_new": any(done.is_new for _, done in tried if done is not None),
            "seconds": short(ledger["seconds"].sum()),
            "ledger": dg.MetadataValue.md(markdown_table(rows[SHOWN])),
            "report": dg.MetadataValue.path(str(RunFolder(after[-1].folder).page)),
            "mitigation": dg.MetadataValue.path(str(after[-1].folder / MITIGATION)),
        },
        data_version=dg.DataVersion(version_of(board)),
    )


def best_of(runs: Sequence[Run], number: int) -> list["Evaluation"]:
    """The best originals of a leaderboard, by validation error.

    Raises
    ------
    ValueError
        There is none beside the baseline.
    """
    from ml.models import find
    from ml.runs.select import ranked

    originals = [one for run in runs for one in run.evaluations if not is_mitigated(one.model)]
    found = [one for one in ranked(originals) if not find(one.model).is_floor][:number]
    if not found:
        raise ValueError("There is no model beside the baseline to mitigate: train one first.")
    return found


def mitigate(
    run: Run, best: Sequence["Evaluation"], settings: "MitigationConfig", log: dg.DagsterLogManager
) -> tuple[Run, "Mitigation | None"]:
    """Try the methods on the best models of one run: the run with what was accepted, and what was tried."""
    from ml.mitigation.run import mitigate_models
    from ml.reports.bias import write_bias_page

    def tell(model: str, method: str) -> None:
        log.info("%s: %s", model, method)

    own = [one for one in run.evaluations if one in best]
    done = mitigate_models(run.dataset, own, run.folder, settings, tell) if own else None
    originals = [one for one in run.evaluations if not is_mitigated(one.model)]
    after = replace(run, evaluations=[*originals, *(done.accepted if done else [])])
    if {one.model for one in after.evaluations} != {one.model for one in run.evaluations}:
        measure_run(after)
    write_bias_page(run.dataset.config, after.evaluations, run.folder)
    return after, done
