"""One asset per registered model, and the leaderboard of them all."""

import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from ml.models import registry
from orchestration.defs.metadata import model_metadata
from orchestration.defs.resources import Project
from orchestration.defs.runs import DOMAIN, read_dataset
from orchestration.store.feature_store import current_snapshot
from orchestration.store.results import load_training

if TYPE_CHECKING:
    from ml.store.record import Evaluation
    from ml.tasks.duration import TrainingConfig

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class TrainingRun(dg.Config):
    """How models are trained; the same fields on every model's asset and on `trained_models`."""

    models: list[str] = Field(
        default=[], description="Models on the leaderboard; every registered one if empty."
    )
    run_id: str = Field(
        default="", description="Name of the run folder; made of snapshot and settings if empty."
    )
    trials: int = Field(default=8, ge=0, description="Trials of the parameter search per model; 0 for none.")
    seconds: float = Field(default=60, ge=0, description="No trial starts after this many seconds.")
    subset_size: int | None = Field(default=None, description="Train on at most this many rows.")
    seed: int = Field(default=0, ge=0)


def training_config(run: TrainingRun) -> "TrainingConfig":
    """The harness's settings for a run's configuration."""
    from ml.tasks.duration import TrainingConfig

    return TrainingConfig(trials=run.trials, seconds=run.seconds, subset_size=run.subset_size, seed=run.seed)


def run_folder(runs_dir: Path, run: TrainingRun, snapshot_id: str) -> Path:
    """Folder of a run: named by the user, or by what decides its result.

    Raises
    ------
    ValueError
        The name cannot be a folder's.
    """
    if not run.run_id:
        decides = run.model_dump(exclude={"models", "run_id"})
        settings = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()
        return runs_dir / f"{DOMAIN}-{snapshot_id[:8]}-{settings[:6]}"
    if not _RUN_ID.fullmatch(run.run_id):
        raise ValueError(
            f"The run_id {run.run_id!r} cannot name a folder: use letters, digits, dot, dash, underscore."
        )
    return runs_dir / run.run_id


def train_and_read(
    project: Project, run: TrainingRun, names: list[str], log: dg.DagsterLogManager
) -> tuple[Path, list["Evaluation"]]:
    """Train what is not up to date on the newest snapshot; the run's folder and the evaluations."""
    from ml.runs.train import train_models

    settings = project.settings()
    dataset = read_dataset(current_snapshot(settings.snapshots_dir, DOMAIN))
    folder = run_folder(settings.runs_dir, run, dataset.snapshot_id)
    evaluations = train_models(
        dataset,
        names,
        folder,
        training_config(run),
        lambda model, stage: log.info("%s: %s", model, stage),
        git_sha=project.git_sha(),
        engine="dagster",
    )
    return folder, evaluations


def model_asset(name: str) -> dg.AssetsDefinition:
    """The asset that trains one registered model."""

    @dg.asset(
        key=["models", name],
        deps=["training_snapshot"],
        group_name="models",
        description=f"The model {name}, trained on the newest snapshot.",
    )
    def trained(
        context: dg.AssetExecutionContext, config: TrainingRun, project: Project
    ) -> dg.MaterializeResult:
        folder, (evaluation,) = train_and_read(project, config, [name], context.log)
        return dg.MaterializeResult(metadata=model_metadata(folder, evaluation))

    return trained


model_assets = [model_asset(name) for name in registry()]


@dg.asset(deps=[asset.key for asset in model_assets], group_name="models", kinds={"duckdb"})
def trained_models(
    context: dg.AssetExecutionContext, config: TrainingRun, project: Project
) -> dg.MaterializeResult:
    """The leaderboard of every model on the newest snapshot; what is not up to date is trained here."""
    from ml.mitigation.run import accepted_models
    from ml.runs.card import leaderboard_text

    names = config.models or list(registry())
    folder, evaluations = train_and_read(project, config, names, context.log)
    # What mitigation made of these very models stays theirs, the champion among it.
    mitigated = [model for model in accepted_models(folder) if model.split("+")[0] in names]
    with project.database() as database:
        load_training(database, folder, [*names, *mitigated])
    best = min(evaluations, key=lambda evaluation: evaluation.value("validation", "mae_log") or float("inf"))
    return dg.MaterializeResult(
        metadata={
            "run_id": folder.name,
            "models": len(evaluations),
            "lowest_validation_mae_log": best.value("validation", "mae_log"),
            "leaderboard": dg.MetadataValue.md(leaderboard_text(evaluations, markdown=True)),
            "run_folder": dg.MetadataValue.path(str(folder)),
        }
    )
