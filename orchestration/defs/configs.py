"""What a user can configure of a training or a search; the fields of a task's follow from its declaration."""

import re
from typing import Any

import dagster as dg
from pydantic import Field, create_model

from orchestration.declarations import Task

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class TrainingRun(dg.Config):
    """How models are trained; the same fields on every model's asset and on the leaderboard."""

    models: list[str] = Field(
        default=[], description="Models on the leaderboard; every registered one if empty."
    )
    run_id: str = Field(
        default="", description="Name of the run folder; made of snapshot and settings if empty."
    )
    trials: int = Field(default=8, ge=0, description="Trials of the parameter search per model; 0 for none.")
    seconds: float = Field(
        default=3600, ge=0, description="No trial starts after this many seconds; stops one that runs away."
    )
    subset_size: int | None = Field(default=None, description="Train on at most this many rows.")
    seed: int = Field(default=0, ge=0, description="Of everything that is drawn.")


class ScoringRun(dg.Config):
    """How a scorer or ranker is trained: by default on whole groups in time."""

    validation_groups: float = Field(default=0.22, description="Groups for validation; below 1, a share.")
    test_groups: float = Field(default=0.27, description="Groups for the test; below 1, a share.")
    cv_folds: int = Field(default=5, ge=0, description="Stratified folds of groups; 0 for none.")
    forward_cuts: int = Field(
        default=10, ge=0, description="Earlier cuts in time to judge it at; 0 for none."
    )
    replicates: int = Field(default=500, ge=0, description="Bootstrap resamples; 0 for no intervals.")
    use_tuned: bool = Field(default=False, description="Take the best parameters of `tuned_parameters`.")
    seed: int = Field(default=0, ge=0, description="Of everything that is drawn.")


class TimelineRun(ScoringRun):
    """The same on timelines of their own: shares of each, no folds, which ignore time, and no more cuts."""

    validation_groups: float = Field(default=0.1, gt=0, lt=1, description="Share of each timeline.")
    test_groups: float = Field(default=0.2, gt=0, lt=1, description="Share of each timeline.")
    cv_folds: int = Field(default=0, ge=0, description="Stratified folds of groups; 0 for none.")
    forward_cuts: int = Field(default=0, ge=0, description="Earlier cuts in time to judge it at; 0 for none.")
    replicates: int = Field(default=100, ge=0, description="Bootstrap resamples; 0 for no intervals.")


class RemainingRun(dg.Config):
    """How the model of the remaining time is trained."""

    seeds: int = Field(default=2, ge=1, description="Learners that are averaged.")
    rows: int = Field(default=250_000, ge=2, description="Learn from at most this many rows at risk.")
    origins: int = Field(default=4, ge=1, description="Rolling origins that judge and calibrate it.")
    replicates: int = Field(default=200, ge=0, description="Bootstrap resamples; 0 for no intervals.")
    seed: int = Field(default=0, ge=0, description="Of everything that is drawn.")


class Tuning(dg.Config):
    """The budget of a search."""

    trials: int = Field(default=3, ge=1, description="Trials in all; those of earlier runs count.")
    rows: int | None = Field(default=None, ge=1, description="Search on about so many rows; all if empty.")
    seed: int = Field(default=0, ge=0, description="Of everything that is drawn.")


class SmallTuning(Tuning):
    """A search that is over in seconds on a large domain."""

    trials: int = Field(default=2, ge=1, description="Trials in all; those of earlier runs count.")
    rows: int | None = Field(default=1000, ge=1, description="Search on about so many rows; all if empty.")


def run_type(task: Task) -> Any:
    """The configuration of a task's training."""
    if task.has_rivals:
        return TrainingRun
    if task.kind == "remaining":
        return RemainingRun
    return _with_horizon(task, TimelineRun if _has_timelines(task) else ScoringRun)


def tuning_type(task: Task) -> type[Tuning]:
    """The configuration of a task's search."""
    return _with_horizon(task, SmallTuning if _has_timelines(task) else Tuning)


def horizon_of(task: Task, config: dg.Config) -> float | None:
    """The horizon of a run or search, in days: its own where it has one, otherwise the task's."""
    return getattr(config, "horizon_days", task.horizon_days)


def unheeded(config: ScoringRun) -> list[str]:
    """Fields of training that were given to an asset that trains nothing."""
    default = type(config)()
    return [name for name in ScoringRun.model_fields if getattr(config, name) != getattr(default, name)]


def check_run_id(run_id: str) -> str:
    """A name that a user gave a run; one that cannot be a folder's raises ValueError."""
    if not _RUN_ID.fullmatch(run_id):
        raise ValueError(
            f"The run_id {run_id!r} cannot name a folder: use letters, digits, dot, dash, underscore."
        )
    return run_id


def _has_timelines(task: Task) -> bool:
    return "timeline" in task.learns_from.settings


def _with_horizon(task: Task, base: Any) -> Any:
    if not task.horizon:
        return base
    field = (float, Field(default=task.horizon_days, gt=0, description=task.horizon))
    return create_model(
        f"{base.__name__}_{task.name}", __base__=base, __doc__=base.__doc__, horizon_days=field
    )
