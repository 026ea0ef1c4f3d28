"""The asset of a declared task, which trains its model."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from ml.errors import TooLittleDataError
from ml.store.files import sha256_of_file
from ml.store.run_folder import RunFolder
from orchestration.declarations import Task
from orchestration.defs.configs import horizon_of, run_type
from orchestration.defs.metadata import duration_metadata, scoring_metadata
from orchestration.defs.resources import Project
from orchestration.defs.training import dataset_of, train, tuned_file
from orchestration.defs.unchanged import unless_unchanged
from orchestration.store.results import load_training


def model_asset(task: Task) -> dg.AssetsDefinition:
    """The asset that trains a task's model; one without rivals is loaded as the current one.

    Where there is too little data for a model without rivals, it says so and is skipped: the rest of the run
    goes on. Rivals wait for their leaderboard, which loads them together.
    """
    # First of what is ready, so that whatever publishes in the same run publishes it, too.
    tags = {} if task.has_rivals else {"dagster/priority": "1"}

    def tuned(project: Project, config: Any) -> str | None:
        file = tuned_file(project.settings().runs_dir, task)
        return sha256_of_file(file) if getattr(config, "use_tuned", False) and file.is_file() else None

    @dg.asset(
        key=["models", task.name],
        deps=[task.learns_from.snapshot],
        group_name="models",
        description=task.description,
        output_required=task.has_rivals,
        kinds=set() if task.has_rivals else {"duckdb"},
        op_tags=tags,
    )
    @unless_unchanged(
        also=tuned,
        files=lambda project, said: RunFolder(said["run_folder"].path).files(task.name),
    )
    def trained(
        context: dg.AssetExecutionContext,
        config: run_type(task),  # type: ignore[valid-type]  # each task has defaults of its own
        project: Project,
    ) -> Iterator[dg.MaterializeResult]:
        try:
            folder, (evaluation,) = train(project, [task], config, context.log)
        except TooLittleDataError as error:
            if task.has_rivals:
                raise
            context.log.warning("models/%s is skipped, there is too little data. %s", task.name, error)
            return
        if not task.has_rivals:
            with project.database() as database:
                load_training(database, folder, [task.name], is_served=True)
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
