"""The settings of the training of a model of remaining times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from ml.data.settings import Count, Days, Positive, Seed, SomeRows, Whole, check_settings
from ml.encoding.matrix import PreprocessingConfig

# From an hour to 64 years, with the usual horizons among them; each period ends at up to twice its begin.
EDGES = (
    1 / 24, 0.25, 1.0, 3.0, 7.0, 14.0, 30.0, 60.0, 90.0, 130.0, 180.0, 260.0, 365.0, 545.0, 730.0, 1095.0,
    1460.0, 2190.0, 2920.0, 5840.0, 11680.0, 23360.0,
)  # fmt: skip


@dataclass(frozen=True)
class RemainingConfig:
    """Settings of the training of a model of remaining times.

    Parameters
    ----------
    age : str
        Feature column with the days from an item's start to the observation.
    edges_days : tuple of float
        Bounds of the periods ahead of an observation, after 0.
    seeds : int
        Learners that are averaged, alike but for their seed.
    rows : int
        Rows at risk that a learner sees at most, drawn with the seed: ends first, the others for many.
    origins : int
        Rolling origins before the test part, the last one at the begin of the validation part.
    group_power : float
        Exponent of the inverse group size in a row's weight.
    half_life : float or None
        Share of a timeline's rows at risk over which weights halve; None for equal weights.
    min_ends : int
        Ends that a map of calibration is learned from.
    seed : int
    replicates : int
        Bootstrap resamples of the intervals, which draw items; 0 for none.
    validation, test : float
        Shares of the split.
    min_timeline_labels : int
        Timelines with fewer known labels are split together.
    params : mapping
        Parameters over the family's defaults.
    preprocessing : PreprocessingConfig
        Without the text score: over rolling origins it cost .002 in Brier score.
    """

    age: str = "age_days"
    edges_days: tuple[Days, ...] = EDGES
    seeds: Count = 2
    rows: SomeRows = 250_000
    origins: Count = 4
    group_power: float = 0.25
    half_life: Positive | None = None
    min_ends: Count = 300
    seed: Seed = 0
    replicates: Whole = 200
    validation: Positive = 0.1
    test: Positive = 0.2
    min_timeline_labels: Whole = 10
    params: Mapping[str, Any] = field(default_factory=dict)
    preprocessing: PreprocessingConfig = field(default_factory=PreprocessingConfig)

    def __post_init__(self) -> None:
        check_settings(self)
        if any(a >= b for a, b in pairwise(self.edges_days)):
            raise ValueError("edges_days must ascend: put the bounds of the periods in order, each once.")
        if len(self.edges_days) < 2:
            raise ValueError("edges_days needs two bounds at least: add one.")

    @property
    def edges(self) -> tuple[float, ...]:
        """Bounds of the periods, from 0."""
        return (0.0, *self.edges_days)
