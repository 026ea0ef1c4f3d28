"""The text report of scorers and rankers: what is tested first, then every slice with all its figures."""

from __future__ import annotations

import pandas as pd

from ml.bias.judge.summary import DESCRIPTIVE, NOT_ASSESSABLE
from ml.bias.report.text import RULE, TITLE, answer, figure, percent, selected

_LEGEND = [
    "Each figure with its interval over clusters. Tested: recall, auc, exposure, ndcg and mrr smaller than",
    "those of all other rows, a false_positive_rate larger than theirs, a mean_error (mean chance - share of",
    "positives) further from zero, a loss against a baseline; all else only describes.",
    "exposure: attention received, relative to what an order by grade would give.",
    "!  worse beyond threshold and noise    ~  not assessable    +  also in (small slices)",
]


def metric_report(
    metrics: pd.DataFrame, summary: pd.DataFrame, model: str, dimension: str, split: str = "test"
) -> str:
    """Text of one model and dimension.

    Parameters
    ----------
    metrics : DataFrame
        A long table: ``bias.score_metrics``, ``bias.ranking_metrics``, or
        `ml.bias.rankers.exposure_metrics` of ``bias.ranking_exposure``.
    summary : DataFrame
        ``bias.summary``: a line per tested metric.
    model, dimension, split : str
    """
    wanted = {"model": model, "dimension": dimension, "split": split}
    rows, lines = selected(metrics, "metrics", **wanted), selected(summary, "summary", **wanted)
    biased, assessable = bool(lines["flagged"].any()), bool((lines["n_assessable"] >= 2).any())
    text = [RULE, TITLE, RULE, f"Model: {model}    Split: {split}    Dimension: {dimension}"]
    text += [f"Bias detected: {answer(biased, assessable)}", ""]
    for _, line in lines.iterrows():
        text += _summary_lines(line)
    return "\n".join([*text, "", _table(rows), "", *_LEGEND]) + "\n"


def _summary_lines(line: pd.Series) -> list[str]:
    name, verdict = line["gap_metric"], line["verdict"]
    counted = f"({line['n_assessable']} of {line['n_slices']} slices assessable)"
    lines = [f"  {name}: {verdict} {counted}"]
    if verdict == DESCRIPTIVE:
        lines.append("    these slices are made from the outcome, so they are not judged")
    if verdict == NOT_ASSESSABLE:
        lines.append("    fewer than two slices are large enough, so nothing can be compared")
    if pd.notna(line["relative_gap"]):
        lines.append(
            f"    best: {line['best_slice']}   worst: {line['worst_slice']}   "
            f"relative gap: {percent(line['relative_gap'])} (threshold {percent(line['threshold'])}; "
            f"after shrinkage {percent(line['shrunk_gap'])})"
        )
    if line["flagged_slices"]:
        lines.append(f"    treated worse beyond threshold and noise: {line['flagged_slices']}")
    return lines


def _table(rows: pd.DataFrame) -> str:
    """One line per slice; its mark is the worst of its tested figures'."""
    tested = rows[rows["worse"] != ""]
    by_slice = tested.groupby("slice", sort=False)
    flagged, assessable = by_slice["flagged"].any(), by_slice["assessable"].any()
    pooled = by_slice["pooled"].any()
    counts = [name for name in ("n", "n_lists", "n_positive", "n_relevant") if name in rows]
    first = rows.drop_duplicates("slice").set_index("slice")
    names = first.index
    marks = [
        "!" if flagged[name] else "+" if pooled[name] else "" if assessable[name] else "~" for name in names
    ]
    shown = pd.DataFrame({"": marks, "slice": list(names)})
    for name in counts:
        shown[name] = [f"{count:,}" for count in first[name]]
    for metric, own in rows.groupby("metric", sort=False):
        cells = own.set_index("slice").reindex(names)
        shown[str(metric)] = [
            f"{figure(value)} [{figure(low)} – {figure(high)}]"
            for value, low, high in cells[["value", "ci_low", "ci_high"]].to_numpy(dtype=float)
        ]
    return shown.to_string(index=False, max_colwidth=48)
