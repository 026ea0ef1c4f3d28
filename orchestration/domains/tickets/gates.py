"""What the best model must hold before it is published: equal for whom it serves, and true in its chances."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Literal

import dagster as dg
from pydantic import Field

from orchestration.defs.metadata import markdown_table

if TYPE_CHECKING:
    import pandas as pd

    from ml.runs.select import Choice, Gate
    from ml.store.record import Evaluation

GATE, CALIBRATION = "bias_gate", "calibration_gate"
GATES = [
    dg.AssetCheckSpec(name, asset="best_model", blocking=True, description=description)
    for name, description in (
        (
            GATE,
            "The champion's gaps on the test part are within the limits. It warns, since slices differ by "
            "nature, and blocks where the configuration says `severity: ERROR`.",
        ),
        (
            CALIBRATION,
            "The champion's chances on the test part come true, no worse than its repository's rate. It "
            "blocks where one is far off beyond noise: nothing is promoted, published or served.",
        ),
    )
]


class SelectionGate(dg.Config):
    """What a model must hold to be chosen, on validation, and to be served, on the test part."""

    thresholds: dict[str, dict[str, float]] = Field(
        default={},
        description="Limits by dimension (`*`: every other one) and metric (relative_gap, shrunk_gap, "
        "mae_difference, mae_ratio). Dimensions without one are judged by the median's own gap.",
    )
    ratio_to_baseline: float = Field(
        default=2.0, ge=1, description="A gap up to this many times the median's own is by nature."
    )
    allowance: float = Field(default=0.25, ge=0, description="So is a gap up to the median's own plus this.")
    beyond_noise: bool = Field(default=True, description="Judge flagged dimensions only.")
    severity: Literal["WARN", "ERROR"] = Field(
        default="WARN", description="ERROR: a champion that breaks the gate is neither published nor served."
    )
    calibration_limit: float = Field(
        default=0.2,
        ge=0,
        description="The largest expected calibration error of a horizon on the test part, beyond noise.",
    )
    calibration_severity: Literal["WARN", "ERROR"] = Field(
        default="ERROR", description="As `severity`, for chances beyond that limit."
    )


def gate_check(
    choice: "Choice",
    summary: "pd.DataFrame",
    gate: "Gate",
    severity: dg.AssetCheckSeverity,
    worse: Sequence[str] = (),
) -> dg.AssetCheckResult:
    """What the gate says of the chosen model on the test part, limit by limit.

    Neither may there be repositories where it is ``worse`` than their own median beyond noise.
    """
    from ml.runs.select import gate_of

    if choice.model is None:
        return dg.AssetCheckResult(
            passed=False, check_name=GATE, severity=severity, description=choice.reason,
            metadata={"refused": dg.MetadataValue.json(choice.refused)},
        )  # fmt: skip
    result = gate_of(choice.model, summary, gate, split="test")
    table = result.table()
    failed = table[table["verdict"] == "failed"]
    return dg.AssetCheckResult(
        passed=result.passed and not worse,
        check_name=GATE,
        severity=severity,
        description="\n".join([str(result), *(f"Worse than its own median in {one}." for one in worse)]),
        metadata={
            "model": choice.model,
            "verdict": result.verdict,
            "expected": dg.MetadataValue.json(_by_limit(failed if len(failed) else table, "expected")),
            "actual": dg.MetadataValue.json(_by_limit(failed if len(failed) else table, "actual")),
            "limits": dg.MetadataValue.md(markdown_table(table)),
            "worse_than_own_median": dg.MetadataValue.json(list(worse)),
            "not_assessable": ", ".join(result.not_assessable) or "none",
        },
    )


def calibration_check(
    evaluation: "Evaluation | None", limit: float, severity: dg.AssetCheckSeverity
) -> dg.AssetCheckResult:
    """Whether the chosen model's chances come true on the test part; without a model none is wrong.

    Those beyond the limit count with ``severity``; those that the repository's own rate says better are a
    warning, since one of several horizons may be so by chance.
    """
    import pandas as pd

    from ml.runs.calibrated import calibration_by_horizon

    found = calibration_by_horizon(evaluation, "test", limit) if evaluation else []
    wrong = [f"within {one.horizon_days} days: {one.verdict}" for one in found if one.is_off or one.is_worse]
    table = pd.DataFrame([{**asdict(one), "verdict": one.verdict} for one in found])
    return dg.AssetCheckResult(
        passed=not wrong,
        check_name=CALIBRATION,
        severity=severity if any(one.is_off for one in found) else dg.AssetCheckSeverity.WARN,
        description=f"Chances of a closing {'; '.join(wrong)}."
        if wrong
        else "No chance is wrong beyond noise.",
        metadata={"horizons": dg.MetadataValue.md(markdown_table(table))} if found else {},
    )


def _by_limit(table: "pd.DataFrame", column: str) -> dict[str, float | None]:
    """The column's figure by limit; None where it is no number, which JSON cannot hold."""
    names = table["dimension"] + "." + table["metric"]
    finite = table[column].abs() < float("inf")
    return {
        name: round(float(value), 4) if ok else None
        for name, value, ok in zip(names, table[column], finite, strict=True)
    }
