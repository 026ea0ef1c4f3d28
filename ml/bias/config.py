"""Settings of the bias measurement, checked once."""

from __future__ import annotations

from dataclasses import dataclass

MISSING = "(missing)"
SMALL_SLICES = "(small slices)"
SLICE_PREFIX = "slice_"


@dataclass(frozen=True)
class BiasConfig:
    """What counts as a slice, as a gap and as certain.

    Parameters
    ----------
    model : str
        Name of the model where the predictions have no ``model`` column.
    threshold : float
        Relative gap above which (strictly) a difference is large enough to matter.
    alpha : float
        False-discovery rate over all slices and metrics of one model and split.
    min_slice_size : int
        Slices with fewer known outcomes are pooled into "(small slices)"; a complement needs as many.
    min_clusters : int
        A slice with fewer clusters has no usable standard error and is not assessable.
    replicates : int
        Bootstrap resamples.
    confidence : float
        Level of every interval.
    seed : int
        Seed of the bootstrap.
    outcome_slices : tuple of str
        Dimensions (with or without the prefix ``slice_``) made from the outcome itself: measured and drawn
        against the regression-to-the-mean reference, never tested, flagged or used for mitigation.
    mix_slices : tuple of str
        Dimensions whose mix is held equal when a gap is split into model and mix.
    """

    model: str = "model"
    threshold: float = 0.1
    alpha: float = 0.05
    min_slice_size: int = 30
    min_clusters: int = 5
    replicates: int = 200
    confidence: float = 0.95
    seed: int = 0
    outcome_slices: tuple[str, ...] = ()
    mix_slices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.threshold >= 0:
            raise ValueError(f"threshold must not be negative, got {self.threshold}")
        for name in ("alpha", "confidence"):
            value = getattr(self, name)
            if not 0 < value < 1:
                raise ValueError(f"{name} must lie strictly between 0 and 1, got {value}")
        for name in ("min_slice_size", "min_clusters"):
            value = getattr(self, name)
            if value < 2:
                raise ValueError(f"{name} must be at least 2, got {value}: one row has no variance")
        if self.replicates < 2:
            raise ValueError(f"replicates must be at least 2, got {self.replicates}")

    def is_outcome(self, dimension: str) -> bool:
        """Whether a dimension is made from the outcome itself."""
        return dimension in {name.removeprefix(SLICE_PREFIX) for name in self.outcome_slices}

    @property
    def mix(self) -> tuple[str, ...]:
        """``mix_slices`` without the prefix."""
        return tuple(name.removeprefix(SLICE_PREFIX) for name in self.mix_slices)
