"""Bias analyses as plain text, for people; machines read the tables or ``bias.json``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from ml.bias.judge.summary import DESCRIPTIVE, NOT_ASSESSABLE
from ml.bias.report.metric_report import metric_report
from ml.bias.report.text import RULE, TITLE, answer, figure, percent, selected

_SHOWN = ("mae", "rmse", "r2", "ndcg", "mrr")


class BiasReport:
    """Text reports of the analyzer's results and of the bias tables."""

    @staticmethod
    def generate_text_report(analysis: dict[str, Any]) -> str:
        """Text of a result of `BiasAnalyzer`: of one dimension, of several, or of a MetricFrame.

        Raises
        ------
        ValueError
            If ``analysis`` is none of these: a report must not look empty and fair.
        """
        if "detailed_results" in analysis:
            results = analysis["detailed_results"]
        elif "bias_detected" in analysis:
            results = {str(analysis.get("dimension", "all slices")): analysis}
        else:
            raise ValueError(f"analysis is no result of BiasAnalyzer: it has the keys {sorted(analysis)}")
        biased = any(result["bias_detected"] for result in results.values())
        assessable = any(result.get("assessable", True) for result in results.values())
        lines = [RULE, TITLE, RULE, f"Bias detected: {answer(biased, assessable)}"]
        lines += [f"Dimensions checked: {len(results)}"]
        for name, result in results.items():
            lines += ["", *_analysis_lines(name, result)]
        return "\n".join(lines) + "\n"

    @staticmethod
    def save_report(analysis: dict[str, Any], output_path: str | Path) -> None:
        """Write `generate_text_report` to a file, making its folder if need be."""
        path = Path(output_path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(BiasReport.generate_text_report(analysis), encoding="utf-8")

    @staticmethod
    def generate_dimension_report(
        slice_metrics: pd.DataFrame, summary: pd.DataFrame, model: str, dimension: str, split: str = "test"
    ) -> str:
        """Text of one model and dimension of the tables of `ml.bias.engine.measure_bias`."""
        rows = selected(slice_metrics, "slice_metrics", model=model, dimension=dimension, split=split)
        line = selected(summary, "summary", model=model, dimension=dimension, split=split).iloc[0]
        biased, assessable = bool(line["flagged"]), bool(line["n_assessable"] >= 2)
        lines = [RULE, TITLE, RULE]
        lines += [f"Model: {model}    Split: {split}    Dimension: {dimension}"]
        lines += [f"Bias detected: {answer(biased, assessable)}", "", *_summary_lines(line), ""]
        lines += [_table(rows.sort_values("mae_log", ascending=False, kind="stable"))]
        return "\n".join([*lines, "", *_LEGEND]) + "\n"

    @staticmethod
    def generate_metric_report(
        metrics: pd.DataFrame, summary: pd.DataFrame, model: str, dimension: str, split: str = "test"
    ) -> str:
        """Text of one model and dimension of a long table: see `ml.bias.metric_report.metric_report`."""
        return metric_report(metrics, summary, model, dimension, split)

    @staticmethod
    def generate_summary_report(summary: pd.DataFrame, model: str, split: str = "test") -> str:
        """Text over all dimensions of one model."""
        rows = selected(summary, "summary", model=model, split=split)
        assessed = rows[rows["n_assessable"] >= 2]
        lines = [RULE, TITLE, RULE, f"Model: {model}    Split: {split}"]
        lines += [f"Bias detected: {answer(bool(rows['flagged'].any()), len(assessed) > 0)}"]
        lines += [f"Dimensions checked: {len(rows)}, of which assessable: {len(assessed)}"]
        for _, line in rows.iterrows():
            lines += ["", f"--- {line['dimension']} ---", *_summary_lines(line)]
        return "\n".join(lines) + "\n"

    @staticmethod
    def generate_distribution_report(distribution: pd.DataFrame, largest: int = 20) -> str:
        """Text of ``bias.distribution``: the largest slices of each dimension, and how many there are."""
        lines = [RULE, "DATA DISTRIBUTION", RULE]
        for dimension, rows in distribution.groupby("dimension", sort=False):
            ordered = rows.sort_values("n", ascending=False, kind="stable")
            lines += ["", f"--- {dimension}: {len(rows)} slices ---"]
            lines += [
                f"  {name}: n {n:,}  share {percent(share)}  weight {figure(weight)}"
                for name, n, share, weight in ordered[["slice", "n", "share", "weight"]][:largest].to_numpy()
            ]
            if len(rows) > largest:
                rest = ordered[largest:]
                lines.append(f"  and {len(rest)} smaller slices of at most {rest['n'].max():,} rows each")
        return "\n".join(lines) + "\n"


def _analysis_lines(name: str, result: dict[str, Any]) -> list[str]:
    assessable = result.get("assessable", True)
    lines = [f"--- {name} ---", f"Bias detected: {answer(result['bias_detected'], assessable)}"]
    best, worst = (result.get(f"{end}_slice") or result.get(f"{end}_group") for end in ("best", "worst"))
    if not assessable:
        lines.append(f"  {NOT_ASSESSABLE}: fewer than two slices have rows, so nothing can be compared")
    if best and worst:
        metric = result.get("primary_metric") or next(m for m in _SHOWN if m in best)
        lines.append(f"  best:  {best['name']} ({metric} {figure(best[metric])})")
        lines.append(f"  worst: {worst['name']} ({metric} {figure(worst[metric])})")
        compared = f" (threshold {percent(result['threshold'])})" if "threshold" in result else ""
        lines.append(f"  relative gap: {percent(result['relative_gap'])}{compared}")
    for slice_name, row in result.get("metrics_by_slice", {}).items():
        figures = "  ".join(f"{m} {figure(row[m])}" for m in _SHOWN if m in row)
        lines.append(f"  {slice_name}: n {row['count']:,}  {figures}".rstrip())
    return lines


def _summary_lines(line: pd.Series) -> list[str]:
    lines = [f"  verdict: {line['verdict']} ({line['n_assessable']} of {line['n_slices']} slices assessable)"]
    if line["verdict"] == DESCRIPTIVE:
        lines.append(
            "  these slices are made from the outcome: even a fair model predicts the quick ones too"
        )
        lines.append("  long and the slow ones too short (regression to the mean), so they are not judged")
    if line["verdict"] == NOT_ASSESSABLE:
        lines.append("  fewer than two slices are large enough, so nothing can be compared")
    if pd.notna(line["relative_gap"]):
        lines += [
            f"  best:  {line['best_slice']}",
            f"  worst: {line['worst_slice']}",
            f"  relative gap of {line['gap_metric']}: {percent(line['relative_gap'])}"
            f" (threshold {percent(line['threshold'])}; after shrinkage {percent(line['shrunk_gap'])})",
            f"  MAE: difference {figure(line['mae_difference'])} h, ratio {figure(line['mae_ratio'])}",
        ]
    if line["flagged_slices"]:
        lines.append(f"  treated worse beyond threshold and noise: {line['flagged_slices']}")
    return lines


_LEGEND = [
    "mae, rmse, median_ae, mean_error and median_error in hours; an error is predicted - true, so a",
    "negative one promises too early an end. mae_log: mean absolute error of log(1 + hours), with its",
    "interval. skill: against the slice's own median. q: false-discovery rate of being worse than the rest.",
    "!  worse than the rest beyond threshold and noise    ~  not assessable    +  also in (small slices)",
]


def _table(rows: pd.DataFrame) -> str:
    marks = [
        "!" if f else "+" if p else "" if a else "~"
        for f, p, a in rows[["flagged", "pooled", "assessable"]].to_numpy()
    ]
    shown = pd.DataFrame({"": marks, "slice": rows["slice"].to_numpy(), "n": [f"{n:,}" for n in rows["n"]]})
    for name in ("mae", "rmse", "r2", "median_ae", "mean_error", "median_error", "mae_log"):
        shown[name] = [figure(value) for value in rows[name]]
    shown["interval"] = [
        f"{figure(low)} – {figure(high)}" for low, high in zip(rows["ci_low"], rows["ci_high"], strict=True)
    ]
    for name, column in (
        ("shrunk", "shrunk_mae_log"),
        ("skill", "skill"),
        ("coverage", "coverage"),
        ("q", "q_value"),
    ):
        shown[name] = [figure(value) for value in rows[column]]
    return shown.to_string(index=False, max_colwidth=48)
