"""Bias analyses as plain text, for people; machines read the tables or ``bias.json``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from ml.bias.judge.summary import NOT_ASSESSABLE
from ml.bias.measure import BiasTables
from ml.bias.report.dimension import dimension_text, summary_lines
from ml.bias.report.words import RULE, TITLE, answer, figure, percent, selected

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
    def generate_dimension_report(tables: BiasTables, model: str, dimension: str, split: str = "test") -> str:
        """Text of one model and dimension of what `ml.bias.measure_bias` found."""
        return dimension_text(tables, model, dimension, split)

    @staticmethod
    def generate_summary_report(summary: pd.DataFrame, model: str, split: str = "test") -> str:
        """Text over all dimensions of one model."""
        rows = selected(summary, "summary", model=model, split=split)
        assessed = rows.loc[rows["n_assessable"] >= 2, "dimension"].unique()
        lines = [RULE, TITLE, RULE, f"Model: {model}    Split: {split}"]
        lines += [f"Bias detected: {answer(bool(rows['flagged'].any()), len(assessed) > 0)}"]
        lines += [f"Dimensions checked: {rows['dimension'].nunique()}, of which assessable: {len(assessed)}"]
        for dimension, own in rows.groupby("dimension", sort=False):
            lines += ["", f"--- {dimension} ---"]
            lines += [text for line in own.to_dict("records") for text in summary_lines(line)]
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
