"""The leaderboard, and the choice of the best model among those that may be chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from ml.evaluation import Evaluation

DECIDING = "mae_log"
BASELINE = "median"
SHOWN = (
    "mae_log",
    "mae",
    "median_ae",
    "r2_log",
    "concordance",
    "coverage_80",
    "skill_vs_median",
    "skill_vs_group_median",
)


@dataclass(frozen=True)
class Gate:
    """What a model must hold to be chosen, and by which figure.

    Parameters
    ----------
    deciding : str
        Validation figure that the best model has the lowest of. Plain MAE counts only ends seen before the
        test part began and so favours early promises; "mae_log_censoring_weighted" makes up for that.
    max_relative_gap : float or None
        Largest relative gap of a slice dimension, on the validation part; None for no limit.
    max_ratio_to_baseline : float or None
        A gap over this many times the baseline model's gap in the same dimension is refused; None for no
        limit. Slices differ by nature, so a gap is judged by what the model adds to it.
    dimensions : tuple of str or None
        Dimensions that are judged; None for all.
    ignored : tuple of str
        Dimensions that are not judged: those made from the outcome itself.
    """

    deciding: str = DECIDING
    max_relative_gap: float | None = None
    max_ratio_to_baseline: float | None = 2.0
    dimensions: tuple[str, ...] | None = None
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True)
class Choice:
    """The best model's name (None when all were refused), why, and why each other one was refused."""

    model: str | None
    reason: str
    refused: dict[str, str] = field(default_factory=dict)


def leaderboard(evaluations: Sequence[Evaluation]) -> pd.DataFrame:
    """Return one row per model and part with its main figures, best validation MAE of log hours first.

    Returns
    -------
    DataFrame
        ``model, split``, the figures of `SHOWN`, ``mae_log_ci_low, mae_log_ci_high``, ``auc_*`` and
        ``seconds``.
    """
    rows = []
    for evaluation in evaluations:
        for split in ("validation", "test"):
            figures = {m.metric: m for m in evaluation.metrics if m.split == split}
            if not figures:
                continue
            areas = [name for name in figures if name.startswith("auc_") and name.count("_") == 1]
            row: dict[str, object] = {"model": evaluation.model, "split": split}
            row |= {name: figures[name].value for name in (*SHOWN, *areas) if name in figures}
            row |= {
                f"{DECIDING}_ci_low": figures[DECIDING].ci_low,
                f"{DECIDING}_ci_high": figures[DECIDING].ci_high,
            }
            row["seconds"] = round(sum(evaluation.seconds.values()), 1)
            row["rank"] = evaluation.value("validation", DECIDING)
            rows.append(row)
    if not rows:
        return pd.DataFrame(columns=["model", "split", *SHOWN, "seconds"])
    table = pd.DataFrame(rows).sort_values(
        ["rank", "model", "split"], ascending=[True, True, False], kind="stable"
    )
    return table.drop(columns="rank").reset_index(drop=True)


def choose_best(
    evaluations: Sequence[Evaluation], bias_summary: pd.DataFrame | None = None, gate: Gate | None = None
) -> Choice:
    """Choose the model with the lowest validation MAE of log hours among those that are not refused.

    A model is refused when it does not beat the median of the training part on validation, or when its
    gap between slices breaks the gate. The test part has no say.

    Parameters
    ----------
    evaluations : sequence of Evaluation
    bias_summary : DataFrame or None
        ``model, split, dimension, relative_gap`` (the columns of ``bias.summary``).
    gate : Gate or None
    """
    if not evaluations:
        raise ValueError("There is no evaluated model to choose from: train at least one.")
    gate = gate or Gate()
    refused: dict[str, str] = {}
    allowed: list[tuple[float, str]] = []
    for evaluation in evaluations:
        reason = _loses_to_median(evaluation) or _breaks_gate(evaluation.model, bias_summary, gate)
        if reason is not None:
            refused[evaluation.model] = reason
        else:
            allowed.append((_deciding_figure(evaluation, gate), evaluation.model))
    if not allowed:
        return Choice(None, "No model may be chosen: each was refused.", refused)
    error, best = min(allowed)
    reason = f"Lowest validation {gate.deciding} ({error:.4f}) of {len(allowed)} allowed models."
    return Choice(best, reason, refused)


def _deciding_figure(evaluation: Evaluation, gate: Gate) -> float:
    value = evaluation.value("validation", gate.deciding)
    if value is None:
        raise ValueError(
            f"The model {evaluation.model!r} has no validation figure {gate.deciding!r} to choose by."
        )
    return value


def _loses_to_median(evaluation: Evaluation) -> str | None:
    error, floor = (evaluation.value("validation", name) for name in (DECIDING, f"{DECIDING}_{BASELINE}"))
    if error is None or floor is None:
        return "It has no validation MAE of log hours."
    if error < floor:
        return None
    return f"It does not beat the median on validation: MAE of log hours {error:.4f} against {floor:.4f}."


def _breaks_gate(model: str, summary: pd.DataFrame | None, gate: Gate) -> str | None:
    if summary is None or summary.empty:
        return None
    judged = summary[(summary["split"] == "validation") & ~summary["dimension"].isin(gate.ignored)]
    if gate.dimensions is not None:
        judged = judged[judged["dimension"].isin(gate.dimensions)]
    judged = judged[judged["relative_gap"].notna()]
    floor = judged[judged["model"] == BASELINE].set_index("dimension")["relative_gap"]
    own = judged[judged["model"] == model].sort_values("dimension")
    for dimension, gap in zip(own["dimension"], own["relative_gap"].astype(float), strict=True):
        if gate.max_relative_gap is not None and gap > gate.max_relative_gap:
            return f"Its gap by {dimension} is {gap:.2f}, above the limit of {gate.max_relative_gap:.2f}."
        base = float(floor.get(dimension, float("nan")))
        limit = gate.max_ratio_to_baseline
        if limit is not None and model != BASELINE and gap > limit * base:
            return f"Its gap by {dimension} is {gap:.2f}, over {limit:g} times the median's {base:.2f}."
    return None
