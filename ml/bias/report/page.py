"""One self-contained page about one model's bias, for someone who never saw this project."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from ml.bias.config import SMALL_SLICES, BiasConfig
from ml.bias.gate import GateResult
from ml.bias.metrics.declared import Metric, MetricSet
from ml.bias.metrics.hours import HOUR_METRICS
from ml.bias.report.plots import Mark, interval_plot
from ml.bias.report.words import percent

_TEMPLATE = Path(__file__).with_name("page.html.j2")
_SHOWN = 30

CAUSES = {
    "model": "it remains when the mix is held equal, which points to the model rather than the mix",
    "mix": "it vanishes when the mix is held equal, so it is the mix of items rather than the model",
    "unclear": "on equal mix it is within noise, so the cause is unclear",
    "not separable": "hardly any other item has the same mix, so model and mix cannot be told apart",
    "": "",
}


def render_page(
    frames: Mapping[str, pd.DataFrame],
    config: BiasConfig,
    *,
    model: str,
    split: str = "test",
    run_id: str = "",
    note: str = "",
    gate: GateResult | None = None,
    metrics: MetricSet = HOUR_METRICS,
    links: Mapping[str, str] | None = None,
) -> str:
    """The page as HTML text: no script and nothing that is loaded from elsewhere.

    Parameters
    ----------
    frames : mapping of str to DataFrame
        Published tables by name. Sections whose table is not there say that they were not computed.
    config : BiasConfig
        Settings of the measurement.
    model, split : str
        Which model the page is about.
    run_id, note : str
        Shown at the top; ``note`` is what a reader must know of the data, such as that they are synthetic.
    gate : GateResult, optional
    metrics : MetricSet, default those of models for hours
        What the columns of ``slice_metrics`` and the lines of ``summary`` mean.
    links : mapping of str to str, optional
        Files beside the page, by what they are.

    Raises
    ------
    ValueError
        If the tables hold nothing of the model in the split.
    """
    from jinja2 import Environment

    own = {
        name: _of(frame, model, split) if {"model", "split"} <= set(frame.columns) else frame
        for name, frame in frames.items()
    }
    slices, summary, causes = own["slice_metrics"], own["summary"], own.get("composition")
    if summary.empty:
        raise ValueError(f"tables have nothing of model {model!r} in split {split!r}")
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"percent": percent, "figure": _figure}
    environment.tests["number"] = lambda value: value is not None and not math.isnan(value)
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        model=model,
        split=split,
        run_id=run_id,
        note=note,
        config=config,
        confidence=f"{config.confidence * 100:.0f} %",
        n_rows=_rows_measured(slices),
        findings=_findings(slices, causes),
        dimensions=[
            _dimension(_records(lines), slices, config, metrics)
            for _, lines in summary.groupby("dimension", sort=False)
        ],
        metrics=metrics,
        words={metric.name: metric.description.split(";")[0] for metric in metrics.metrics},
        links=links or {},
        models=_models(frames["summary"], split),
        intersections=_records(own["intersections"]) if "intersections" in own else None,
        over_time=_over_time(own["over_time"]) if "over_time" in own else None,
        composition=None if causes is None else _records(causes[causes["cause"] != ""]),
        ledger=_ledger(frames.get("mitigation")),
        distribution=_distribution(frames["distribution"]),
        gate=gate,
    )


def _ledger(table: pd.DataFrame | None) -> list[dict[str, Any]] | None:
    return None if table is None else _records(table[table["method"] != "baseline"])


def _findings(metrics: pd.DataFrame, causes: pd.DataFrame | None) -> list[dict[str, Any]]:
    """The flagged slices, worst first, with what is known of the cause."""
    found = _records(metrics[metrics["flagged"]].sort_values("effect", ascending=False))
    known: dict[tuple[str, str], str] = {}
    if causes is not None:
        known = {(line["dimension"], line["slice"]): line["cause"] for line in _records(causes)}
    for line in found:
        line["cause"] = CAUSES[known.get((line["dimension"], line["slice"]), "")]
        line["direction"] = direction(line["median_error"])
    return found


def direction(median_error: float) -> str:
    """What the signed median error (hours, predicted - true) means to someone who waits."""
    if math.isnan(median_error) or round(abs(median_error), 1) == 0:
        return "neither too early nor too late"
    how = "too early" if median_error < 0 else "too late"
    return f"{how}, by {abs(median_error):,.1f} h in the median"


def _dimension(
    lines: list[dict[str, Any]], slices: pd.DataFrame, config: BiasConfig, metrics: MetricSet
) -> dict[str, Any]:
    """One dimension: its lines of the summary, a plot of every tested metric, and all figures."""
    leading = str(metrics.leading)
    own = slices[slices["dimension"] == lines[0]["dimension"]]
    judged = own[~own["pooled"] & (own["n"] > 0)].sort_values(leading, ascending=False, kind="stable")
    shown = judged[judged["flagged"] | (judged["assessable"].cumsum() <= _SHOWN)][: _SHOWN + 20]
    small = own[own["pooled"]].sort_values("n", ascending=False)
    is_outcome = bool(lines[0]["is_outcome"])
    return {
        **lines[0],
        "flagged": any(line["flagged"] for line in lines),
        "lines": lines,
        "rows": _records(judged),
        "columns": [m for m in metrics.metrics if m.place != "last" and judged[m.name].notna().any()],
        "hidden": len(judged) - len(shown),
        "small": [f"{name} ({n})" for name, n in zip(small["slice"], small["n"], strict=True)],
        "plots": [_plot(metric, shown, judged, metrics) for metric in metrics.metrics if metric.worse],
        "reference_name": "regression to the mean" if is_outcome else "shrunken",
        "reference": f"reference_{leading}" if is_outcome else f"shrunk_{leading}",
    }


def _plot(metric: Metric, shown: pd.DataFrame, judged: pd.DataFrame, metrics: MetricSet) -> str:
    """Every slice's figure with its interval; a signed one about zero, else about the average."""
    if judged[metric.name].isna().all():
        return ""
    prefix = "" if metric.name == metrics.leading else f"{metric.name}_"
    known = judged[judged[metric.name].notna()]
    average = float((known[metric.name] * known["n"]).sum() / known["n"].sum())
    is_said = not metric.unit or metric.unit in metric.description.lower()
    unit = "" if is_said else f" ({metric.unit})"
    return interval_plot(
        _marks(shown, metric.name, f"{prefix}ci_low", f"{prefix}ci_high"),
        f"{metric.description}{unit}",
        0.0 if metric.worse in ("different", "either") else average,
    )


