"""Contributions of the columns to what trees say of many rows, a leaf at a time instead of a row at a time.

What a leaf gives a column depends on no more of a row than which columns of its path let it through: so few
patterns that each is reckoned once, where the libraries walk all trees again for every row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]
# Of each column of a path: which rows it lets through, and the share of the learned rows that it does.
Path = dict[int, tuple[Mask, float]]


def tree_contributions(model: Mapping[str, Any], x: NDArray[np.float32]) -> Values:
    """Return by how much each column moves the score of each row: Lundberg et al. (2020), algorithm 1.

    Weights of subsets are integrals of products over the path's columns, exact by Gauss and Legendre's rule
    for so many of them.

    Parameters
    ----------
    model : mapping
        Trees that split by numbers, of which 0 is one, as `lightgbm.Booster.dump_model` gives them.
    x : ndarray, shape (n, d)

    Returns
    -------
    ndarray, shape (n, d)
        Without the constant part.
    """
    columns = np.ascontiguousarray(x.T, dtype=np.float64)
    told = np.zeros(columns.shape)
    for tree in model["tree_info"]:
        for path, value in _leaves(tree["tree_structure"], columns, {}):
            bits = np.stack([passed for passed, _ in path.values()])
            pattern, seen = _patterns(bits)
            parts = _by_pattern(seen, np.array([[share] for _, share in path.values()]), value)
            for column, part in zip(path, parts, strict=True):
                told[column] += part.take(pattern)
    return np.ascontiguousarray(told.T)


def _leaves(node: Mapping[str, Any], columns: Values, path: Path) -> Iterator[tuple[Path, float]]:
    if "leaf_value" in node:
        if path:
            yield path, node["leaf_value"]
        return
    column = node["split_feature"]
    seen = columns[column]
    is_left = seen <= node["threshold"]
    # Where none was missing when it was learned, a gap is taken for 0.
    if node["default_left"] if node["missing_type"] == "NaN" else node["threshold"] >= 0:
        is_left |= np.isnan(seen)
    before, share = path.get(column, (np.True_, 1.0))
    for side, passed in (("left_child", is_left), ("right_child", ~is_left)):
        child = node[side]
        part = share * _rows(child) / _rows(node)
        yield from _leaves(child, columns, {**path, column: (passed & before, part)})


def _rows(node: Mapping[str, Any]) -> int:
    return int(node["leaf_count"] if "leaf_value" in node else node["internal_count"])


def _patterns(bits: Mask) -> tuple[NDArray[np.intp], Mask]:
    """Return which pattern each row has, shape (n,), and the patterns, shape (k, m)."""
    length, n = bits.shape
    packed = np.packbits(bits, axis=0, bitorder="little")
    if 1 << length <= n:
        pattern = packed[0].astype(np.intp)
        for byte in range(1, len(packed)):
            pattern |= packed[byte].astype(np.intp) << 8 * byte
        return pattern, _all_patterns(length)
    # As bytes: a path may have more columns than a number has bits.
    whole = np.ascontiguousarray(packed.T).view(np.dtype((np.void, len(packed)))).ravel()
    _, first, inverse = np.unique(whole, return_index=True, return_inverse=True)
    return inverse, bits[:, first]


@cache
def _all_patterns(length: int) -> Mask:
    return (np.arange(1 << length) >> np.arange(length)[:, None]) % 2 == 1


@cache
def _rule(length: int) -> tuple[Values, Values]:
    """Return places and weights on [0, 1] that integrate products of ``length`` - 1 factors."""
    at, weights = np.polynomial.legendre.leggauss(length // 2 + 1)
    return (at + 1) / 2, weights / 2


def _by_pattern(passed: Mask, share: Values, value: float) -> Values:
    """Return what a leaf gives each column of its path by pattern, shape (k, m)."""
    at, weights = _rule(len(passed))
    # What a column is worth at each place where the row goes another way, and where it passes; shape (k, q).
    other, own = (1 - at) * share, (1 - at) * share + at
    product = np.ones((len(at), passed.shape[1]))
    for is_passed, out, through in zip(passed, other, own, strict=True):
        product *= np.where(is_passed, through[:, None], out[:, None])
    weights = weights * value
    return np.where(passed, ((1 - share) * weights / own) @ product, (-share * weights / other) @ product)
