"""The engine: every slice, every metric, every resample of a task from one set of sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from ml.bias.config import BiasConfig
from ml.bias.judge.summary import summarise
from ml.bias.judge.verdicts import judge
from ml.bias.metrics.declared import Metric, MetricSet
from ml.bias.metrics.hours import HOURS
from ml.bias.metrics.tasks import BiasTask
from ml.bias.slices.distribution import distribution_of
from ml.bias.slices.inputs import locate, parts, with_clusters
from ml.bias.slices.membership import encode_dimensions
from ml.bias.tables.catalogue import names
from ml.bias.tables.layout import Judged, published


@dataclass(frozen=True)
class BiasTables:
    """What was measured.

    Attributes
    ----------
    frames : mapping of str to DataFrame
        The published tables by name, ``bias.summary`` and ``bias.distribution`` among them, with the columns
        of `ml.bias.tables.columns`; the caller adds ``run_id`` and ``domain``.
    metrics : DataFrame
        Every metric of every slice in one row: the keys, dimension, slice, metric, value and all that is
        known of it; for reports.
    declared : tuple of Metric
        What these metrics say of themselves.
    """

    frames: Mapping[str, pd.DataFrame]
    metrics: pd.DataFrame
    declared: tuple[Metric, ...] = ()

    def __getitem__(self, name: str) -> pd.DataFrame:
        """One published table."""
        return self.frames[name]


def measure_bias(
    predictions: pd.DataFrame,
    slices: pd.DataFrame,
    config: BiasConfig | None = None,
    task: BiasTask = HOURS,
) -> BiasTables:
    """Measure every model in every split on every slice.

    Parameters
    ----------
    predictions : DataFrame
        item_id, split, y_true (hours, 0 or 1, or a grade; null when unknown: counted, in no metric), y_pred,
        optionally event_at, model and group_id (cluster; else taken from ``slices``, else each item is its
        own). For hours optionally p10 and p90; for scores a threshold (probability from which a row is
        selected) and optionally a score (decides the order; y_pred where absent); for orders see `OrderTask`.
    slices : DataFrame
        item_id, columns ``slice_*`` (a value, or a list of values to be in each), optionally event_at and
        group_id. All its rows are in the distribution.
    config : BiasConfig, optional
    task : BiasTask, default HOURS
        What is measured; ``task + Metric(...)`` measures one thing more.

    Raises
    ------
    ValueError
        If an argument is empty, lacks a column, or has NaN predictions, impossible outcomes or unknown items.
    """
    config = config or BiasConfig()
    predictions = task.checked(predictions, config.model)
    dimensions = encode_dimensions(slices)
    position = locate(predictions, slices)
    predictions = with_clusters(predictions, slices, position)
    tables: dict[str, list[pd.DataFrame]] = {name: [] for name in (*task.tables, "summary")}
    long: list[pd.DataFrame] = []
    used: list[MetricSet] = []
    for model, split, rows in parts(predictions):
        keys = {"task": task.name, "model": model, "split": split}
        added_up = task.added_up(predictions.iloc[rows], dimensions, position[rows], config)
        for name, table in added_up.further.items():
            tables[name].append(table.assign(**keys))
        for metrics, sums in added_up.sets:
            verdicts, figures = judge(metrics, sums, config)
            judged = Judged(metrics, sums, figures, verdicts)
            long.append(verdicts.assign(**keys))
            for name, table in published(judged, config).items():
                tables[name].append(table.assign(**keys))
            lines = pd.DataFrame(summarise(verdicts, metrics.gaps, config))
            tables["summary"].append(lines.assign(**keys))
            used.append(metrics)
    shows = {name: metrics for metrics in used for name in metrics.tables}
    frames = {
        name: _joined(found).reindex(columns=names(name, shows.get(name))) for name, found in tables.items()
    }
    frames["distribution"] = distribution_of(dimensions)
    declared = {metric.name: metric for own in used for metric in own.metrics}
    return BiasTables(frames, _joined(long), tuple(declared.values()))


def _joined(frames: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