def _marks(rows: pd.DataFrame, value: str, low: str, high: str) -> list[Mark]:
    return [
        Mark(
            label=str(line["slice"]),
            value=float(line[value]),
            low=float(line[low]),
            high=float(line[high]),
            kind="flagged" if line["flagged"] else "usual" if line["assessable"] else "unsure",
            note=f"n {line['n']:,}",
            # NaN unless the slice is made from the outcome
            expected=float(line.get(f"reference_{value}", math.nan)),
        )
        for line in rows.to_dict("records")
    ]


def _over_time(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {
            "name": f"{dimension}: {name}",
            "plot": interval_plot(
                [
                    Mark(
                        str(row["month"]),
                        row["effect"],
                        row["ci_low"],
                        row["ci_high"],
                        note=f"n {row['n']:,}",
                    )
                    for row in rows[rows["assessable"]].to_dict("records")
                ],
                "error relative to the other items of the month",
                0.0,
                percent=True,
            ),
            "unassessable": int((~rows["assessable"].astype(bool)).sum()),
        }
        for (dimension, name), rows in table.groupby(["dimension", "slice"], sort=False)
        if rows["assessable"].any()
    ]


def _models(summary: pd.DataFrame, split: str) -> list[dict[str, Any]]:
    own = summary[summary["split"] == split]
    return [
        {
            "model": name,
            "biased": ", ".join(lines.loc[lines["flagged"], "dimension"].unique()) or "none",
            "flagged": int(lines["n_flagged"].sum()),
            "largest": lines.loc[~lines["is_outcome"], "shrunk_gap"].max(),
        }
        for name, lines in own.groupby("model", sort=False)
    ]


def _distribution(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {
            "dimension": name,
            "n_slices": len(lines),
            "rows": _records(lines.sort_values("n", ascending=False)[:_SHOWN]),
        }
        for name, lines in table.groupby("dimension", sort=False)
    ]


def _rows_measured(metrics: pd.DataFrame) -> int:
    line = metrics[(metrics["n"] > 0) & (metrics["slice"] != SMALL_SLICES)].iloc[0]
    return round(line["n"] / line["share"])


def _of(frame: pd.DataFrame, model: str, split: str) -> pd.DataFrame:
    return frame[(frame["model"] == model) & (frame["split"] == split)]


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dicts, with None for whatever is missing."""
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def _figure(value: float | None) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
