"""What is learned: hours, remaining times, scorers, rankers and so on, each a declaration of one `Task`."""

from __future__ import annotations

from ml.tasks.duration.task import DURATION
from ml.tasks.remaining.task import REMAINING
from ml.tasks.scoring.ranker import RANKER
from ml.tasks.scoring.scorer import CLUSTER, LATE, SCORER
from ml.tasks.task import Task, Trained

__all__ = [
    "CLUSTER",
    "DURATION",
    "LATE",
    "RANKER",
    "REMAINING",
    "SCORER",
    "TASKS",
    "Task",
    "Trained",
    "task_of",
]

TASKS: dict[str, Task] = {task.kind: task for task in (DURATION, REMAINING, SCORER, LATE, RANKER, CLUSTER)}


def task_of(kind: str) -> Task:
    """Return the task called ``kind``; ValueError lists the known ones."""
    if kind not in TASKS:
        raise ValueError(f"There is no task {kind!r}: choose from {', '.join(TASKS)}.")
    return TASKS[kind]
