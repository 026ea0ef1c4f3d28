"""Metrics of rankers: is the order as good for every slice, and does every slice get the places it deserves?

A dimension that is the same for all rows of a list says whom the list is for: its slices are compared by the
quality of their lists. One that varies within lists says who is ranked: its slices are compared by the
attention that they get.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.bias.config import BiasConfig
from ml.bias.estimates.cells import ROWS, Floats
from ml.bias.estimates.concentration import measure_concentration
from ml.bias.estimates.exposure import attention, attention_of_places
from ml.bias.estimates.figures import Ratio
from ml.bias.estimates.ranked_lists import RankedLists
from ml.bias.estimates.sums import Statistic, Sums
from ml.bias.metrics.declared import Metric, MetricSet
from ml.bias.metrics.tasks import AddedUp, Positions
from ml.bias.slices.inputs import checked_predictions, finite_vector, require_columns
from ml.bias.slices.membership import Dimension, build_membership
from ml.stats.rank_metrics import ndcg_by_group, reciprocal_rank_by_group, top_k_hit_by_group

EXPOSURE = "exposure"
Quality = Callable[[RankedLists, str], Floats]


@dataclass(frozen=True)
class RankingConfig:
    """What of an order is measured.

    Parameters
    ----------
    ndcg_at : int
        The k of NDCG@k.
    top_at : tuple of int
        The k of top@k, the share of lists with a relevant row among the first k.
    places : int
        Places of a list that get attention; whoever comes later is not looked at.
    groups_are_questions : bool
        Every list has an answer: one without a relevant row counts as missed.
    """

    ndcg_at: int = 10
    top_at: tuple[int, ...] = (1, 3, 5)
    places: int = 20
    groups_are_questions: bool = False

    def __post_init__(self) -> None:
        if min(self.ndcg_at, self.places, *self.top_at) < 1:
            raise ValueError(f"Each k must be at least 1, got {self.ndcg_at}, {self.top_at}, {self.places}")


@dataclass(frozen=True, eq=False)
class JudgedLists:
    """The lists that are judged (``known``, of all), and how good each is in an order."""

    lists: RankedLists
    known: NDArray[np.bool_]
    qualities: Mapping[str, Quality]
    _made: dict[tuple[str, str], Floats] = field(default_factory=dict)

    def quality(self, name: str, order: str = "score") -> Floats:
        """One kind of quality in the order of a column."""
        if (name, order) not in self._made:
            self._made[name, order] = self.qualities[name](self.lists, order)[self.known]
        return self._made[name, order]


@dataclass(frozen=True)
class OrderTask:
    """Orders of lists, and the baselines that they are held against.

    Predictions have item_id, list_id, entity_id (who is ranked), split, y_true (grade; null when unknown: in
    no figure), y_pred, score (the highest is first), one column per baseline (a score that orders as it
    does), optionally cluster (of lists that are not independent; else each list is its own), model, event_at.
    """

    ranking: RankingConfig = RankingConfig()
    baselines: tuple[str, ...] = ()
    name: str = "ranking"
    tables: tuple[str, ...] = ("ranking_metrics", "ranking_exposure", "ranking_concentration")

    def checked(self, predictions: pd.DataFrame, model: str) -> pd.DataFrame:
        """Predictions in a fresh frame."""
        require_columns(predictions, ["list_id", "entity_id", "score", *self.baselines], "predictions")
        checked = checked_predictions(predictions, model)
        for name in ("score", *self.baselines):
            finite_vector(checked[name].to_numpy(dtype=float, na_value=np.nan), f"predictions['{name}']")
        return checked

    def added_up(
        self, part: pd.DataFrame, dimensions: list[Dimension], position: Positions, config: BiasConfig
    ) -> AddedUp:
        """The quality of lists, and the attention that rows get."""
        lists = RankedLists.of(part, position, dimensions)
        sets = []
        if lists.constant:
            sets.append(self._of_lists(lists, config))
        if lists.varying:
            sets.append(self._of_rows(lists, config))
        work = measure_concentration(lists.work(self.baselines), config)
        return AddedUp(sets, {"ranking_concentration": work})

    def _of_lists(self, lists: RankedLists, config: BiasConfig) -> tuple[MetricSet, Sums]:
        metrics = list_metrics(self.ranking, self.baselines)
        relevant = lists.relevant
        known = np.ones_like(relevant) if self.ranking.groups_are_questions else relevant
        membership = build_membership(lists.constant, np.arange(len(known)), known, config.min_slice_size)
        clusters = lists.clusters[lists.grouping.first_rows][known]
        judged = JudgedLists(lists, known, _qualities(self.ranking))
        return metrics, Sums.of(membership, judged, metrics.statistics, clusters, config)

    def _of_rows(self, lists: RankedLists, config: BiasConfig) -> tuple[MetricSet, Sums]:
        metrics = exposure_metrics(self.ranking.places)
        n = len(lists.rows)
        membership = build_membership(
            lists.varying, np.arange(n), np.ones(n, dtype=bool), config.min_slice_size
        )
        return metrics, Sums.of(membership, lists, metrics.statistics, lists.clusters, config)


def list_metrics(ranking: RankingConfig, baselines: tuple[str, ...]) -> MetricSet:
    """Metrics of whole lists: quality, and its paired gain over the orders of baselines."""
    at, own = ranking.ndcg_at, {name: _quality(name) for name in _qualities(ranking)}
    metrics = [
        Metric(
            name=f"ndcg@{at}",
            estimate=Ratio(own[f"ndcg@{at}"]),
            unit="",
            description=f"normalised discounted gain of the first {at} places",
            worse="smaller",
        ),
        Metric(
            name="mrr",
            estimate=Ratio(own["mrr"]),
            unit="",
            description="mean of 1 / place of the first relevant row",
            worse="smaller",
        ),
    ]
    metrics += [
        Metric(
            name=f"top@{k}",
            estimate=Ratio(own[f"top@{k}"]),
            unit="share",
            description=f"share of lists with a relevant row among the first {k}",
        )
        for k in ranking.top_at
    ]
    metrics += [
        Metric(
            name=f"{name}_gain_vs_{baseline}",
            estimate=Ratio(_gain(name, baseline)),
            unit="",
            description=f"{name} less that of the order of {baseline}, list by list: only a loss is one",
            worse="negative",
            relative_to=own[name],
        )
        for baseline in baselines
        for name in own
    ]
    return MetricSet(
        metrics=tuple(metrics),
        counts={
            "n_lists": lambda sums: sums.membership.n + sums.membership.n_censored,
            "n_relevant": lambda sums: sums.rows_with("relevant")[0],
            "n_clusters": lambda sums: sums.clusters_with(ROWS),
        },
        tables=("ranking_metrics",),
        first=(Statistic("relevant", lambda rows: rows.lists.relevant[rows.known].astype(float)),),
    )


def _qualities(ranking: RankingConfig) -> dict[str, Quality]:
    """Quality of every list in an order, which is a column of its rows."""

    def by_list(metric: Callable[..., Floats], *places: int) -> Quality:
        return lambda lists, order: metric(
            lists.column("y_true"), lists.column(order), lists.grouping, *places, empty=0.0
        )

    return {
        f"ndcg@{ranking.ndcg_at}": by_list(ndcg_by_group, ranking.ndcg_at),
        "mrr": by_list(reciprocal_rank_by_group),
        **{f"top@{k}": by_list(top_k_hit_by_group, k) for k in ranking.top_at},
    }


def _quality(name: str) -> Statistic:
    return Statistic(name, lambda rows: rows.quality(name))


def _gain(name: str, baseline: str) -> Statistic:
    return Statistic(
        f"{name}_gain_vs_{baseline}", lambda rows: rows.quality(name) - rows.quality(name, baseline)
    )


def exposure_metrics(places: int) -> MetricSet:
    """The one metric of who is ranked: attention received, of that deserved."""
    unit = attention_of_places(places)
    received = Statistic(EXPOSURE, lambda lists: attention(lists.grouping, lists.column("score"), places))
    target = Statistic("target", lambda lists: attention(lists.grouping, lists.column("y_true"), places))
    relevance = Statistic("relevance", lambda lists: lists.column("y_true"))
    return MetricSet(
        metrics=(
            Metric(
                name=EXPOSURE,
                estimate=Ratio(received, over=target, least_variance=lambda _, n: unit / n),
                unit="",
                description="attention received, relative to what an order by grade would give",
                worse="smaller",
            ),
        ),
        counts={
            "n": lambda sums: sums.membership.n,
            "n_relevant": lambda sums: sums.rows_with("relevance")[0],
            "n_clusters": lambda sums: sums.clusters_with(ROWS),
        },
        tables=("ranking_exposure",),
        first=(received, target, relevance),
    )
