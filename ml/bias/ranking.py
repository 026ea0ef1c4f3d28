"""Plain frames of ranked lists: NDCG, MRR and exposure by group (`ml.bias.rankers` has tables and tests)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.bias.estimates.exposure import attention, gini, tied
from ml.bias.judge.gap import relative_gap
from ml.bias.slices.groups import group_names
from ml.bias.slices.inputs import finite_vector, require_columns
from ml.stats.bootstrap import percentile_interval, poisson_weights
from ml.stats.rank_metrics import Grouping

__all__ = ["exposure_by_group", "exposures", "gini", "ranking_by_group"]
Floats = NDArray[np.float64]


def ranking_by_group(
    rankings: pd.DataFrame,
    *,
    group: str,
    k: int | None = None,
    replicates: int = 200,
    confidence: float = 0.95,
    seed: int = 0,
    min_lists: int = 30,
) -> pd.DataFrame:
    """NDCG and MRR of each group of lists, with bootstrap intervals over lists.

    Both share the gain of equal scores among them, as `ml.bias.metrics.ndcg` and
    `ml.bias.metrics.reciprocal_rank` do.

    Parameters
    ----------
    rankings : DataFrame
        list_id, relevance (not negative), score (the highest is first), and the column ``group``, which is
        the same in all rows of a list.
    group : str
    k : int, optional
        Cut of NDCG.

    Returns
    -------
    DataFrame
        group, n_lists, n_relevant (lists with something relevant; the others have no quality and are in no
        figure), ndcg, ndcg_ci_low, ndcg_ci_high, mrr, mrr_ci_low, mrr_ci_high, relative_gap (of NDCG to the
        best assessable group), assessable.
    """
    _check(rankings, group)
    lists = Grouping(rankings["list_id"])
    owners, names = pd.factorize(group_names(rankings[group]), sort=True)
    owner = owners[lists.first_rows]
    torn = owners != owner[lists.codes]
    if torn.any():
        own = rankings.loc[lists.codes == lists.codes[torn][0]]
        raise ValueError(
            f"{group} must be the same in a list, got {own[group].nunique(dropna=False)}"
            f" in list {own['list_id'].iloc[0]!r}"
        )
    relevance, score = (rankings[name].to_numpy(dtype=float) for name in ("relevance", "score"))
    values = {
        "ndcg": _ndcg(lists, relevance, score, k),
        "mrr": _reciprocal_rank(lists, relevance, score),
    }
    used = np.flatnonzero(lists.sums((relevance > 0).astype(float)) > 0)
    drawn = poisson_weights(rankings["list_id"].iloc[lists.first_rows[used]], replicates, seed).astype(float)
    member = np.equal.outer(np.arange(len(names)), owner[used]).astype(float)
    n_relevant = member.sum(axis=1)
    table: dict[str, object] = {
        "group": names,
        "n_lists": np.bincount(owner, minlength=len(names)),
        "n_relevant": n_relevant.astype(int),
    }
    with np.errstate(divide="ignore", invalid="ignore"):
        for name, of_list in values.items():
            table[name] = member @ of_list[used] / n_relevant
            resampled = (member * of_list[used]) @ drawn / (member @ drawn)
            table[f"{name}_ci_low"], table[f"{name}_ci_high"] = percentile_interval(resampled, confidence)
    result = pd.DataFrame(table)
    large = result["n_relevant"] >= min_lists
    result["assessable"] = large & (large.sum() >= 2)
    best = result.loc[result["assessable"], "ndcg"].max()
    result["relative_gap"] = [
        relative_gap(best, value) if assessable else np.nan
        for value, assessable in zip(result["ndcg"], result["assessable"], strict=True)
    ]
    return result


def exposure_by_group(
    rankings: pd.DataFrame,
    *,
    group: str,
    replicates: int = 200,
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Share of the attention that each group of ranked items gets, beside its share of the relevance.

    Parameters
    ----------
    rankings : DataFrame
        list_id, relevance, score and the column ``group`` of the ranked item.

    Returns
    -------
    DataFrame
        group, n, exposure_share, ci_low, ci_high, relevance_share, ratio (1: exposure follows relevance).

    Notes
    -----
    The item on rank r gets 1 / log2(1 + r) (Singh & Joachims 2018); items with equal scores share alike.
    """
    _check(rankings, group)
    names = group_names(rankings[group])
    exposure = exposures(rankings)
    lists, keys = pd.factorize(rankings["list_id"])
    codes, groups = pd.factorize(names, sort=True)
    per_list = np.bincount(
        lists * len(groups) + codes, weights=exposure, minlength=len(keys) * len(groups)
    ).reshape(len(keys), len(groups))
    weights = poisson_weights(keys, replicates, seed).astype(float)
    drawn = per_list.T @ weights
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = percentile_interval(drawn / drawn.sum(axis=0), confidence)
        shares = per_list.sum(axis=0) / exposure.sum()
        relevance = np.bincount(codes, weights=rankings["relevance"].to_numpy(dtype=float))
        relevance_share = relevance / relevance.sum()
        ratio = shares / relevance_share
    return pd.DataFrame(
        {
            "group": groups,
            "n": np.bincount(codes),
            "exposure_share": shares,
            "ci_low": low,
            "ci_high": high,
            "relevance_share": relevance_share,
            "ratio": ratio,
        }
    )


def exposures(rankings: pd.DataFrame) -> Floats:
    """Attention of each row within its list."""
    return attention(Grouping(rankings["list_id"]), rankings["score"].to_numpy(dtype=float))


def _ndcg(lists: Grouping, gain: Floats, score: Floats, k: int | None) -> Floats:
    """NDCG of every list, shape (lists,): `ml.bias.metrics.ndcg`."""
    if k is not None and k < 1:
        raise ValueError(f"k must be at least 1, got {k}")

    def reached(order: Floats, gains: Floats) -> Floats:
        place = lists.places(order)
        discount = np.where(place < (k or len(place)), 1 / np.log2(place + 2.0), 0.0)
        return lists.sums(gains * discount)

    tie = tied(lists, score)
    shared = (np.bincount(tie, weights=gain) / np.bincount(tie))[tie]
    ideal = reached(gain, gain)
    return np.where(ideal > 0, reached(score, shared) / np.where(ideal > 0, ideal, 1), 0.0)


def _reciprocal_rank(lists: Grouping, gain: Floats, score: Floats) -> Floats:
    """1 / rank of the first relevant row of every list: `ml.bias.metrics.reciprocal_rank`."""
    hit = gain > 0
    best = np.full(len(lists.sizes), -np.inf)
    np.maximum.at(best, lists.codes[hit], score[hit])
    above = lists.sums((score > best[lists.codes]).astype(float))
    at_best = score == best[lists.codes]
    equal, relevant = lists.sums(at_best.astype(float)), lists.sums((at_best & hit).astype(float))
    # Expected rank of the first relevant one among t equal scores, r of them relevant: (t + 1) / (r + 1).
    return np.where(relevant > 0, 1 / (above + (equal + 1) / (relevant + 1)), 0.0)


def _check(rankings: pd.DataFrame, group: str) -> None:
    require_columns(rankings, ["list_id", "relevance", "score", group], "rankings")
    relevance = finite_vector(rankings["relevance"], "rankings['relevance']")
    finite_vector(rankings["score"], "rankings['score']")
    if relevance.min() < 0:
        raise ValueError(f"rankings['relevance'] must not be negative, got {relevance.min()}")
