"""The registry of model families: one file each, found by looking into this package.

A file exports ``SPEC``, which says what tasks the family can serve. Adding a family is adding a file.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from ml.models.spec import (
    FittedScorer,
    Loss,
    ModelSpec,
    Params,
    Rows,
    ScoringFamily,
    TaskName,
    Validation,
    Watch,
)

__all__ = [
    "FittedScorer",
    "Loss",
    "ModelSpec",
    "Params",
    "Rows",
    "ScoringFamily",
    "TaskName",
    "Validation",
    "Watch",
    "find",
    "registry",
]


@cache
def registry(task: TaskName = "regression") -> dict[str, ModelSpec]:
    """Return every family that serves a task by name, the baseline first."""
    specs = []
    for module in pkgutil.iter_modules(__path__):
        spec = getattr(importlib.import_module(f"{__name__}.{module.name}"), "SPEC", None)
        if isinstance(spec, ModelSpec) and task in spec.tasks:
            specs.append(spec)
    return {spec.name: spec for spec in sorted(specs, key=lambda s: (not s.is_floor, s.name))}


def find(name: str, task: TaskName = "regression") -> ModelSpec:
    """Return the family called ``name``; ValueError lists those that serve the task."""
    specs = registry(task)
    if name not in specs:
        raise ValueError(f"There is no model {name!r}: choose from {', '.join(specs)}.")
    return specs[name]
