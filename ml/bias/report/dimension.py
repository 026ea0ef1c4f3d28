"""The text report of one dimension: the verdict on every metric, then every slice with all its figures."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from ml.bias.judge.summary import DESCRIPTIVE, NOT_ASSESSABLE
from ml.bias.measure import BiasTables
from ml.bias.metrics.declared import Metric
from ml.bias.report.words import RULE, TITLE, answer, figure, percent, selected

_COUNTS = ("n", "n_lists", "n_positive", "n_relevant")
_FIGURES = ["value", "ci_low", "ci_high", "q_value"]
_MARKS = "!  worse beyond threshold and noise    ~  not assessable    +  also in (small slices)"


def dimension_text(tables: BiasTables, model: str, dimension: str, split: str) -> str:
    """Text of one model and dimension; ValueError names what was not measured."""
    wanted = {"model": model, "dimension": dimension, "split": split}
    rows = selected(tables.metrics, "metrics", **wanted)
    lines = selected(tables["summary"], "summary", **wanted)
    biased, assessable = bool(lines["flagged"].any()), bool((lines["n_assessable"] >= 2).any())
    text = [RULE, TITLE, RULE, f"Model: {model}    Split: {split}    Dimension: {dimension}"]
    text += [f"Bias detected: {answer(biased, assessable)}", ""]
    text += [part for line in lines.to_dict("records") for part in summary_lines(line)]
    names = set(rows.loc[rows["value"].notna(), "metric"])
    shown = [metric for metric in tables.declared if metric.name in names]
    legend = [_explained(metric) for metric in shown]
    return "\n".join([*text, "", _table(rows, shown), "", *legend, _MARKS]) + "\n"


def summary_lines(line: Mapping[Hashable, Any]) -> list[str]:
    """What a line of ``bias.summary`` says."""
    name, verdict = line["gap_metric"], line["verdict"]
    counted = f"({line['n_assessable']} of {line['n_slices']} slices assessable)"
    lines = [f"  {name}: {verdict} {counted}"]
    if verdict == DESCRIPTIVE:
        lines.append(
            "    these slices are made from the outcome: even a fair model predicts the quick ones too"
        )
        lines.append("    long and the slow ones too short (regression to the mean), so they are not judged")
    if verdict == NOT_ASSESSABLE:
        lines.append("    fewer than two slices are large enough, so nothing can be compared")
    if pd.notna(line["relative_gap"]):
        lines += [
            f"    best:  {line['best_slice']}",
            f"    worst: {line['worst_slice']}",
            f"    relative gap of {name}: {percent(line['relative_gap'])}"
            f" (threshold {percent(line['threshold'])}; after shrinkage {percent(line['shrunk_gap'])})",
        ]
    if pd.notna(line["mae_difference"]):
        difference, ratio = figure(line["mae_difference"]), figure(line["mae_ratio"])
        lines.append(f"    MAE: difference {difference}, ratio {ratio}")
    if line["flagged_slices"]:
        lines.append(f"    treated worse beyond threshold and noise: {line['flagged_slices']}")
    return lines


def _explained(metric: Metric) -> str:
    unit = f", {metric.unit}" if metric.unit else ""
    return f"{metric.name} ({'tested' if metric.worse else 'shown'}{unit}): {metric.description}."


def _table(rows: pd.DataFrame, metrics: list[Metric]) -> str:
    """One line per slice, the worst by the first tested metric on top; its mark is that of all tested."""
    tested = rows[rows["worse"] != ""]
    by_slice = tested.groupby("slice", sort=False)
    marks = pd.Series(
        np.select(
            [by_slice["flagged"].any(), by_slice["pooled"].any(), ~by_slice["assessable"].any()],
            ["!", "+", "~"],
            "",
        ),
        index=list(by_slice.groups),
    )
    leading = tested[tested["metric"] == tested["metric"].iloc[0]]
    worst_first = leading.sort_values("effect", ascending=False, kind="stable")["slice"]
    first = rows.drop_duplicates("slice").set_index("slice").loc[worst_first]
    shown = {"": marks.loc[first.index].tolist(), "slice": list(first.index)}
    for name in _COUNTS:
        if name in first and first[name].notna().all():
            shown[name] = [f"{int(count):,}" for count in first[name]]
    figures = np.full((len(metrics), len(first), len(_FIGURES)), np.nan)
    of_metric = pd.Index([metric.name for metric in metrics]).get_indexer(pd.Index(rows["metric"]))
    of_slice = first.index.get_indexer(pd.Index(rows["slice"]))
    told = (of_metric >= 0) & (of_slice >= 0)
    figures[of_metric[told], of_slice[told]] = rows.loc[told, _FIGURES].to_numpy(float)
    for metric, cells in zip(metrics, figures.tolist(), strict=True):
        shown[metric.name] = [_cell(*values) for *values, _ in cells]
        if metric.worse:
            shown[f"q of {metric.name}"] = [figure(q) for *_, q in cells]
    return pd.DataFrame(shown).to_string(index=False, max_colwidth=48)


def _cell(value: float, low: float, high: float) -> str:
    interval = "" if math.isnan(low) else f" [{figure(low)} – {figure(high)}]"
    return f"{figure(value)}{interval}"
