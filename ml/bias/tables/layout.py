"""From judged figures to the published tables, each by its columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ml.bias.config import BiasConfig
from ml.bias.estimates.cells import Floats
from ml.bias.estimates.figures import Figure
from ml.bias.estimates.sums import Sums
from ml.bias.metrics.declared import MetricSet
from ml.bias.tables.catalogue import columns


@dataclass(frozen=True)
class Judged:
    """One set of metrics of one model and split: its sums, its figures, and the verdicts, long."""

    metrics: MetricSet
    sums: Sums
    figures: Mapping[str, Figure]
    long: pd.DataFrame


def typed(frame: pd.DataFrame, table: str, metrics: MetricSet | None = None) -> pd.DataFrame:
    """Give every column of a bias table its type: an empty or all-null one has none of its own.

    Readers create their tables by the file's columns, so a run that found nothing must not turn a text
    into a number.
    """
    kinds = {column.name: column.dtype for column in columns(table, metrics)}
    return frame.astype({str(name): kinds[str(name)] for name in frame.columns})


def published(judged: Judged, config: BiasConfig) -> dict[str, pd.DataFrame]:
    """The tables of a set of metrics, without their keys."""
    return {name: _LAYOUTS[name](judged, config) for name in judged.metrics.tables}


def _slice_table(judged: Judged, config: BiasConfig) -> pd.DataFrame:
    """One row per slice; the verdict is that of the leading metric, or over all tested ones."""
    sums, figures, leading = judged.sums, judged.figures, judged.metrics.leading
    membership = sums.membership
    by_metric = {str(name): rows for name, rows in judged.long.groupby("metric", sort=False)}
    first = next(iter(by_metric.values()))
    found = {name: rows["flagged"].to_numpy() for name, rows in by_metric.items()}
    table = {
        **{name: getattr(membership, name) for name in ("dimension", "slice", "n", "n_censored", "pooled")},
        "share": membership.n / len(sums.clusters),
        "n_clusters": first["n_clusters"].to_numpy(),
        "is_outcome": first["is_outcome"].to_numpy(),
        "findings": [
            ", ".join(name for name, own in found.items() if own[s]) for s in range(len(membership.n))
        ],
        **{name: figure.value for name, figure in figures.items()},
    }
    for name, figure in figures.items():
        table |= {f"{name}_ci_low": figure.low, f"{name}_ci_high": figure.high}
    if leading is None:
        tested = judged.long["assessable"] & (judged.long["worse"] != "")
        of_slice = (len(membership.n), len(by_metric))
        table |= {
            "q_value": np.fmin.reduce(judged.long["q_value"].to_numpy().reshape(of_slice), axis=1),
            "assessable": tested.to_numpy().reshape(of_slice).any(axis=1),
            "flagged": np.any(list(found.values()), axis=0),
        }
    else:
        table |= {f"q_{name}": rows["q_value"].to_numpy() for name, rows in by_metric.items()}
        table |= {f"shrunk_{name}": rows["shrunk"].to_numpy() for name, rows in by_metric.items()}
        verdict = ["ci_low", "ci_high", "q_value", "assessable", "flagged"]
        verdict += ["effect", "effect_ci_low", "effect_ci_high"]
        table |= {name: by_metric[leading][name].to_numpy() for name in verdict}
    return pd.DataFrame(table)


def _long_table(judged: Judged, config: BiasConfig) -> pd.DataFrame:
    return judged.long


def _list_table(judged: Judged, config: BiasConfig) -> pd.DataFrame:
    """The long table with the gap of every slice to the best of its dimension."""
    long = judged.long
    compared = long["assessable"] & (long["worse"] != "negative")
    best = long["value"].where(compared).groupby([long["dimension"], long["metric"]]).transform("max")
    with np.errstate(divide="ignore", invalid="ignore"):
        return long.assign(relative_gap=((best - long["value"]) / best).where(long["assessable"]))


def _exposure_table(judged: Judged, config: BiasConfig) -> pd.DataFrame:
    """Shares of attention and of relevance beside what was judged of them."""
    sums = judged.sums
    shares = {name: _share(sums, name) for name in ("exposure", "target", "relevance")}
    low, high = sums.interval(shares["exposure"][1], config)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = shares["exposure"][0] / shares["relevance"][0]
    received = {
        "value": "received",
        "ci_low": "received_ci_low",
        "ci_high": "received_ci_high",
        "rest_value": "rest_received",
        "shrunk": "shrunk_received",
    }
    return judged.long.rename(columns=received).assign(
        exposure_share=shares["exposure"][0],
        ci_low=low,
        ci_high=high,
        target_share=shares["target"][0],
        relevance_share=shares["relevance"][0],
        ratio=ratio,
    )


def _share(sums: Sums, name: str) -> tuple[Floats, Floats]:
    """Share of every slice in the sum over all rows, and in each resample."""
    per_cluster = sums.per_cluster(name)
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = sums.by_name(sums.resampled)[name] / (per_cluster @ sums.weights)
        return sums.by_name(sums.totals)[name] / per_cluster.sum(), drawn


_LAYOUTS: dict[str, Callable[[Judged, BiasConfig], pd.DataFrame]] = {
    "slice_metrics": _slice_table,
    "score_metrics": _long_table,
    "ranking_metrics": _list_table,
    "ranking_exposure": _exposure_table,
}
