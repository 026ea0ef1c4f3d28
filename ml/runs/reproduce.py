"""Train a version again from its record: same snapshot, settings and seed, so the same predictions."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml.data.dataset import Dataset
from ml.encoding.matrix import PreprocessingConfig
from ml.errors import DamagedFileError
from ml.runs.train import train_models, training_key
from ml.store.record import Evaluation
from ml.store.run_folder import RunFolder, original_name, predictions_name
from ml.tasks import DURATION, TASKS, Task


@dataclass(frozen=True)
class Reproduction:
    """A version, and the SHA-256 of its predictions as they were recorded and as they came out again."""

    recorded: Evaluation
    again: Evaluation
    expected: str
    actual: str

    @property
    def is_same(self) -> bool:
        """Whether every prediction came out the same."""
        return self.expected == self.actual

    @property
    def is_same_code(self) -> bool:
        """Whether code, settings and libraries are those that trained it."""
        return self.recorded.key == self.again.key


def find_version(runs_dir: Path, version: str) -> Evaluation:
    """The record of a version in any folder of runs; ValueError lists the latest ones when there is none."""
    known: list[Evaluation] = []
    for path in sorted(runs_dir.glob("*/eval_*.json")):
        try:
            known += [one for one in RunFolder(path.parent).evaluations() if one not in known]
        except DamagedFileError:
            continue
        for one in known:
            if one.model_version == version:
                return one
    newest = [one.model_version for one in sorted(known, key=lambda one: one.finished_at)[-5:]]
    raise ValueError(
        f"There is no version {version!r} in {runs_dir}: the latest are {', '.join(newest) or 'none'}."
    )


def reproduce(
    version: str, runs_dir: Path, snapshots_dir: Path, progress: Callable[[str, str], None] | None = None
) -> Reproduction:
    """Train a version again, in a folder that is gone afterwards.

    Raises
    ------
    ValueError
        There is no such version, its snapshot is gone, it was made from another model by mitigation, or code
        or libraries have changed since so that its task cannot be told (hours alone are told all the same).
    """
    recorded = find_version(runs_dir, version)
    if original_name(recorded.model) != recorded.model:
        raise ValueError(
            f"{version} cannot be trained by itself: mitigation made it from {original_name(recorded.model)}."
        )
    task, settings = _task_of(recorded)
    folder = snapshots_dir / recorded.snapshot_id
    if not folder.is_dir():
        raise ValueError(f"The snapshot of {version} is not at {folder}: give its folder by --snapshots-dir.")
    dataset = Dataset.from_dir(folder)
    if dataset.snapshot_id != recorded.snapshot_id:
        raise ValueError(f"The snapshot {folder} is not what {version} learned from: it was changed since.")
    with tempfile.TemporaryDirectory(prefix="reproduce-") as name:
        (again,) = train_models(
            dataset, [recorded.model], Path(name) / "again", settings, progress, task=task
        )
    file = predictions_name(recorded.model)
    return Reproduction(recorded, again, recorded.files[file], again.files[file])


def _task_of(recorded: Evaluation) -> tuple[Task, Any]:
    """The task of a record and its settings: several tasks go by one name, and the key knows which it was."""
    for task in TASKS.values():
        try:
            settings = _settings(task, recorded.settings)
            key = training_key(recorded.snapshot_id, task, settings, recorded.model)
        except (TypeError, ValueError):
            continue  # of another task
        if key == recorded.key or (task is DURATION and task.name == recorded.task):
            return task, settings
    raise ValueError(
        f"Code or libraries are not those that trained {recorded.model_version}: check out commit "
        f"{recorded.git_sha} with its requirements.lock and try again."
    )


def _settings(task: Task, kept: Mapping[str, Any]) -> Any:
    """The settings that a record keeps, as the task takes them."""
    if task is DURATION:
        return task.settings.from_mapping(kept)
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in kept.items()
    }
    if "preprocessing" in given:
        given["preprocessing"] = PreprocessingConfig(**given["preprocessing"])
    return task.settings(**given)
