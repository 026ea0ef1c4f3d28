"""The assets of a scored task, made from its declaration: snapshot, model, tuned parameters."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from ml.errors import TooLittleDataError
from orchestration.defs.resources import Project
from orchestration.defs.scored_tasks import ScoredTask, scoring_config, train_or_read, tuned_file
from orchestration.settings import DBT_MANIFEST
from orchestration.store.feature_store import (
    current_snapshot,
    feature_views,
    register_features,
    take_snapshot,
)
from orchestration.store.results import load_training

SHOWN = ("auc", "average_precision", "brier", "precision@20", "review_share_80", "mrr", "top@3", "ndcg@10")


def snapshot_asset(name: str, train: str, label: str, domain: Mapping[str, Any]) -> dg.AssetsDefinition:
    """The asset that freezes one training relation and its labels."""

    @dg.asset(
        name=name,
        deps=[train, label],
        group_name="training",
        kinds={"parquet"},
        description=f"The training relation {train} and its labels as Parquet, named by content hash.",
    )
    def snapshot(project: Project) -> dg.MaterializeResult:
        from ml.data.dataset import snapshot_id_of

        manifest = json.loads(DBT_MANIFEST.read_text())
        with project.database() as database:
            register_features(database, feature_views(manifest))
            taken = take_snapshot(
                database,
                project.settings().snapshots_dir,
                train=train,
                label=label,
                domain=domain,
                identify=snapshot_id_of,
                git_sha=project.git_sha(),
            )
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": taken.rows,
                "features": taken.n_features,
                "snapshot_id": taken.snapshot_id,
                "is_new": taken.is_new,
                "path": dg.MetadataValue.path(str(taken.path)),
            }
        )

    return snapshot


def model_asset(task: ScoredTask) -> dg.AssetsDefinition:
    """The asset that trains a task's model and loads its figures and predictions.

    Where there is too little data for it, it says so and is skipped: the rest of the run goes on.
    """

    @dg.asset(
        key=["models", task.name],
        deps=[task.snapshot],
        group_name="models",
        kinds={"duckdb"},
        description=task.description,
        output_required=False,
        # First of what is ready, so that whatever publishes in the same run publishes it, too.
        op_tags={"dagster/priority": "1"},
    )
    def trained(
        context: dg.AssetExecutionContext,
        config: task.run,  # type: ignore[name-defined]  # each task has defaults of its own
        project: Project,
    ) -> Iterator[dg.MaterializeResult]:
        from ml.runs.card import figures_text

        try:
            folder, evaluation = train_or_read(project, task, config)
        except TooLittleDataError as error:
            context.log.warning("models/%s is skipped, there is too little data. %s", task.name, error)
            return
        with project.database() as database:
            load_training(database, folder, [task.name], is_served=True)
        shown = {metric.replace("@", "_at_"): evaluation.value("test", metric) for metric in SHOWN}
        horizon = task.horizon(config)
        yield dg.MaterializeResult(
            metadata={
                **{metric: value for metric, value in shown.items() if value is not None},
                **({} if horizon is None else {"horizon_days": horizon}),
                "best_iteration": evaluation.best_iteration,
                "seconds": round(sum(evaluation.seconds.values()), 2),
                "figures": dg.MetadataValue.md(f"```\n{figures_text(evaluation.metrics)}\n```"),
                "params": dg.MetadataValue.json(evaluation.params),
                "model_version": evaluation.model_version,
                "run_folder": dg.MetadataValue.path(str(folder)),
            }
        )

    return trained


def tuned_parameters_asset(task: ScoredTask) -> dg.AssetsDefinition:
    """The asset that searches for a task's parameters; an interrupted search goes on."""

    @dg.asset(
        key=["tuned_parameters", task.name],
        deps=[task.snapshot],
        group_name="tuning",
        description=f"Best parameters of {task.name} by rolling folds before the test part.",
        output_required=False,
    )
    def tuned(
        context: dg.AssetExecutionContext,
        config: task.tuning,  # type: ignore[name-defined]  # each task has defaults of its own
        project: Project,
    ) -> Iterator[dg.MaterializeResult]:
        from dataclasses import replace

        from ml.search.study import SearchRequest, search
        from ml.store.files import write_atomically

        settings = project.settings()
        output = tuned_file(settings.runs_dir, task)
        own = replace(
            scoring_config(task, task.run(seed=config.seed), output), horizon_days=task.horizon(config)
        )
        snapshot = current_snapshot(settings.snapshots_dir, task.domain)
        try:
            result = search(
                SearchRequest(task.kind, snapshot, config.seed, own, config.rows),
                config.trials,
                output.with_suffix(".journal"),
                progress=lambda done, trials: context.log.debug("%d of %d trials", done, trials),
                plots_dir=output.parent / "plots",
            )
        except TooLittleDataError as error:
            context.log.warning(
                "tuned_parameters/%s is skipped, there is too little data. %s", task.name, error
            )
            return
        write_atomically(output, result.to_yaml())
        yield dg.MaterializeResult(
            metadata={
                "best_value": result.best_value,
                "trials": result.trials,
                "best_params": dg.MetadataValue.json(result.best_params),
                "path": dg.MetadataValue.path(str(output)),
            }
        )

    return tuned
