"""The encoders of item columns: numbers, categories and texts, each fitted on training rows only."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer

from ml.data.columns import Kind
from ml.encoding.misfit import refuse_misfit
from ml.encoding.words import word_counts
from ml.store.trusted import loadable

OTHER = "(other)"
MISSING = "(missing)"
FloatMatrix = NDArray[np.float32]


@loadable
class NumberEncoder(TransformerMixin, BaseEstimator):
    """Numbers to float32: signed log for heavy tails, median for missing ones, an indicator where needed."""

    kind: Kind = "number"

    def __init__(self, columns: list[str]) -> None:
        self.columns = columns

    def fit(self, frame: pd.DataFrame, y: object = None) -> Self:
        """Learn per column, from training rows, whether its tail is heavy, its median and its gaps."""
        values = self._values(frame)
        gaps = np.isnan(values)
        filled = np.where(gaps.all(axis=0, keepdims=True), 0.0, values)
        low, middle, high, top = np.nanquantile(filled, [0.01, 0.5, 0.9, 0.99], axis=0)
        # Heavy tail: the last percentile lies further from the ninth decile than the decile from the median.
        self.is_heavy_ = (top - high > 2.0 * (high - middle)) & (top > 10.0) | (top - low > 1e4)
        self.medians_ = np.nanmedian(self._squash(filled), axis=0)
        self.has_gaps_: NDArray[np.bool_] = np.asarray(gaps.any(axis=0))
        return self

    def transform(self, frame: pd.DataFrame) -> FloatMatrix:
        """Return the encoded numbers, then one 0/1 column per number that had gaps in training."""
        values = self._values(frame)
        gaps = np.isnan(values)
        encoded = np.where(gaps, self.medians_, self._squash(values))
        return np.hstack([encoded, gaps[:, self.has_gaps_]]).astype(np.float32)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.str_]:
        """Return the names of the encoded columns."""
        gaps = [f"{c}_is_missing" for c, g in zip(self.columns, self.has_gaps_, strict=True) if g]
        return np.array([*self.columns, *gaps], dtype=str)

    def sources(self) -> list[str]:
        """Return for every encoded column the item column it was made from."""
        return [*self.columns, *(c for c, g in zip(self.columns, self.has_gaps_, strict=True) if g)]

    def _values(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        values = np.empty((len(frame), len(self.columns)))
        for position, column in enumerate(self.columns):
            values[:, position] = frame[column].astype("Float64").to_numpy(float, na_value=np.nan)
        values[~np.isfinite(values)] = np.nan
        return values

    def _squash(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        logs = np.sign(values) * np.log1p(np.abs(values))
        return np.where(self.is_heavy_, logs, values)


@loadable
class CategoryEncoder(TransformerMixin, BaseEstimator):
    """Categories to 0/1 columns over stored levels; a rare or unseen level is "(other)".

    Not scikit-learn's `OneHotEncoder`: it has a column for rare levels only where training saw one,
    so that a level that comes later would be all zeros, like no level at all.
    """

    kind: Kind = "category"

    def __init__(self, columns: list[str], min_rows: int = 10, max_levels: int = 60) -> None:
        self.columns = columns
        self.min_rows = min_rows
        self.max_levels = max_levels

    def fit(self, frame: pd.DataFrame, y: object = None) -> Self:
        """Store the frequent levels of every column, by name."""
        self.levels_ = []
        for column in self.columns:
            counts = self._names(frame[column]).value_counts()
            counts = counts[counts >= self.min_rows]
            order = sorted(counts.index, key=lambda level: (-counts[level], level))[: self.max_levels]
            self.levels_.append([*sorted(level for level in order if level != OTHER), OTHER])
        return self

    def transform(self, frame: pd.DataFrame) -> FloatMatrix:
        """Return one 0/1 column per level."""
        blocks = [np.empty((len(frame), 0), dtype=np.float32)]
        for column, levels in zip(self.columns, self.levels_, strict=True):
            code = pd.Index(levels).get_indexer(pd.Index(self._names(frame[column])))
            code = np.where(code < 0, len(levels) - 1, code)
            blocks.append(np.eye(len(levels), dtype=np.float32)[code])
        return np.hstack(blocks)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.str_]:
        """Return ``column=level`` names."""
        pairs = zip(self.columns, self.levels_, strict=True)
        return np.array([f"{column}={level}" for column, levels in pairs for level in levels], dtype=str)

    def sources(self) -> list[str]:
        """Return for every encoded column the item column it was made from."""
        return [column for column, levels in zip(self.columns, self.levels_, strict=True) for _ in levels]

    @staticmethod
    def _names(column: pd.Series) -> pd.Series:
        return column.astype(object).where(column.notna(), MISSING).astype(str)


@loadable
class TextEncoder(TransformerMixin, BaseEstimator):
    """Text columns to the leading components of hashed word 1-2 grams under TF-IDF."""

    kind: Kind = "text"

    def __init__(
        self,
        columns: list[str],
        characters: int = 2000,
        buckets: int = 2**15,
        components: int = 64,
        seed: int = 0,
    ) -> None:
        self.columns = columns
        self.characters = characters
        self.buckets = buckets
        self.components = components
        self.seed = seed

    def fit(self, frame: pd.DataFrame, y: object = None) -> Self:
        """Learn inverse document frequencies and components."""
        self._fit_all(frame)
        return self

    def fit_transform(self, frame: pd.DataFrame, y: object = None, **params: Any) -> FloatMatrix:
        """Fit, and encode the same rows without counting the words twice."""
        return self._encode(self._fit_all(frame))

    def transform(self, frame: pd.DataFrame) -> FloatMatrix:
        """Return the components of every text column; a text that many rows share is read once."""
        distinct = [pd.factorize(frame[column], use_na_sentinel=False) for column in self.columns]
        read = [self._encode_one(k, self._counts(pd.Series(texts))) for k, (_, texts) in enumerate(distinct)]
        return np.hstack([block[code] for block, (code, _) in zip(read, distinct, strict=True)])

    def counts(self, frame: pd.DataFrame) -> list[sparse.csr_matrix]:
        """Return how often each hashed word is in every text, shape (n, buckets) per column."""
        return [self._counts(frame[column]) for column in self.columns]

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.str_]:
        """Return ``column_svd_k`` names."""
        sizes = zip(self.columns, self.svds_, strict=True)
        return np.array([f"{c}_svd_{k}" for c, svd in sizes for k in range(len(svd.components_))], dtype=str)

    def sources(self) -> list[str]:
        """Return for every encoded column the item column it was made from."""
        return [c for c, svd in zip(self.columns, self.svds_, strict=True) for _ in svd.components_]

    def _fit_all(self, frame: pd.DataFrame) -> list[sparse.csr_matrix]:
        self.idfs_, self.svds_ = [], []
        all_counts = self.counts(frame)
        for counts in all_counts:
            idf = TfidfTransformer(sublinear_tf=True).fit(counts)
            weighted = idf.transform(counts).astype(np.float32)
            components = max(1, min(self.components, weighted.shape[0] - 1, weighted.shape[1] - 1))
            svd = TruncatedSVD(components, n_iter=3, random_state=self.seed)
            # Texts that are all alike have no variance, which it divides by for a share that is not used.
            with np.errstate(invalid="ignore", divide="ignore"):
                svd.fit(weighted)
            # Components beyond the rank of the texts are rounding noise, which a scaler would blow up.
            kept = svd.singular_values_ > 1e-3 * svd.singular_values_.max(initial=0.0)
            svd.components_ = svd.components_[kept] if kept.any() else svd.components_[:1]
            # Thousands of buckets times components: half the size on disk, and no digit that matters is lost.
            svd.components_ = svd.components_.astype(np.float32)
            self.idfs_.append(idf)
            self.svds_.append(svd)
        return all_counts

    def _encode(self, all_counts: list[sparse.csr_matrix]) -> FloatMatrix:
        return np.hstack([self._encode_one(k, counts) for k, counts in enumerate(all_counts)])

    def _encode_one(self, column: int, counts: sparse.csr_matrix) -> FloatMatrix:
        weighted = self.idfs_[column].transform(counts).astype(np.float32)
        return np.asarray(self.svds_[column].transform(weighted), dtype=np.float32)

    def _counts(self, column: pd.Series) -> sparse.csr_matrix:
        texts = column.astype(object).where(column.notna(), "").astype(str).str.slice(0, self.characters)
        return word_counts(list(texts), self.buckets)


@loadable
class ItemEncoder(TransformerMixin, BaseEstimator):
    """All feature columns of an item frame to one float32 matrix: numbers, categories, then texts.

    Not scikit-learn's `ColumnTransformer`: it refuses encoded names that are alike, such as those of the
    column "a" with the level "b=c" and of the column "a=b" with the level "c".
    """

    def __init__(self, encoders: list[Any]) -> None:
        self.encoders = encoders

    def fit(self, frame: pd.DataFrame, y: object = None) -> Self:
        """Fit every encoder on the rows given, which must be training rows."""
        for encoder in self.encoders:
            encoder.fit(frame)
        return self

    def fit_transform(self, frame: pd.DataFrame, y: object = None, **params: Any) -> FloatMatrix:
        """Fit, and encode the same rows, which saves counting the words of their texts twice."""
        return np.hstack([encoder.fit_transform(frame) for encoder in self.encoders])

    def transform(self, frame: pd.DataFrame) -> FloatMatrix:
        """Return the matrix, shape (n, d)."""
        refuse_misfit(frame, self.kinds())
        return np.hstack([encoder.transform(frame) for encoder in self.encoders])

    def kinds(self) -> dict[str, Kind]:
        """Return the item columns that are read with what they held in training."""
        return {column: encoder.kind for encoder in self.encoders for column in encoder.columns}

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.str_]:
        """Return the names of the matrix columns."""
        return np.concatenate([encoder.get_feature_names_out() for encoder in self.encoders])

    def sources(self) -> list[str]:
        """Return for every column of the matrix the item column it was made from."""
        return [source for encoder in self.encoders for source in encoder.sources()]


@loadable
class GroupSelector(TransformerMixin, BaseEstimator):
    """One column as group names, shape (n, 1): the input of models that know nothing but the group."""

    def __init__(self, column: str | None) -> None:
        self.column = column

    def fit(self, frame: pd.DataFrame, y: object = None) -> Self:
        """Learn nothing."""
        return self

    def transform(self, frame: pd.DataFrame) -> NDArray[np.object_]:
        """Return the names; one common name without a column."""
        if self.column is None:
            return np.full((len(frame), 1), "(all)", dtype=object)
        if self.column not in frame:
            raise ValueError(f"The items lack the column {self.column!r} of the model's groups: add it.")
        column = frame[self.column]
        return np.asarray(column.astype(object).where(column.notna(), MISSING).astype(str), dtype=object)[
            :, None
        ]

    def sources(self) -> list[str]:
        """Return the name of the one column."""
        return [self.column or "(all)"]
