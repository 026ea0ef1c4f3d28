"""The bias gate: may this model serve? Reads figures, never text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from ml.bias.judge.summary import NOT_ASSESSABLE

ANY_DIMENSION = "*"
FAILED, PASSED, CANNOT_JUDGE = "failed", "passed", "cannot be judged"
VERDICTS = (PASSED, FAILED, CANNOT_JUDGE, NOT_ASSESSABLE)
# For each metric whether a larger value is the worse one.
GATE_METRICS = {"relative_gap": True, "shrunk_gap": True, "mae_difference": True, "mae_ratio": False}


@dataclass(frozen=True)
class GateFailure:
    """One threshold that a dimension breaks; ``expected`` and ``actual`` in the metric's own unit."""

    model: str
    dimension: str
    metric: str
    expected: float
    actual: float
    slices: str

    def __str__(self) -> str:
        relation = "at most" if GATE_METRICS[self.metric] else "at least"
        named = f"; treated worse: {self.slices}" if self.slices else ""
        return (
            f"{self.model}, {self.dimension}: {self.metric} expected {relation} {self.expected:.4g}, "
            f"actual {self.actual:.4g}{named}"
        )


@dataclass(frozen=True)
class GateResult:
    """What the gate found.

    Attributes
    ----------
    failures : tuple of GateFailure
    checked : tuple of str
        Dimensions that were compared with a threshold.
    not_assessable : tuple of str
        Dimensions with a threshold but fewer than two assessable slices: neither passed nor failed.
    unjudged : tuple of str
        Dimensions that have a gap and no limit to hold it against, with the reason.
    """

    failures: tuple[GateFailure, ...]
    checked: tuple[str, ...]
    not_assessable: tuple[str, ...]
    unjudged: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether nothing stands against the model, and nothing was left unjudged."""
        return not self.failures and not self.unjudged

    @property
    def verdict(self) -> str:
        """Of `VERDICTS`; "not assessable" when no dimension could be checked."""
        if self.failures:
            return FAILED
        if self.unjudged:
            return CANNOT_JUDGE
        return PASSED if self.checked else NOT_ASSESSABLE

    def __str__(self) -> str:
        lines = [f"Bias gate: {self.verdict}"]
        lines += [f"  failed: {failure}" for failure in self.failures]
        lines += [f"  {CANNOT_JUDGE}: {reason}" for reason in self.unjudged]
        lines += [f"  not assessable: {dimension}" for dimension in self.not_assessable]
        return "\n".join(lines)


def parse_thresholds(texts: Sequence[str]) -> dict[str, dict[str, float]]:
    """Read limits as a command line gives them: ``DIMENSION.METRIC=LIMIT``, ``METRIC=LIMIT`` or ``LIMIT``.

    Without a dimension a limit holds for every one not named; without a metric it is one of shrunk_gap.
    Limits are ratios (hours for mae_difference): 0.1 is 10 %, and a percent sign is refused.

    Raises
    ------
    ValueError
        If a text is none of these.
    """
    thresholds: dict[str, dict[str, float]] = {}
    for text in texts:
        name, _, number = text.rpartition("=")
        dimension, _, metric = name.rpartition(".")
        metric = metric or "shrunk_gap"
        try:
            limit = float(number)
        except ValueError:
            limit = math.nan
        if not limit >= 0 or metric not in GATE_METRICS:
            raise ValueError(
                f"The threshold {text!r} is not of the form DIMENSION.METRIC=RATIO, such as "
                f"seniority.shrunk_gap=0.3, with a metric of {', '.join(GATE_METRICS)}."
            )
        thresholds.setdefault(dimension or ANY_DIMENSION, {})[metric] = limit
    return thresholds


def thresholds_above(
    summary: pd.DataFrame, baseline: str, *, split: str, ratio: float, allowance: float
) -> dict[str, dict[str, float]]:
    """Limits of the shrunken gap, by dimension, from what a baseline model's own gap is.

    Slices differ by nature: even a model that knows nothing of an item has a gap between them. The limit is
    the larger of ``ratio`` times that gap and the gap plus ``allowance``, so that neither a small gap that
    doubles within its noise nor a large one that grows a little counts as the model's doing. A dimension in
    which the baseline cannot be assessed, or has a gap without end, gets no limit.

    Parameters
    ----------
    summary : DataFrame
        ``bias.summary``.
    baseline : str
        Its model; without rows of it there are no limits.
    split : str
    ratio, allowance : float
    """
    own = summary[(summary["model"] == baseline) & (summary["split"] == split) & ~summary["is_outcome"]]
    own = own[own["shrunk_gap"].astype(float) < math.inf]
    return {
        str(dimension): {"shrunk_gap": max(ratio * gap, gap + allowance)}
        for dimension, gap in zip(own["dimension"], own["shrunk_gap"].astype(float), strict=True)
    }


def evaluate_gate(
    summary: pd.DataFrame,
    thresholds: Mapping[str, Mapping[str, float]],
    *,
    model: str,
    split: str = "test",
    beyond_noise: bool = True,
    baseline: str | None = None,
) -> GateResult:
    """Compare a model's gaps with the thresholds.

    Parameters
    ----------
    summary : DataFrame
        ``bias.summary`` as `ml.bias.engine.measure_bias` gives it.
    thresholds : mapping of dimension to mapping of metric to limit
        ``{"repo": {"relative_gap": 0.5}, "*": {"shrunk_gap": 0.3}}``; "*" is every dimension not named. Gaps
        and ratios are ratios: 0.009 is 0.9 %. A limit itself is within it.
    model, split : str
    beyond_noise : bool, default True
        Only a dimension that is flagged, whose gap is then more than noise, can fail.
    baseline : str, optional
        Model whose own gaps the limits come from: every dimension must then have one, and one without cannot
        be judged. Without a baseline, dimensions that the thresholds do not name are not looked at.

    Raises
    ------
    ValueError
        If a threshold names a metric or dimension that does not exist, or nothing was measured: a gate that
        checks nothing must not look passed.
    """
    unknown = {metric for limits in thresholds.values() for metric in limits} - set(GATE_METRICS)
    if unknown:
        raise ValueError(f"thresholds name the metric {min(unknown)!r}; known are {sorted(GATE_METRICS)}")
    lines = summary[(summary["model"] == model) & (summary["split"] == split)]
    if lines.empty:
        raise ValueError(f"summary has nothing of model {model!r} in split {split!r}")
    absent = set(thresholds) - set(lines["dimension"]) - {ANY_DIMENSION}
    if absent:
        known = sorted(lines["dimension"])
        raise ValueError(f"thresholds name the dimension {min(absent)!r}; measured are {known}")
    failures, checked, not_assessable, unjudged = [], [], [], []
    for line in lines.to_dict("records"):
        dimension = str(line["dimension"])
        limits = thresholds.get(dimension, thresholds.get(ANY_DIMENSION, {}))
        if line["is_outcome"] or not (limits or baseline):
            continue
        if not limits and line["n_assessable"] >= 2:
            unjudged.append(
                f"{model}, {dimension}: no limit, for lack of a gap of the baseline {baseline!r} to compare "
                "with; train it in the same run, or give a limit"
            )
            continue
        if line["n_assessable"] < 2:
            not_assessable.append(dimension)
            continue
        checked.append(dimension)
        for metric, limit in limits.items():
            actual = float(line[metric])
            breaks = actual > limit if GATE_METRICS[metric] else actual < limit
            # A figure that is not a number cannot have been within its limit.
            if math.isnan(actual) or (breaks and (line["flagged"] or not beyond_noise)):
                slices = str(line["flagged_slices"])
                failures.append(GateFailure(model, dimension, metric, float(limit), actual, slices))
    return GateResult(tuple(failures), tuple(checked), tuple(not_assessable), tuple(unjudged))
