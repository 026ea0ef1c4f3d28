"""The leaderboard, and the choice of the best model among those that may be chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ml.bias.gate import Baseline, GateResult, evaluate_gate
from ml.models import registry
from ml.runs.skill import skill_by_group
from ml.store.record import Evaluation
from ml.store.run_folder import original_name
from ml.tasks.over_origins import LAST, ORIGIN, OVER_ORIGINS

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

    Dimensions made from the outcome never stand against a model.

    Parameters
    ----------
    deciding : str
        Figure that the best model has the lowest mean of over the rolling origins. Plain MAE counts only ends
        seen before the test part began and so favours early promises, least at the earlier origins;
        "mae_log_censoring_weighted" makes up for that.
    thresholds : mapping of dimension to mapping of metric to limit
        As `ml.bias.gate.evaluate_gate` takes them; a dimension named here is judged by this alone.
    ratio_to_baseline, allowance : float
        Every other dimension is judged by the baseline's own gap: see `ml.bias.gate.thresholds_above`.
    judge_others : bool
        Whether dimensions that ``thresholds`` does not name are judged at all.
    beyond_noise : bool
        Whether only a flagged dimension can stand against a model.
    """

    deciding: str = DECIDING
    thresholds: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    ratio_to_baseline: float = 2.0
    allowance: float = 0.25
    judge_others: bool = True
    beyond_noise: bool = True

    @property
    def baseline(self) -> Baseline | None:
        """Whose gaps decide on what ``thresholds`` do not name; None when nothing else is judged."""
        return Baseline(BASELINE, self.ratio_to_baseline, self.allowance) if self.judge_others else None


@dataclass(frozen=True)
class Choice:
    """The best model's name (None when all were refused), why, and why each other one was refused."""

    model: str | None
    reason: str
    refused: dict[str, str] = field(default_factory=dict)


def leaderboard(evaluations: Sequence[Evaluation]) -> pd.DataFrame:
    """Return one row per model and part with its main figures, best MAE of log hours over the origins first.

    The part "origins" is the mean over the rolling origins, the last of which is the validation part.

    Returns
    -------
    DataFrame
        ``model, split``, the figures of `SHOWN`, ``mae_log_ci_low, mae_log_ci_high``, ``auc_*`` and
        ``groups`` and, of these, ``groups_worse`` than their own median beyond noise, and ``seconds``.
    """
    rows = []
    for evaluation in evaluations:
        for split in (OVER_ORIGINS, "validation", "test"):
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
            groups = skill_by_group(evaluation, split)
            if groups:
                row |= {"groups": len(groups), "groups_worse": sum(g.is_worse for g in groups)}
            row["seconds"] = round(sum(evaluation.seconds.values()), 1)
            row["rank"] = error_of(evaluation)
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
    """Choose the simplest model that no other one is better than beyond its noise over the rolling origins.

    Of the models that are not refused, the one with the lowest mean of the deciding figure over the origins
    is challenged by every simpler one: the simplest whose mean difference from it is within one standard
    error of that difference takes its place (the paired form of the one-standard-error rule, Breiman et al.
    1984), in the deciding figure and in the Brier score of the chances alike.

    A model is refused when it does not beat the median of the training part on validation, or when its gap
    between slices breaks the gate. The test part has no say.

    Parameters
    ----------
    evaluations : sequence of Evaluation
    bias_summary : DataFrame or None
        ``bias.summary``; without it no model is refused for a gap.
    gate : Gate or None
    """
    if not evaluations:
        raise ValueError("There is no evaluated model to choose from: train at least one.")
    gate = gate or Gate()
    refused: dict[str, str] = {}
    allowed: list[Evaluation] = []
    for evaluation in evaluations:
        reason = _loses_to_median(evaluation) or _breaks_gate(evaluation.model, bias_summary, gate)
        if reason is not None:
            refused[evaluation.model] = reason
        else:
            allowed.append(evaluation)
    if not allowed:
        return Choice(None, "No model may be chosen: each was refused.", refused)
    figures = at_origins(allowed, evaluations, gate.deciding)
    means = figures.mean().sort_index().sort_values(kind="stable")
    lowest, n = str(means.index[0]), len(figures)
    where = "validation" if n == 1 else f"mean of {n} rolling origins"
    behind, noise = _behind(figures, lowest)
    equals = [str(model) for model in means.index if behind[model] <= noise[model]]
    for chances in _chances(allowed, evaluations):
        worse, spread = _behind(chances, lowest)
        equals = [model for model in equals if worse[model] <= spread[model]]
    best = min(equals, key=_complexity)
    reason = f"Lowest {gate.deciding} ({means[lowest]:.4f}, {where}) of {len(means)} allowed models."
    if best != lowest:
        reason = (
            f"Simplest of {len(equals)} models within one standard error of the lowest {gate.deciding}: "
            f"{means[best]:.4f}, {behind[best]:.4f} ± {noise[best]:.4f} above {lowest} ({where})."
        )
    return Choice(best, reason, refused)


