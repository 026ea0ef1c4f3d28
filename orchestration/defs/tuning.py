"""The asset that searches for the parameters of a declared task."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg

from ml.errors import TooLittleDataError
from orchestration.declarations import Task
from orchestration.defs.configs import horizon_of, run_type, tuning_type
from orchestration.defs.executor import PRIORITY
from orchestration.defs.metadata import short
from orchestration.defs.resources import Project
from orchestration.defs.training import scoring_config, snapshot_version, tuned_file
from orchestration.defs.unchanged import unless_unchanged
from orchestration.store.snapshots import current_snapshot


def tuned_parameters_asset(task: Task) -> dg.AssetsDefinition:
    """The asset that searches for a task's parameters; an interrupted search goes on."""

    @dg.asset(
        key=["tuned_parameters", task.name],
        deps=[task.learns_from.snapshot],
        group_name="tuning",
        description=f"Best parameters of {task.name} by rolling folds before the test part.",
        output_required=False,
        op_tags={PRIORITY: "0"},
    )
    @unless_unchanged(
        inputs=lambda project: snapshot_version(project, task),
        files=lambda project, said: [Path(said["path"].path)],
    )
    def tuned(
        context: dg.AssetExecutionContext,
        config: tuning_type(task),  # type: ignore[valid-type]  # each task has defaults of its own
        project: Project,
    ) -> Iterator[dg.MaterializeResult]:
        from ml.search.study import SearchRequest, search
        from ml.store.files import write_atomically

        settings = project.settings()
        output = tuned_file(settings.runs_dir, task)
        defaults = scoring_config(task, run_type(task)(seed=config.seed), output)
        own = replace(defaults, horizon_days=horizon_of(task, config))
        snapshot = current_snapshot(settings.snapshots_dir, task.learns_from.name)
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
                "best_value": short(result.best_value),
                "trials": result.trials,
                "best_params": dg.MetadataValue.json(result.best_params),
                "path": dg.MetadataValue.path(str(output)),
            }
        )

    return tuned
