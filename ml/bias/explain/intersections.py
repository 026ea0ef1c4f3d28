"""Combinations of slices that are treated worse than each of their parts: searched on one half of the rows,
tested on the other, so that the search cannot find what only chance put there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from ml.bias.config import BiasConfig
from ml.bias.estimates.cells import Floats
from ml.bias.estimates.comparison import compare_rows, q_values
from ml.bias.slices.membership import Membership
from ml.bias.slices.names import joined

# A combination that holds this share of one of its parts is that part under another name.
_SAME_AS_PART = 0.9
_SAME_ROWS = 0.5


@dataclass(frozen=True)
class Candidates:
    """Combinations of slices: their parts, and which of the rows are in them, shape (rows, candidates)."""

    parts: list[tuple[int, ...]]
    matrix: sparse.csr_array


def find_intersections(
    membership: Membership,
    eligible: NDArray[np.bool_],
    error: Floats,
    clusters: NDArray[np.intp],
    search_half: NDArray[np.bool_],
    config: BiasConfig,
    *,
    depth: int = 3,
    beam: int = 50,
) -> pd.DataFrame:
    """Combinations with a larger absolute log error than the other rows and than each of their parts.

    Parameters
    ----------
    membership : Membership
    eligible : array of bool, shape (slices,)
        Slices to combine.
    error : array, shape (rows,)
        Absolute error of log(1 + hours).
    clusters : array of int
    search_half : array of bool, shape (rows,)
        Rows of whole clusters to search on; the others are for the test.
    depth, beam : int
        Most slices in a combination, and how many combinations are tested and extended per depth.

    Returns
    -------
    DataFrame
        One line per finding, worst first: figures of the test half only; ``effect`` against all other rows,
        with its interval; ``excess`` over the worst of its parts; ``merged``: others on mostly the same rows.
    """
    if depth < 2 or beam < 1:
        raise ValueError(f"depth must be at least 2 and beam at least 1, got {depth} and {beam}")
    singles = membership.matrix[eligible].T.tocsr().astype(np.float64)
    owners, names = membership.dimension[eligible], membership.slice[eligible]
    found = search(singles[search_half], error[search_half], config, depth, beam)
    everywhere = members(singles, found)
    kept = np.flatnonzero(_column_counts(everywhere[~search_half]) >= config.min_slice_size)
    tested = Candidates([found[i] for i in kept], everywhere[:, kept])
    if not tested.parts:
        return pd.DataFrame()
    table = _tested(tested, singles, error, clusters, ~search_half, config)
    table["intersection"] = [
        joined((f"{owners[part]}={names[part]}" for part in parts), " & ") for parts in tested.parts
    ]
    table = table[(table["q_value"] < config.alpha) & (table["effect"] > config.threshold)]
    return _merged(table.sort_values("effect", ascending=False), tested.matrix)


def search(
    singles: sparse.csr_array, x: Floats, config: BiasConfig, depth: int, beam: int
) -> list[tuple[int, ...]]:
    """The most promising combinations of columns, by level-wise beam search over the lattice.

    Counts, means and variances of all pairs come from three sparse products. Parts need not look bad
    themselves: a combination can be bad while each of its parts is average.
    """
    n_parts, mean_parts = _column_counts(singles), _means(singles, x)
    level = Candidates([(i,) for i in range(singles.shape[1])], singles)
    found: list[tuple[int, ...]] = []
    for _ in range(2, depth + 1):
        left, n_left, mean_left = level.matrix, _column_counts(level.matrix), _means(level.matrix, x)
        n = (left.T @ singles).toarray()
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = (left.multiply(x[:, None]).T @ singles).toarray() / n
            square = (left.multiply((x**2)[:, None]).T @ singles).toarray() / n
            floor = np.maximum(np.maximum(mean_left[:, None], mean_parts[None, :]), x.mean())
            z = (mean - floor) / np.sqrt(np.maximum(square - mean**2, 1e-300) / n)
            whole = _SAME_AS_PART * np.minimum(n_left[:, None], n_parts[None, :])
            worth = (n >= config.min_slice_size) & (n <= whole) & (mean > floor * (1 + config.threshold))
        z = np.where(worth, z, -np.inf)
        best: dict[tuple[int, ...], float] = {}
        # Each combination of k parts is reached in up to k ways, hence more places than the beam is wide.
        places = np.flatnonzero(z > 0)
        for flat in places[np.argsort(-z.flat[places], kind="stable")][: beam * depth]:
            i, j = np.unravel_index(flat, z.shape)
            parts = tuple(sorted({*level.parts[i], int(j)}))
            if len(parts) == len(level.parts[i]) + 1:
                best.setdefault(parts, float(z[i, j]))
        chosen = list(best)[:beam]
        if not chosen:
            break
        found += chosen
        level = Candidates(chosen, members(singles, chosen))
    return found


def members(singles: sparse.csr_array, combinations: list[tuple[int, ...]]) -> sparse.csr_array:
    """Rows that are in all slices of each combination."""
    columns = singles.tocsc()
    products = []
    for parts in combinations:
        product = columns[:, [parts[0]]]
        for part in parts[1:]:
            product = product.multiply(columns[:, [part]])
        products.append(product)
    return sparse.hstack(products, format="csr") if products else sparse.csr_array((singles.shape[0], 0))


def _tested(
    candidates: Candidates,
    singles: sparse.csr_array,
    error: Floats,
    clusters: NDArray[np.intp],
    rows: NDArray[np.bool_],
    config: BiasConfig,
) -> pd.DataFrame:
    """Each candidate against all other rows and against the rest of each part, on the given rows.

    The p-value is the largest of these tests (intersection-union test, Berger 1982): all must hold.
    """
    own = error[rows]
    labels = [str(parts) for parts in candidates.parts]
    matrix = candidates.matrix[rows]
    overall = compare_rows(Membership.of_masks(labels, matrix.T.tocsr()), own, clusters[rows])
    p_values, excess = overall.p_larger, np.full(len(labels), np.nan)
    part_columns = singles[rows].tocsc()
    for number, parts in enumerate(candidates.parts):
        inside = matrix[:, [number]].toarray().ravel() > 0
        part_means = []
        for part in parts:
            of_part = part_columns[:, [part]].toarray().ravel() > 0
            rest = compare_rows(
                Membership.of_masks(["inside"], sparse.csr_array(inside[of_part][None, :].astype(float))),
                own[of_part],
                clusters[rows][of_part],
            )
            p_values[number] = max(p_values[number], rest.p_larger[0])
            part_means.append(own[of_part].mean())
        excess[number] = overall.inside[number] / max(part_means) - 1
    low, high = overall.ratio_interval(config.confidence)
    return pd.DataFrame(
        {
            "depth": [len(parts) for parts in candidates.parts],
            "n": np.bincount(matrix.indices, minlength=len(labels)),
            "mae_log": overall.inside,
            "outside_mae_log": overall.outside,
            "effect": np.expm1(overall.difference),
            "ci_low": low,
            "ci_high": high,
            "excess": excess,
            "q_value": q_values(p_values, overlapping=True),
        }
    )


def _merged(table: pd.DataFrame, matrix: sparse.csr_array) -> pd.DataFrame:
    """Keep the worst of findings that share most of their rows (Jaccard index), and name the others."""
    columns = matrix.tocsc()
    kept: list[int] = []
    also: dict[int, list[str]] = {}
    for number in table.index:
        rows = columns[:, [number]].indices
        for other in kept:
            others = columns[:, [other]].indices
            common = len(np.intersect1d(rows, others))
            if common >= _SAME_ROWS * (len(rows) + len(others) - common):
                also[other].append(str(table.loc[number, "intersection"]))
                break
        else:
            kept.append(number)
            also[number] = []
    return table.loc[kept].assign(merged=[joined(also[number], "; ") for number in kept])


def _column_counts(matrix: sparse.csr_array) -> NDArray[np.intp]:
    return np.bincount(matrix.indices, minlength=matrix.shape[1])


def _means(matrix: sparse.csr_array, x: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(matrix.T @ x) / _column_counts(matrix)
