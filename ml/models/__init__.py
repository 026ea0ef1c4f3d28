"""The registry of model families: one file each, found by looking into this package.

A file exports ``SPEC``, which says what tasks the family can serve. Adding a family is adding a file.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
from functools import cache
from pathlib import Path

from ml.models.spec import (
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
    "Loss",
    "ModelSpec",
    "Params",
    "Rows",
    "ScoringFamily",
    "TaskName",
    "Validation",
    "Watch",
    "find",
    "floors",
    "names",
    "registry",
]


@cache
def names(task: TaskName = "regression") -> list[str]:
    """Return the names of the families that serve a task, in the order of `registry`.

    They are read from the files' text: to import the families takes the seconds that their libraries take.
    """
    floors: list[str] = []
    others: list[str] = []
    for module in pkgutil.iter_modules(__path__):
        source = (Path(__path__[0]) / f"{module.name}.py").read_text(encoding="utf-8")
        for line in ast.parse(source).body:
            if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "SPEC":
                assert isinstance(line.value, ast.Call)
                given = {keyword.arg: ast.unparse(keyword.value) for keyword in line.value.keywords}
                serves = "build" in given if task == "regression" else f"'{task}'" in given.get("scoring", "")
                if serves:
                    (floors if "is_floor" in given else others).append(ast.literal_eval(given["name"]))
    return sorted(floors) + sorted(others)


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


def floors(task: TaskName = "regression") -> list[str]:
    """Return the names of the baselines, which stay among the trained whatever else is asked for."""
    return [name for name, spec in registry(task).items() if spec.is_floor]
