"""Which row is in which slice: a sparse matrix per dimension, and the pooling of small slices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from ml.bias.config import MISSING, SLICE_PREFIX, SMALL_SLICES
from ml.bias.slices.names import slice_name


@dataclass(frozen=True)
class Dimension:
    """One slice column, encoded.

    Attributes
    ----------
    name : str
        Column name without the prefix ``slice_``.
    categories : array of str
    matrix : csr_array of shape (rows, categories)
        1 where the row is in the slice.
    overlapping : bool
        Whether some row is in more than one slice.
    """

    name: str
    categories: NDArray[np.object_]
    matrix: sparse.csr_array
    overlapping: bool


@dataclass(frozen=True)
class Membership:
    """All slices of all dimensions over one set of rows.

    Attributes
    ----------
    dimension, slice : arrays of str, shape (slices,)
    pooled : array of bool
        The slice is also part of its dimension's "(small slices)".
    n_censored : array of int
        Rows of the slice whose outcome is unknown; they are in no other figure.
    overlapping : bool
        Whether some row is in more than one slice.
    matrix : csr_array of shape (slices, rows with a known outcome)
    """

    dimension: NDArray[np.object_]
    slice: NDArray[np.object_]
    pooled: NDArray[np.bool_]
    n_censored: NDArray[np.int64]
    overlapping: bool
    matrix: sparse.csr_array

    @classmethod
    def of_masks(cls, names: Sequence[str], matrix: sparse.csr_array) -> Membership:
        """Ad-hoc groups of rows, any of which may overlap: ``matrix`` has shape (groups, rows)."""
        return cls(
            dimension=np.full(len(names), "", dtype=object),
            slice=np.array(names, dtype=object),
            pooled=np.zeros(len(names), dtype=bool),
            n_censored=np.zeros(len(names), dtype=np.int64),
            overlapping=True,
            matrix=matrix,
        )

    @property
    def n(self) -> NDArray[np.int64]:
        """Rows per slice."""
        return np.diff(self.matrix.indptr).astype(np.int64)

    @property
    def slice_of_pair(self) -> NDArray[np.intp]:
        """Slice of each stored (slice, row) pair; the row is ``matrix.indices``."""
        return np.repeat(np.arange(len(self.slice)), np.diff(self.matrix.indptr))


def encode_dimensions(slices: pd.DataFrame, columns: Sequence[str] | None = None) -> list[Dimension]:
    """Encode slice columns; a cell may hold one value or a list of them (the row is then in each).

    Missing values and empty lists are the slice "(missing)"; a value that is that text is another slice.

    Parameters
    ----------
    slices : DataFrame
    columns : sequence of str, optional
        Default: every column whose name starts with ``slice_``.

    Raises
    ------
    ValueError
        If a column is absent, or there is none at all.
    """
    if columns is None:
        columns = [name for name in slices.columns if str(name).startswith(SLICE_PREFIX)]
    if not columns:
        raise ValueError(f"slices has no column that starts with '{SLICE_PREFIX}': {list(slices.columns)}")
    absent = [name for name in columns if name not in slices.columns]
    if absent:
        raise ValueError(f"slices has no column {absent[0]!r}; it has {list(slices.columns)}")
    return [encode_dimension(slices[name]) for name in columns]


def encode_dimension(values: pd.Series) -> Dimension:
    """Encode one slice column (see `encode_dimensions`)."""
    name = str(values.name).removeprefix(SLICE_PREFIX)
    sizes, flat = _flatten(values)
    codes, found = pd.factorize(flat, use_na_sentinel=True)
    row = np.repeat(np.arange(len(values)), sizes)
    empty = np.flatnonzero(sizes == 0)
    if len(empty) or (codes < 0).any():
        codes = np.where(codes < 0, len(found), codes)
        row, codes = np.append(row, empty), np.append(codes, np.full(len(empty), len(found)))
    texts = np.array([slice_name(value) for value in found] + [MISSING], dtype=object)
    categories, merged = np.unique(texts, return_inverse=True)
    pairs = (np.ones(len(row), dtype=np.int8), (row, merged[codes]))
    matrix = sparse.coo_array(pairs, shape=(len(values), len(categories))).tocsr()
    matrix.sum_duplicates()
    matrix.data[:] = 1
    return Dimension(name, categories, matrix, bool((np.diff(matrix.indptr) > 1).any()))


def build_membership(
    dimensions: Iterable[Dimension],
    rows: NDArray[np.intp],
    known: NDArray[np.bool_],
    min_slice_size: int,
) -> Membership:
    """Slices over ``rows``; those with fewer than ``min_slice_size`` known outcomes are pooled, and kept.

    Parameters
    ----------
    dimensions : iterable of Dimension
    rows : array of int
        Positions in the encoded frame, one per row to measure; repeats are allowed.
    known : array of bool, as long as ``rows``
        Whether the row's outcome is known.
    min_slice_size : int
    """
    parts, names, owners, pooled, censored = [], [], [], [], []
    overlapping = False
    for number, dimension in enumerate(dimensions):
        overlapping |= dimension.overlapping or number > 0
        everyone = dimension.matrix[rows]
        matrix = everyone[known]
        n_all, n = _column_sums(everyone), _column_sums(matrix)
        present = n_all > 0
        small = present & (n < min_slice_size)
        columns, labels = [matrix[:, present]], [*dimension.categories[present]]
        n_unknown = n_all - n
        unknown, is_pooled = [*n_unknown[present]], [*small[present]]
        if small.any():
            members = np.asarray(matrix[:, small].sum(axis=1)).ravel() > 0
            columns.append(sparse.csr_array(members[:, None].astype(np.int8)))
            labels.append(SMALL_SLICES)
            unknown.append(int((np.asarray(everyone[~known][:, small].sum(axis=1)).ravel() > 0).sum()))
            is_pooled.append(False)
        parts += columns
        names += labels
        owners += [dimension.name] * len(labels)
        pooled += is_pooled
        censored += unknown
    return Membership(
        dimension=np.array(owners, dtype=object),
        slice=np.array(names, dtype=object),
        pooled=np.array(pooled, dtype=bool),
        n_censored=np.array(censored, dtype=np.int64),
        overlapping=overlapping,
        matrix=sparse.hstack(parts, format="csc").T.tocsr(),
    )


def has_a_peer(owners: NDArray[np.object_], eligible: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether the dimension has at least two eligible slices: one alone cannot be compared."""
    codes, names = pd.factorize(owners)
    return (np.bincount(codes, weights=eligible, minlength=len(names)) >= 2)[codes]


def _flatten(values: pd.Series) -> tuple[NDArray[np.intp], pd.Series | NDArray[np.object_]]:
    """Number of values per row, and all values in row order."""
    is_list = values.dtype == object and any(isinstance(v, list | tuple | set | np.ndarray) for v in values)
    if not is_list:
        return np.ones(len(values), dtype=np.intp), values
    cells = [
        list(v) if isinstance(v, list | tuple | set | np.ndarray) else [] if pd.isna(v) else [v]
        for v in values
    ]
    flat = np.empty(sum(map(len, cells)), dtype=object)
    flat[:] = [v for cell in cells for v in cell]
    return np.fromiter(map(len, cells), dtype=np.intp, count=len(cells)), flat


def _column_sums(matrix: sparse.csr_array) -> NDArray[np.int64]:
    return np.bincount(matrix.indices, minlength=matrix.shape[1]).astype(np.int64)
