"""Bias of rankers: is the order as good for every slice, and does every slice get the places it deserves?

A dimension that is the same for all rows of a list says whom the list is for: its slices are compared by the
quality of their lists. One that varies within lists says who is ranked: its slices are compared by the
attention that they get.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ml.bias.config import BiasConfig
from ml.bias.engine import KEY_COLUMNS
from ml.bias.estimates.cells import Floats, RowValues
from ml.bias.estimates.concentration import CONCENTRATION_COLUMNS, measure_concentration
from ml.bias.estimates.exposure import attention, attention_of_places
from ml.bias.estimates.figures import Rate, Sums
from ml.bias.estimates.ranked_lists import RankedLists
from ml.bias.judge.summary import summarise_metrics
from ml.bias.judge.verdicts import JUDGED_COLUMNS, judge
from ml.bias.slices.distribution import distribution_of
from ml.bias.slices.inputs import checked_predictions, finite_vector, locate, parts, require_columns
from ml.bias.slices.membership import build_membership, encode_dimensions
from ml.stats.rank_metrics import ndcg_by_group, reciprocal_rank_by_group

LIST_COUNTS = ["n_lists", "n_relevant", "n_clusters"]
RANKING_COLUMNS = [
    *KEY_COLUMNS,
    "dimension",
    "slice",
    "metric",
    *LIST_COUNTS,
    "relative_gap",
    *JUDGED_COLUMNS,
]
EXPOSURE_COLUMNS = [
    *KEY_COLUMNS, "dimension", "slice", "n", "n_relevant", "n_clusters", "exposure_share", "ci_low",
    "ci_high", "target_share", "relevance_share", "ratio", "received", "received_ci_low",
    "received_ci_high", "rest_received", "effect", "q_value", "shrunk_received", "assessable", "flagged",
    "pooled", "is_outcome",
]  # fmt: skip
EXPOSURE = "exposure"
# The long table's names of what a slice received, relative to what its grades deserve.
_EXPOSURE_NAMES = {
    "value": "received",
    "ci_low": "received_ci_low",
    "ci_high": "received_ci_high",
    "rest_value": "rest_received",
    "shrunk": "shrunk_received",
    "share_low": "ci_low",
    "share_high": "ci_high",
}


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


@dataclass(frozen=True)
class RankerTables:
    """Frames with the columns of ``bias.ranking_metrics``, ``bias.ranking_exposure``,
    ``bias.ranking_concentration``, ``bias.summary`` and ``bias.distribution``.
    """

    ranking_metrics: pd.DataFrame
    ranking_exposure: pd.DataFrame
    ranking_concentration: pd.DataFrame
    summary: pd.DataFrame
    distribution: pd.DataFrame


def measure_rankers(
    predictions: pd.DataFrame,
    slices: pd.DataFrame,
    config: BiasConfig | None = None,
    ranking: RankingConfig | None = None,
    baselines: Sequence[str] = (),
) -> RankerTables:
    """Measure every ranker in every split on every slice.

    Parameters
    ----------
    predictions : DataFrame
        item_id, list_id, entity_id (who is ranked), split, y_true (grade; null when unknown: in no figure),
        y_pred, score (the highest is first), one column per baseline (a score that orders as it does),
        optionally cluster (of lists that are not independent; else each list is its own), model, event_at.
    slices : DataFrame
        As for `ml.bias.engine.measure_bias`.
    config : BiasConfig, optional
    ranking : RankingConfig, optional
    baselines : sequence of str
        Names of the columns of baselines.
    """
    config, ranking = config or BiasConfig(task="ranking"), ranking or RankingConfig()
    needed = ["list_id", "entity_id", "score", *baselines]
    require_columns(predictions, needed, "predictions")
    predictions = checked_predictions(predictions, config.model)
    for name in ("score", *baselines):
        finite_vector(predictions[name].to_numpy(dtype=float, na_value=np.nan), f"predictions['{name}']")
    dimensions = encode_dimensions(slices)
    position = locate(predictions, slices)
    found: dict[str, list[pd.DataFrame]] = {"lists": [], "exposure": [], "work": []}
    for model, split, rows in parts(predictions):
        keys = {"task": config.task, "model": model, "split": split}
        part = RankedLists.of(predictions.iloc[rows], position[rows], dimensions)
        found["work"].append(measure_concentration(part.work(baselines), config).assign(**keys))
        if part.constant:
            found["lists"].append(_quality(part, config, ranking, baselines).assign(**keys))
        if part.varying:
            found["exposure"].append(_exposure(part, config, ranking).assign(**keys))
    lists, exposure, work = (_joined(frames) for frames in found.values())
    summaries = [summarise_metrics(long, config) for long in (lists, exposure) if len(long)]
    return RankerTables(
        lists.reindex(columns=RANKING_COLUMNS),
        exposure.rename(columns=_EXPOSURE_NAMES).reindex(columns=EXPOSURE_COLUMNS),
        work.reindex(columns=[*KEY_COLUMNS, *CONCENTRATION_COLUMNS]),
        pd.concat(summaries, ignore_index=True),
        distribution_of(dimensions),
    )


def exposure_metrics(exposure: pd.DataFrame) -> pd.DataFrame:
    """``bias.ranking_exposure`` in the form of the long tables, for reports."""
    own = exposure.drop(columns=["ci_low", "ci_high"])
    names = {new: old for old, new in _EXPOSURE_NAMES.items() if not old.startswith("share_")}
    return own.rename(columns=names).assign(metric=EXPOSURE, worse="smaller")


def _quality(
    part: RankedLists, config: BiasConfig, ranking: RankingConfig, baselines: Sequence[str]
) -> pd.DataFrame:
    """How good the lists of every slice are, and how much better than the baselines' orders."""
    grade = part.column("y_true")
    values = {name: _of_lists(part, grade, name, ranking) for name in ("score", *baselines)}
    figures = dict(values["score"])
    for name in baselines:
        figures |= {f"{m}_gain_vs_{name}": own - values[name][m] for m, own in values["score"].items()}
    relevant = part.relevant
    known = np.ones_like(relevant) if ranking.groups_are_questions else relevant
    n_lists = len(known)
    membership = build_membership(part.constant, np.arange(n_lists), known, config.min_slice_size)
    rows = RowValues(
        next(iter(figures.values()))[known],
        {"relevant": relevant[known].astype(float), **{name: v[known] for name, v in figures.items()}},
    )
    sums = Sums.of(membership, rows, part.clusters[part.grouping.first_rows][known], config)
    tested = list(values["score"])[:2]
    found = [
        sums.figure(
            Rate(
                name,
                name,
                worse="negative" if "_gain_vs_" in name else "smaller" if name in tested else None,
                base=name.split("_gain_vs_")[0] if "_gain_vs_" in name else None,
            ),
            config,
        )
        for name in figures
    ]
    counts = {
        "n_lists": membership.n + membership.n_censored.astype(float),
        "n_relevant": sums.rows_with("relevant")[0],
        "n_clusters": sums.clusters_with("n"),
    }
    judged = judge(found, membership, counts, config).assign(mae=np.nan)
    is_quality = ~judged["metric"].str.contains("_gain_vs_")
    best = judged["value"].where(judged["assessable"] & is_quality)
    best = best.groupby([judged["dimension"], judged["metric"]]).transform("max")
    with np.errstate(divide="ignore", invalid="ignore"):
        judged["relative_gap"] = ((best - judged["value"]) / best).where(judged["assessable"])
    return judged


