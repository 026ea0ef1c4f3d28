"""The registry of model families: one file each, found by looking into this package.

A file exports ``SPEC``. Adding a family is adding a file.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ml.encoding.matrix import Inputs

Params = dict[str, Any]
Loss = Literal["absolute", "squared"]
Validation = tuple[NDArray[Any], NDArray[np.float64], NDArray[np.float64]]


def _nothing_to_search(trial: Any) -> Params:
    return {}


def _fit_plainly(
    estimator: Any,
    x: NDArray[Any],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    validation: Validation | None,
) -> None:
    estimator.fit(x, y, sample_weight=weight)


@dataclass(frozen=True)
class ModelSpec:
    """How to build, search and fit one family.

    Parameters
    ----------
    name : str
    build : callable (params, seed, loss) -> estimator
        A new, unfitted scikit-learn regressor. ``loss`` is "absolute" for medians, "squared" for means.
    search_space : callable (trial) -> params
        What the tuner may vary; empty for nothing.
    defaults : mapping
        Parameters that every build starts from.
    timing : mapping
        What the timing head takes beside the defaults: a mean of 0 and 1 wants other settings than a
        median of logs, and is not searched.
    inputs : {"features", "group"}
        The encoded matrix, or only the group's name.
    is_floor : bool
        The baseline itself: its fit is not corrected for censoring.
    fit : callable (estimator, x, y, weight, validation) -> None
        Fits in place; ``validation`` (x, y, weight) is for early stopping and may be ignored.
    best_iteration : callable (estimator) -> int or None
        Trees kept by early stopping, None where there is no such thing.
    native : callable (estimator) -> (suffix, bytes) or None
        The library's own file format.
    """

    name: str
    build: Callable[[Mapping[str, Any], int, Loss], Any]
    search_space: Callable[[Any], Params] = _nothing_to_search
    defaults: Mapping[str, Any] = field(default_factory=dict)
    timing: Mapping[str, Any] = field(default_factory=dict)
    inputs: Inputs = "features"
    is_floor: bool = False
    fit: Callable[[Any, NDArray[Any], NDArray[np.float64], NDArray[np.float64], Validation | None], None] = (
        _fit_plainly
    )
    best_iteration: Callable[[Any], int | None] = lambda estimator: None
    native: Callable[[Any], tuple[str, bytes]] | None = None

    @property
    def is_searched(self) -> bool:
        """Whether there is anything to tune."""
        return self.search_space is not _nothing_to_search


@cache
def registry() -> dict[str, ModelSpec]:
    """Return every family by name, the baseline first."""
    specs = []
    for module in pkgutil.iter_modules(__path__):
        spec = getattr(importlib.import_module(f"{__name__}.{module.name}"), "SPEC", None)
        if isinstance(spec, ModelSpec):
            specs.append(spec)
    return {spec.name: spec for spec in sorted(specs, key=lambda s: (s.name != "median", s.name))}


def find(name: str) -> ModelSpec:
    """Return the family called ``name``; ValueError lists the known ones."""
    specs = registry()
    if name not in specs:
        raise ValueError(f"There is no model {name!r}: choose from {', '.join(specs)}.")
    return specs[name]
