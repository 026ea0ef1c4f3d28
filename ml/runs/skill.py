"""Where a model is worse than its group's own history beyond noise, read from its figures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from ml.stats.figure import INTERVAL
from ml.store.record import Evaluation
from ml.tasks.duration.figures import GAIN_IN

# Of the groups that are called worse, so many may be so by chance (Benjamini and Hochberg 1995).
FALSE_SHARE = 0.05


@dataclass(frozen=True)
class GroupSkill:
    """What a model gains over a group's own median: the fall of the MAE of log hours, positive is better.

    Parameters
    ----------
    group : str
    n : int
    gain, ci_low, ci_high : float
        With its paired 95 % interval.
    is_worse : bool
        It is a loss beyond noise.
    """

    group: str
    n: int
    gain: float
    ci_low: float
    ci_high: float
    is_worse: bool

    @property
    def verdict(self) -> str:
        """In words."""
        return "worse" if self.is_worse else "better" if self.ci_low > 0 else "not told apart"


def skill_by_group(evaluation: Evaluation, split: str) -> list[GroupSkill]:
    """Return a model's skill in every group that was large enough for an interval, the lowest gain first."""
    own = [
        (f.metric.removeprefix(GAIN_IN), f.n, f.value, f.ci_low, f.ci_high)
        for f in evaluation.metrics
        if f.split == split and f.metric.startswith(GAIN_IN)
    ]
    found = [
        (name, n, v, low, high)
        for name, n, v, low, high in own
        if v is not None and low is not None and high is not None
    ]
    if not found:
        return []
    gain, low, high = np.array([row[2:] for row in found], dtype=float).T
    # The interval's width is all that the record keeps of the spread.
    spread = np.maximum((high - low) / (2.0 * stats.norm.ppf(INTERVAL[1])), 1e-9)
    is_worse = stats.false_discovery_control(stats.norm.cdf(gain / spread)) <= FALSE_SHARE
    skills = [GroupSkill(*row, bool(worse)) for row, worse in zip(found, is_worse, strict=True)]
    return sorted(skills, key=lambda one: (one.gain, one.group))


def worse_groups(evaluation: Evaluation, split: str) -> list[str]:
    """Return a text for every group where the model is worse than the group's own median beyond noise."""
    return [
        f"{one.group}: {one.gain:.3f} [{one.ci_low:.3f}, {one.ci_high:.3f}] log hours, n {one.n}"
        for one in skill_by_group(evaluation, split)
        if one.is_worse
    ]
