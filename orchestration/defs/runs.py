"""The current models of a domain, with their folders and their data, as the assets after training see it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.declarations import Task
from orchestration.defs.resources import Project
from orchestration.defs.training import read_dataset
from orchestration.store.results import current_models

if TYPE_CHECKING:
    import pandas as pd

    from ml.data.dataset import Dataset
    from ml.store.record import Evaluation


@dataclass(frozen=True)
class Run:
    """A run folder, and those of its models that are current."""

    folder: Path
    snapshot: Path
    evaluations: list["Evaluation"]

    @property
    def dataset(self) -> "Dataset":
        """The snapshot that the models were trained on."""
        return read_dataset(self.snapshot)


def read_current_runs(project: Project, domain: str, tasks: Sequence[str]) -> list[Run]:
    """The run folders that the current models of a domain's tasks are in, the newest last.

    Raises
    ------
    ValueError
        Nothing has been trained yet; the sentence says what to do.
    """
    runs = find_current_runs(project, domain, tasks)
    if not runs:
        raise ValueError(f"No model of {domain} has been trained yet: materialize its models first.")
    return runs


def find_current_runs(project: Project, domain: str, tasks: Sequence[str]) -> list[Run]:
    """The same; empty where nothing has been trained yet."""
    from ml.store.run_folder import RunFolder

    settings = project.settings()
    with project.database() as database:
        found = current_models(database, domain, tasks)
    runs: dict[str, Run] = {}
    for one in found:
        folder = settings.runs_dir / one.run_id
        run = runs.setdefault(one.run_id, Run(folder, settings.snapshots_dir / one.snapshot_id, []))
        run.evaluations.append(RunFolder(folder).evaluation(one.model))
    return list(runs.values())


def served_predictions(project: Project, evaluation: "Evaluation") -> "pd.DataFrame":
    """The predictions of a current model's validation and test rows."""
    from ml.store.run_folder import RunFolder

    return RunFolder(project.settings().runs_dir / evaluation.run_id).predictions(evaluation.model)


def served_model(project: Project, task: Task) -> tuple[Any, "Evaluation"]:
    """The current model of a task without rivals, and its evaluation.

    Raises
    ------
    ValueError
        There is none; serving trains nothing.
    """
    from ml.store.run_folder import RunFolder

    for run in find_current_runs(project, task.learns_from.name, ["binary", "ranking"]):
        for evaluation in run.evaluations:
            if evaluation.model == task.name:
                return RunFolder(run.folder).model(task.name), evaluation
    raise ValueError(f"There is no model {task.name} to serve: materialize models/{task.name} first.")
