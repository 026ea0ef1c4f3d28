"""The bias gate: may this model serve? Reads figures, never text."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from ml.bias.judge.summary import NOT_ASSESSABLE

ANY_DIMENSION = "*"
FAILED, PASSED, CANNOT_JUDGE = "failed", "passed", "cannot be judged"
VERDICTS = (PASSED, FAILED, CANNOT_JUDGE, NOT_ASSESSABLE)
# For each metric whether a larger value is the worse one.
GATE_METRICS = {"relative_gap": True, "shrunk_gap": True, "mae_difference": True, "mae_ratio": False}


WITHIN, WITHIN_NOISE = "within", "within noise"


@dataclass(frozen=True)
class GateCheck:
    """One limit of one dimension; ``expected`` and ``actual`` in the metric's own unit.

    ``verdict`` is "within", "failed", "within noise" (beyond the limit, in a dimension that is not flagged),
    "not assessable" (fewer than two slices to compare: neither passed nor failed), or "cannot be judged"
    where there is a gap and no limit, for lack of the ``baseline``'s.
    """

    model: str
    dimension: str
    metric: str
    expected: float
    actual: float
    flagged: bool
    slices: str
    verdict: str
    baseline: str = ""

    def __str__(self) -> str:
        if self.verdict == CANNOT_JUDGE:
            return (
                f"{self.model}, {self.dimension}: the bias cannot be judged without a gap of the baseline "
                f"{self.baseline!r} to compare with; train it in the same run, or give a limit"
            )
        relation = "at most" if GATE_METRICS[self.metric] else "at least"
        named = f"; treated worse: {self.slices}" if self.slices else ""
        return (
            f"{self.model}, {self.dimension}: {self.metric} expected {relation} {self.expected:.4g}, "
            f"actual {self.actual:.4g}{named}"
        )


@dataclass(frozen=True)
class GateResult:
    """What the gate found: every limit in force, and what came of it."""

    checks: tuple[GateCheck, ...]

    @property
    def failures(self) -> tuple[GateCheck, ...]:
        """Limits that are broken."""
        return self._with(FAILED)

    @property
    def unjudged(self) -> tuple[GateCheck, ...]:
        """Gaps without a limit to hold them against."""
        return self._with(CANNOT_JUDGE)

    @property
    def checked(self) -> tuple[str, ...]:
        """Dimensions that were compared with a limit."""
        return _dimensions(self._with(WITHIN, WITHIN_NOISE, FAILED))

    @property
    def not_assessable(self) -> tuple[str, ...]:
        """Dimensions with a limit and too few slices to compare."""
        return _dimensions(self._with(NOT_ASSESSABLE))

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

    def table(self) -> pd.DataFrame:
        """One row per limit: dimension, metric, expected, actual, flagged, verdict."""
        columns = ["dimension", "metric", "expected", "actual", "flagged", "verdict"]
        return pd.DataFrame([asdict(check) for check in self.checks], columns=columns)

    def _with(self, *verdicts: str) -> tuple[GateCheck, ...]:
        return tuple(check for check in self.checks if check.verdict in verdicts)

    def __str__(self) -> str:
        lines = [f"Bias gate: {self.verdict}"]
        lines += [f"  {check.verdict}: {check}" for check in (*self.failures, *self.unjudged)]
        lines += [f"  not assessable: {dimension}" for dimension in self.not_assessable]
        return "\n".join(lines)


def _dimensions(checks: Sequence[GateCheck]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(check.dimension for check in checks))


@dataclass(frozen=True)
class Baseline:
    """The model whose own gaps say what is natural: see `thresholds_above`."""

    model: str
    ratio: float
    allowance: float


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
    baseline: Baseline | None = None,
) -> GateResult:
    """Compare a model's gaps with the thresholds.

    Parameters
    ----------
    summary : DataFrame
        ``bias.summary`` as `ml.bias.measure_bias` gives it.
    thresholds : mapping of dimension to mapping of metric to limit
        ``{"repo": {"relative_gap": 0.5}, "*": {"shrunk_gap": 0.3}}``; "*" is every dimension not named. Gaps
        and ratios are ratios: 0.009 is 0.9 %. A limit itself is within it.
    model, split : str
    beyond_noise : bool, default True
        Only a dimension that is flagged, whose gap is then more than noise, can fail.
    baseline : Baseline, optional
        Gives limits to all dimensions that the thresholds do not name; where it has none, a gap cannot be
        judged. Without a baseline these dimensions are not looked at.

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
        known = sorted(lines["dimension"].unique())
        raise ValueError(f"thresholds name the dimension {min(absent)!r}; measured are {known}")
    checks: list[GateCheck] = []
    for line in lines[~lines["is_outcome"]].to_dict("records"):
        limits = thresholds.get(str(line["dimension"]), thresholds.get(ANY_DIMENSION, {}))
        if not limits and baseline is not None:
            same = summary[summary["gap_metric"] == line["gap_metric"]] if "gap_metric" in line else summary
            natural = thresholds_above(
                same, baseline.model, split=split, ratio=baseline.ratio, allowance=baseline.allowance
            )
            limits = natural.get(str(line["dimension"]), {})
            if not limits and line["n_assessable"] >= 2:
                limits = {"shrunk_gap": math.nan}
        checks += [
            _check(line, metric, float(limit), beyond_noise, baseline) for metric, limit in limits.items()
        ]
    return GateResult(tuple(checks))


def _check(
    line: Mapping[Hashable, Any], metric: str, limit: float, beyond_noise: bool, baseline: Baseline | None
) -> GateCheck:
    actual, flagged = float(line[metric]), bool(line["flagged"])
    beyond = actual > limit if GATE_METRICS[metric] else actual < limit
    if line["n_assessable"] < 2:
        verdict = NOT_ASSESSABLE
    elif math.isnan(limit):
        verdict = CANNOT_JUDGE
    # A figure that is not a number cannot have been within its limit.
    elif math.isnan(actual) or (beyond and (flagged or not beyond_noise)):
        verdict = FAILED
    else:
        verdict = WITHIN_NOISE if beyond else WITHIN
    slices = str(line["flagged_slices"])
    name = baseline.model if baseline is not None else ""
    return GateCheck(line["model"], line["dimension"], metric, limit, actual, flagged, slices, verdict, name)
