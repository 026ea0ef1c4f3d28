"""What a task brings to the measurement: its checks, its rows, and the metrics that are made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.bias.config import BiasConfig
from ml.bias.estimates.sums import Sums
from ml.bias.metrics.declared import Metric, MetricSet
from ml.bias.slices.membership import Dimension, build_membership

Positions = NDArray[np.intp]


@dataclass(frozen=True)
class AddedUp:
    """One model and split: its sets of metrics with their sums, and tables that are not judged."""

    sets: list[tuple[MetricSet, Sums]]
    further: dict[str, pd.DataFrame] = field(default_factory=dict)


class BiasTask(Protocol):
    """A kind of model, as the tables name it, and how its predictions are read."""

    @property
    def name(self) -> str:
        """Of the column ``task``."""

    @property
    def tables(self) -> tuple[str, ...]:
        """Published tables, beside the summary and the distribution."""

    def checked(self, predictions: pd.DataFrame, model: str) -> pd.DataFrame:
        """Predictions in a fresh frame; ValueError says what is wrong with them."""

    def added_up(
        self, part: pd.DataFrame, dimensions: list[Dimension], position: Positions, config: BiasConfig
    ) -> AddedUp:
        """The sums of one model and split; ``position`` is that of its rows in the dimensions."""


@dataclass(frozen=True)
class RowTask:
    """A task whose rows each count for themselves.

    Parameters
    ----------
    name : str
    metrics : MetricSet
    rows : callable (predictions with a known outcome) -> the rows that the statistics take
        With an attribute ``y``, the outcomes.
    checked : callable (predictions, model) -> DataFrame
    """

    name: str
    metrics: MetricSet
    rows: Callable[[pd.DataFrame], Any]
    checked: Callable[[pd.DataFrame, str], pd.DataFrame]

    @property
    def tables(self) -> tuple[str, ...]:
        """Published tables."""
        return self.metrics.tables

    def __add__(self, metric: Metric) -> RowTask:
        """The task with one metric more."""
        return replace(self, metrics=self.metrics + metric)

    def added_up(
        self, part: pd.DataFrame, dimensions: list[Dimension], position: Positions, config: BiasConfig
    ) -> AddedUp:
        """Rows with a known outcome, added up; the others are counted."""
        known = part["y_true"].notna().to_numpy()
        membership = build_membership(dimensions, position, known, config.min_slice_size)
        rows, clusters = self.rows(part[known]), part.loc[known, "group_id"]
        sums = Sums.of(membership, rows, self.metrics.statistics, clusters, config, rows.y)
        return AddedUp([(self.metrics, sums)])
