"""The asset of a declared task, which trains its model."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from ml.errors import TooLittleDataError
from ml.store.files import sha256_of_file
from ml.store.run_folder import RunFolder
from orchestration.declarations import Task
from orchestration.defs.configs import horizon_of, run_type
from orchestration.defs.executor import PRIORITY
from orchestration.defs.metadata import duration_metadata, scoring_metadata
from orchestration.defs.resources import Project
from orchestration.defs.training import dataset_of, snapshot_version, train, tuned_file
from orchestration.defs.unchanged import unless_unchanged
from orchestration.store.served import runs_file, serve


def model_asset(task: Task) -> dg.AssetsDefinition:
    """The asset that trains a task's model, on files alone.

    One without rivals is the current one from then on, and loaded by the next step that holds the database;
    rivals wait for their leaderboard, which loads them together. Where there is too little data for a model
    without rivals, it says so and is skipped: the rest of the run goes on.
    """

    def tuned(project: Project, config: Any) -> str | None:
        file = tuned_file(project.settings().runs_dir, task)
        return sha256_of_file(file) if getattr(config, "use_tuned", False) and file.is_file() else None

    def snapshot(project: Project) -> dict[str, str]:
        return snapshot_version(project, task)

    def files(project: Project, said: Mapping[str, Any]) -> list[Path]:
        folder = Path(said["run_folder"].path)
        served = [] if task.has_rivals else [runs_file(folder.parent, task.name)]
        return [*RunFolder(folder).files(task.name), *served]

    @dg.asset(
        key=["models", task.name],
        deps=[task.learns_from.snapshot],
        group_name="models",
        description=task.description,
        output_required=task.has_rivals,
        op_tags={PRIORITY: task.priority},
    )
    @unless_unchanged(inputs=snapshot, also=tuned, files=files)
    def trained(
        context: dg.AssetExecutionContext,
        config: run_type(task),  # type: ignore[valid-type]  # each task has defaults of its own
        project: Project,
    ) -> Iterator[dg.MaterializeResult]:
        try:
            folder, (evaluation,) = train(project, [task], config, context)
        except TooLittleDataError as error:
            if task.has_rivals:
                raise
            context.log.warning("models/%s is skipped, there is too little data. %s", task.name, error)
            return
        if not task.has_rivals:
            serve(folder, task.name)
        metadata = (
            duration_metadata(folder, evaluation, dataset_of(project, task))
            if evaluation.task == "regression"
            else scoring_metadata(folder, evaluation, horizon_of(task, config))
        )
        yield dg.MaterializeResult(
            metadata=metadata | {"run_folder": dg.MetadataValue.path(str(folder))},
            data_version=dg.DataVersion(evaluation.model_version),
        )

    return trained
