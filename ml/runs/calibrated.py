"""Where a model's chances are wrong beyond noise, read from its figures."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ml.store.record import Evaluation

_ERROR = re.compile(r"ece_(\d+)d")


@dataclass(frozen=True)
class HorizonCalibration:
    """How true the chances of one horizon are.

    Parameters
    ----------
    horizon_days, n : int
    error, low, high : float or None
        Expected calibration error with its 95 % interval; no interval where there are too few groups.
    gain, gain_low, gain_high : float or None
        Fall of the Brier score from the group's own rate, positive is better, with its interval.
    limit : float
        The largest error that is allowed.
    """

    horizon_days: int
    n: int
    error: float | None
    low: float | None
    high: float | None
    gain: float | None
    gain_low: float | None
    gain_high: float | None
    limit: float

    @property
    def is_off(self) -> bool:
        """Whether the error is above the limit beyond noise, which takes an interval."""
        return self.low is not None and self.low > self.limit

    @property
    def is_worse(self) -> bool:
        """Whether the group's own rate says it better, beyond noise."""
        return self.gain_high is not None and self.gain_high < 0

    @property
    def verdict(self) -> str:
        """In words."""
        if self.is_off:
            return f"off by more than {self.limit:g}"
        if self.is_worse:
            return "worse than the group's own rate"
        return "held" if self.low is not None else "not assessable"


def calibration_by_horizon(evaluation: Evaluation, split: str, limit: float) -> list[HorizonCalibration]:
    """Return how true a model's chances are on one part, the shortest horizon first.

    Parameters
    ----------
    evaluation : Evaluation
        Of a model of hours.
    split : {"validation", "test"}
    limit : float
        The largest expected calibration error that is allowed, as a share.
    """
    figures = {figure.metric: figure for figure in evaluation.metrics if figure.split == split}
    found = []
    for name, error in figures.items():
        if (matched := _ERROR.fullmatch(name)) and error.value is not None:
            gain = figures.get(f"brier_{matched[1]}d_gain_vs_group_rate")
            gained = (gain.value, gain.ci_low, gain.ci_high) if gain else (None, None, None)
            figure = (error.n, error.value, error.ci_low, error.ci_high)
            found.append(HorizonCalibration(int(matched[1]), *figure, *gained, limit))
    return sorted(found, key=lambda one: one.horizon_days)
