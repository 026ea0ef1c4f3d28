"""One self-contained page about one model's bias, for someone who never saw this project."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd

from ml.bias.config import SMALL_SLICES, BiasConfig
from ml.bias.engine import BiasTables
from ml.bias.explain.explanation import BiasExplanation
from ml.bias.gate import GateResult
from ml.bias.report.plots import Mark, interval_plot
from ml.bias.report.texts import percent

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
    tables: BiasTables,
    config: BiasConfig,
    *,
    model: str,
    split: str = "test",
    run_id: str = "",
    note: str = "",
    explanation: BiasExplanation | None = None,
    ledger: pd.DataFrame | None = None,
    gate: GateResult | None = None,
) -> str:
    """The page as HTML text: no script and nothing that is loaded from elsewhere.

    Parameters
    ----------
    tables, config
        What `ml.bias.engine.measure_bias` gave, and with which settings.
    model, split : str
        Which model the page is about.
    run_id, note : str
        Shown at the top; ``note`` is what a reader must know of the data, such as that they are synthetic.
    explanation, ledger, gate : optional
        Sections without them say that they were not computed.

    Raises
    ------
    ValueError
        If the tables hold nothing of the model in the split.
    """
    from jinja2 import Environment

    metrics, summary = (_of(frame, model, split) for frame in (tables.slice_metrics, tables.summary))
    if summary.empty:
        raise ValueError(f"tables have nothing of model {model!r} in split {split!r}")
    causes = None if explanation is None else _of(explanation.composition, model, split)
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"percent": percent, "figure": _figure}
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        model=model,
        split=split,
        run_id=run_id,
        note=note,
        config=config,
        confidence=f"{config.confidence * 100:.0f} %",
        n_rows=_rows_measured(metrics),
        findings=_findings(metrics, causes),
        dimensions=[_dimension(line, metrics, config) for line in _records(summary)],
        models=_models(tables.summary, split),
        intersections=None if explanation is None else _records(_of(explanation.intersections, model, split)),
        over_time=None if explanation is None else _over_time(_of(explanation.over_time, model, split)),
        composition=None if causes is None else _records(causes[causes["cause"] != ""]),
        ledger=None if ledger is None else _records(ledger[ledger["method"] != "baseline"]),
        distribution=_distribution(tables.distribution),
        gate=gate,
    )


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


def _dimension(line: dict[str, Any], metrics: pd.DataFrame, config: BiasConfig) -> dict[str, Any]:
    own = metrics[metrics["dimension"] == line["dimension"]]
    judged = own[~own["pooled"] & (own["n"] > 0)].sort_values("mae_log", ascending=False, kind="stable")
    shown = judged[judged["flagged"] | (judged["assessable"].cumsum() <= _SHOWN)][: _SHOWN + 20]
    small = own[own["pooled"]].sort_values("n", ascending=False)
    reference = "reference_mae_log" if line["is_outcome"] else "shrunk_mae_log"
    return {
        **line,
        "rows": _records(judged),
        "hidden": len(judged) - len(shown),
        "small": [f"{name} ({n})" for name, n in zip(small["slice"], small["n"], strict=True)],
        "error_plot": interval_plot(
            _marks(shown, "mae_log", "ci_low", "ci_high"),
            "mean absolute error of log(1 + hours)",
            float((judged["mae_log"] * judged["n"]).sum() / judged["n"].sum()) if len(judged) else None,
        ),
        "signed_plot": interval_plot(
            _marks(shown, "mean_error_log", "mean_error_log_ci_low", "mean_error_log_ci_high"),
            "mean signed error of log(1 + hours): left of 0 promises too early, right of 0 too late",
            0.0,
        ),
        "reference_name": "regression to the mean" if line["is_outcome"] else "shrunken",
        "reference": reference,
    }


def _marks(rows: pd.DataFrame, value: str, low: str, high: str) -> list[Mark]:
    return [
        Mark(
            label=str(line["slice"]),
            value=float(line[value]),
            low=float(line[low]),
            high=float(line[high]),
            kind="flagged" if line["flagged"] else "usual" if line["assessable"] else "unsure",
            note=f"n {line['n']:,}",
            expected=float(line[f"reference_{value}"]),  # NaN unless the slice is made from the outcome
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
            "biased": ", ".join(lines.loc[lines["flagged"], "dimension"]) or "none",
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