def _of_lists(part: RankedLists, grade: Floats, order: str, ranking: RankingConfig) -> Mapping[str, Floats]:
    """NDCG, MRR and hits among the first few of every list in an order."""
    score, k = part.column(order), ranking.ndcg_at
    reciprocal = reciprocal_rank_by_group(grade, score, part.grouping, empty=0.0)
    return {
        f"ndcg@{k}": ndcg_by_group(grade, score, part.grouping, k, empty=0.0),
        "mrr": reciprocal,
        # The first relevant row is among the first n; places are whole, so half a place is no tie.
        **{f"top@{n}": (reciprocal > 1 / (n + 0.5)).astype(float) for n in ranking.top_at},
    }


def _exposure(part: RankedLists, config: BiasConfig, ranking: RankingConfig) -> pd.DataFrame:
    """The attention that every slice gets, beside what the order by its grades would give it."""
    grade, places = part.column("y_true"), ranking.places
    values = {
        "exposure": attention(part.grouping, part.column("score"), places),
        "target": attention(part.grouping, grade, places),
        "relevance": grade,
    }
    everyone = np.ones(len(grade), dtype=bool)
    membership = build_membership(part.varying, np.arange(len(grade)), everyone, config.min_slice_size)
    sums = Sums.of(membership, RowValues(values["exposure"], values), part.clusters, config)
    unit = attention_of_places(places)
    received = Rate(
        EXPOSURE, "exposure", over="target", worse="smaller", least_variance=lambda _, n: unit / n
    )
    counts = {
        "n": membership.n.astype(float),
        "n_relevant": sums.rows_with("relevance")[0],
        "n_clusters": sums.clusters_with("n"),
    }
    judged = judge([sums.figure(received, config)], membership, counts, config).assign(mae=np.nan)
    shares = {name: _share(sums, name) for name in values}
    own, resampled = shares["exposure"]
    low, high = sums.interval(resampled, config)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = own / shares["relevance"][0]
    return judged.assign(
        exposure_share=own,
        share_low=low,
        share_high=high,
        target_share=shares["target"][0],
        relevance_share=shares["relevance"][0],
        ratio=ratio,
    )


def _share(sums: Sums, name: str) -> tuple[Floats, Floats]:
    """Share of every slice in the sum over all rows, and in each resample."""
    per_cluster, at = sums.per_cluster(name), sums.cells.names.index(name)
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = sums.resampled[:, :, at] / (per_cluster @ sums.weights)
        return sums.totals[:, at] / per_cluster.sum(), drawn


def _joined(frames: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
