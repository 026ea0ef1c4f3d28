"""Are rankings good, and is attention shared, alike for all groups? NDCG, MRR, exposure and Gini."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ml.bias.gap import relative_gap
from ml.bias.groups import group_names
from ml.bias.inputs import finite_vector, require_columns
from ml.bias.metrics import ndcg, reciprocal_rank
from ml.bootstrap import percentile_interval, poisson_weights


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
    lists = rankings.groupby("list_id", sort=True)
    owners = lists[group].nunique(dropna=False)
    if (owners > 1).any():
        raise ValueError(
            f"{group} must be the same in a list, got {owners.max()} in list {owners.idxmax()!r}"
        )
    table = pd.DataFrame(
        [
            {
                "list_id": key,
                "group": group_names(rows[group].iloc[:1])[0],
                "relevant": bool((rows["relevance"] > 0).any()),
                "ndcg": ndcg(rows["relevance"], rows["score"], k),
                "mrr": reciprocal_rank(rows["relevance"], rows["score"]),
            }
            for key, rows in lists
        ]
    )
    weights = poisson_weights(table["list_id"], replicates, seed)
    lines = []
    for name, own in table.groupby("group", sort=True):
        used = own[own["relevant"]]
        line: dict[str, object] = {"group": name, "n_lists": len(own), "n_relevant": len(used)}
        for metric in ("ndcg", "mrr"):
            values = used[metric].to_numpy(dtype=float)
            low, high = _interval_of_mean(values, weights[used.index], confidence)
            line[metric] = values.mean() if len(values) else np.nan
            line |= {f"{metric}_ci_low": low, f"{metric}_ci_high": high}
        lines.append(line)
    result = pd.DataFrame(lines)
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
    per_list = np.zeros((len(keys), len(groups)))
    np.add.at(per_list, (lists, codes), exposure)
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


def exposures(rankings: pd.DataFrame) -> NDArray[np.float64]:
    """Attention of each row within its list."""
    ranks = rankings.groupby("list_id")["score"].rank(method="first", ascending=False)
    attention = 1 / np.log2(1 + ranks)
    return attention.groupby([rankings["list_id"], rankings["score"]]).transform("mean").to_numpy(dtype=float)


def gini(values: ArrayLike) -> float:
    """Concentration of work on people: 0 when all have the same, towards 1 when one has all.

    Sum over all pairs of |a - b| / (2 n² mean) (Gini 1912); nobody having anything is no concentration.
    """
    amounts = np.sort(finite_vector(values, "values"))
    if amounts[0] < 0:
        raise ValueError(f"values must not be negative, got {amounts[0]}")
    total, n = float(amounts.sum()), len(amounts)
    if total == 0:
        return 0.0
    return float((2 * np.arange(1, n + 1) - n - 1) @ amounts) / (n * total)


def _interval_of_mean(
    values: NDArray[np.float64], weights: NDArray[np.uint8], confidence: float
) -> tuple[float, float]:
    if len(values) == 0:
        return np.nan, np.nan
    drawn = weights.sum(axis=0, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = percentile_interval(values @ weights / drawn, confidence)
    return float(low), float(high)


def _check(rankings: pd.DataFrame, group: str) -> None:
    require_columns(rankings, ["list_id", "relevance", "score", group], "rankings")
    relevance = finite_vector(rankings["relevance"], "rankings['relevance']")
    finite_vector(rankings["score"], "rankings['score']")
    if relevance.min() < 0:
        raise ValueError(f"rankings['relevance'] must not be negative, got {relevance.min()}")
