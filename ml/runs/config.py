"""The settings of a training run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ml.encoding.matrix import PreprocessingConfig
from ml.tasks.duration import Weighting


@dataclass(frozen=True)
class TrainingConfig:
    """Settings of a training run.

    Parameters
    ----------
    trials : int
        Trials of the search per model; 0 for the default parameters.
    seconds : float
        No trial starts later than this after the search began; a safety stop, since results are
        reproducible only when the trials end the search.
    subset_size : int or None
        Train on at most this many training rows, drawn with the seed; the other parts stay whole.
    seed : int
    replicates : int
        Bootstrap resamples of the intervals; 0 for none.
    tuning_rows : int
        Training rows that a trial is fitted on.
    weighting : Weighting
    validation, test : float
        Shares of the split.
    min_timeline_labels : int
        Timelines with fewer known labels are split together.
    preprocessing : PreprocessingConfig
    """

    trials: int = 10
    seconds: float = 120.0
    subset_size: int | None = None
    seed: int = 0
    replicates: int = 200
    tuning_rows: int = 10_000
    validation: float = 0.1
    test: float = 0.2
    min_timeline_labels: int = 10
    weighting: Weighting = field(default_factory=Weighting)
    preprocessing: PreprocessingConfig = field(default_factory=PreprocessingConfig)

    def __post_init__(self) -> None:
        for name, least in (("trials", 0), ("seconds", 0), ("replicates", 0), ("tuning_rows", 2)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, not {getattr(self, name)}.")
        if self.subset_size is not None and self.subset_size < 2:
            raise ValueError(f"subset_size must be at least 2, not {self.subset_size}.")

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> TrainingConfig:
        """Read back the settings that a record keeps; unknown names raise ValueError."""
        parts = {"weighting": Weighting, "preprocessing": PreprocessingConfig}
        try:
            return cls(**{k: parts[k](**v) if k in parts else v for k, v in mapping.items()})
        except TypeError as error:
            raise ValueError(
                f"The settings of the run are of another version ({error}): train again."
            ) from error