def _behind(figures: pd.DataFrame, lowest: str) -> tuple[pd.Series, pd.Series]:
    """Return by how much every model is behind one in the mean, and the standard error of that."""
    behind = figures.sub(figures[lowest], axis=0)
    # One origin has no spread: nothing is known to be within it.
    noise = behind.std(ddof=1) / np.sqrt(len(behind)) if len(behind) > 1 else 0.0 * behind.mean()
    return behind.mean(), noise


def _chances(models: Sequence[Evaluation], known: Sequence[Evaluation]) -> list[pd.DataFrame]:
    """Return the mean Brier score over the horizons at every origin, where all models have chances."""
    own = [{f.metric for f in e.metrics if f.split == LAST and f.value is not None} for e in models]
    shared = sorted(
        name for name in set.intersection(*own) if name.startswith("brier_") and name.count("_") == 1
    )
    tables = [at_origins(models, known, name) for name in shared]
    # The same horizons at every origin: their levels differ.
    whole = [table for table in tables if len(table) == max(map(len, tables))]
    return [sum(whole[1:], start=whole[0]) / len(whole)] if whole else []


def at_origins(
    models: Sequence[Evaluation], known: Sequence[Evaluation], metric: str = DECIDING
) -> pd.DataFrame:
    """Return a figure of some models at the rolling origins that all of them have, the validation part last.

    What mitigation made of a model is fitted for validation and test alone: at the earlier origins its
    original, one of the ``known``, stands in for it.

    Returns
    -------
    DataFrame
        One row per origin, one column per model.

    Raises
    ------
    ValueError
        When a model has no such figure on validation.
    """
    columns = {}
    for one in models:
        original = next((e for e in known if e.model == original_name(one.model)), one)
        own = one.value(LAST, metric)
        if own is None:
            raise ValueError(f"The model {one.model!r} has no validation figure {metric!r} to choose by.")
        earlier = {
            m.split: m.value for m in original.metrics if m.metric == metric and m.split.startswith(ORIGIN)
        }
        columns[one.model] = {name: earlier[name] for name in sorted(earlier)} | {LAST: own}
    return pd.DataFrame(columns).dropna()


def is_better(one: Evaluation, other: Evaluation) -> bool:
    """Say whether a model has the lower mean MAE of log hours over the origins that both have."""
    mine, theirs = (
        {
            f.split: f.value
            for f in evaluation.metrics
            if f.metric == DECIDING
            and f.value is not None
            and (f.split == LAST or f.split.startswith(ORIGIN))
        }
        for evaluation in (one, other)
    )
    shared = mine.keys() & theirs.keys()
    if not shared:
        return len(mine) > len(theirs)
    return sum(mine[split] for split in shared) < sum(theirs[split] for split in shared)


def error_of(evaluation: Evaluation) -> float | None:
    """Return the MAE of log hours over the origins; on validation where there are none."""
    over_all = evaluation.value(OVER_ORIGINS, DECIDING)
    return evaluation.value(LAST, DECIDING) if over_all is None else over_all


def _complexity(model: str) -> int:
    family = registry().get(original_name(model))
    return 0 if family is None else family.complexity


def gate_of(model: str, summary: pd.DataFrame, gate: Gate, split: str) -> GateResult:
    """Judge one model by the gate. The baseline is never above its own gap, so only limits that were given
    can fail it. Without the baseline's gaps what they would limit cannot be judged, and does not pass.
    """
    return evaluate_gate(
        summary,
        gate.thresholds,
        model=model,
        split=split,
        beyond_noise=gate.beyond_noise,
        baseline=gate.baseline,
    )


def ranked(evaluations: Sequence[Evaluation]) -> list[Evaluation]:
    """Return the evaluations by their MAE of log hours over the origins, the lowest first, then by name."""

    def error(evaluation: Evaluation) -> tuple[float, str]:
        value = error_of(evaluation)
        return (float("inf") if value is None else value, evaluation.model)

    return sorted(evaluations, key=error)


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
    result = gate_of(model, summary, gate, split="validation")
    if result.passed:
        return None
    return "; ".join(str(check) for check in (*result.failures, *result.unjudged)) + "."
