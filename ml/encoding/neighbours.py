"""The most similar earlier texts of the same group: BM25 over words and the character n-grams in them.

Nothing later than a text has a part in its neighbours or their scores, not even in how rare a word is.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer

Times = NDArray[np.datetime64]
Integers = NDArray[np.int64]
Values = NDArray[np.float32]


@dataclass(frozen=True)
class SimilarityConfig:
    """What counts as similar; the defaults are the best on the earlier duplicates of a public corpus.

    Parameters
    ----------
    characters : int
        So much of a text is read: what its beginning says is what it is about.
    head_weight : int
        How often a word of the headline counts.
    gram : int
        Length of the character n-grams, which find words in other forms.
    saturation, length_share : float
        BM25's k1 and b (Robertson and Zaragoza 2009).
    common_share : float
        A word that more than this share of the earlier texts has is not asked for: it costs most and says
        least.
    recency, recency_days : float
        A text of today counts `1 + recency` times as much as one of long ago; the bonus fades by `exp(-1)` in
        so many days.
    block : int
        Texts that are asked about at once. A word is as rare as it was before the first of them.
    """

    characters: int = 1500
    head_weight: int = 7
    gram: int = 4
    saturation: float = 2.0
    length_share: float = 0.75
    common_share: float = 0.25
    recency: float = 0.4
    recency_days: float = 30.0
    block: int = 512


def earlier_neighbours(
    heads: pd.Series,
    bodies: pd.Series,
    groups: pd.Series,
    times: pd.Series,
    most: int = 5,
    asked: NDArray[np.bool_] | None = None,
    config: SimilarityConfig | None = None,
) -> pd.DataFrame:
    """Find for every text the most similar ones of its group that are strictly earlier.

    Parameters
    ----------
    heads, bodies : Series of str, shape (n,)
        Headline and text of every row; what is missing is empty.
    groups : Series, shape (n,)
        Only rows of the same group are compared; a row without a group has no neighbours.
    times : Series of datetime64, shape (n,)
    most : int
        Neighbours per row.
    asked : ndarray of bool, shape (n,), or None
        Rows whose neighbours are wanted; None for all.
    config : SimilarityConfig or None

    Returns
    -------
    DataFrame
        ``row, other`` (positions), ``score`` (about 1 for the same text, just now; above 0) and ``rank``
        (1 first), in the order of ``row`` and ``rank``; none of a row that shares nothing with earlier ones.

    Raises
    ------
    ValueError
        When a time is missing.
    """
    config = config or SimilarityConfig()
    if times.isna().any():
        raise ValueError(
            f"Row {int(np.argmax(times.isna()))} has no time, so nothing is earlier: give it one."
        )
    at = times.to_numpy("datetime64[us]")
    wanted = np.ones(len(at), dtype=bool) if asked is None else np.asarray(asked, dtype=bool)
    found = [_EMPTY]
    for _, members in groups.groupby(groups).indices.items():
        rows = np.asarray(members, dtype=np.int64)
        ordered = rows[np.argsort(at[rows], kind="stable")]
        if not wanted[ordered].any():
            continue
        documents = _Documents(heads.iloc[ordered], bodies.iloc[ordered], at[ordered], config)
        table = documents.neighbours(wanted[ordered], most)
        found.append(table.assign(row=ordered[table["row"]], other=ordered[table["other"]]))
    return pd.concat(found, ignore_index=True).sort_values(["row", "rank"], ignore_index=True)


_EMPTY = pd.DataFrame(
    {
        "row": np.empty(0, np.int64),
        "other": np.empty(0, np.int64),
        "score": np.empty(0, np.float32),
        "rank": np.empty(0, np.int64),
    }
)


class _Documents:
    """The texts of one group in the order of time, as BM25 weighs them."""

    def __init__(self, heads: pd.Series, bodies: pd.Series, times: Times, config: SimilarityConfig) -> None:
        self.config, self.times = config, times
        self.days = ((times - times[0]) / np.timedelta64(1, "D")).astype(np.float32)
        self.counts = _counts(heads, bodies, config)
        length = np.asarray(self.counts.sum(axis=1)).ravel()
        # Against the mean length of what there was by then, which no later text can change.
        usual = np.cumsum(length) / np.arange(1, len(length) + 1)
        k1, b = config.saturation, config.length_share
        penalty = (k1 * (1 - b + b * length / np.maximum(usual, 1.0))).astype(np.float32)
        self.weights = self.counts.copy()
        self.weights.data = self.counts.data * np.float32(k1 + 1)
        self.weights.data /= self.counts.data + np.repeat(penalty, np.diff(self.counts.indptr))
        # What only one text has is found in no other: without it the products are several times smaller.
        self.shared = np.bincount(self.counts.indices, minlength=self.counts.shape[1]) > 1

    def neighbours(self, wanted: NDArray[np.bool_], most: int) -> pd.DataFrame:
        """Return the best earlier documents of those that are wanted; positions in the order of time."""
        postings: list[sparse.csr_matrix] = []
        frequency = np.zeros(self.counts.shape[1], dtype=np.int64)
        tables = [_EMPTY]
        # Sparse products leave the interpreter's lock: threads share them without a copy of anything.
        with ThreadPoolExecutor() as threads:
            for start, stop in _blocks(len(self.times), self.config.block):
                postings.append(self.weights[start:stop][:, self.shared].T.tocsr())
                rows = np.flatnonzero(wanted[start:stop]) + start
                if len(rows):
                    queries = self._queries(rows, frequency, start)
                    own = np.asarray(queries.multiply(self.weights[rows]).sum(axis=1), dtype=np.float32)
                    asked = queries[:, self.shared]
                    scores = np.hstack(list(threads.map(partial(_dense_product, asked), postings)))
                    scores /= np.maximum(own.reshape(-1, 1), 1e-9)
                    tables.append(self._best(rows, scores, most))
                frequency += np.bincount(self.counts[start:stop].indices, minlength=len(frequency))
        return pd.concat(tables, ignore_index=True)

    def _queries(self, rows: Integers, frequency: Integers, known: int) -> sparse.csr_matrix:
        """Return the counts of the rows times the rarity of their words among the `known` first documents."""
        queries = self.counts[rows]
        seen = frequency[queries.indices]
        rarity = np.log1p((known - seen + 0.5) / (seen + 0.5)).astype(np.float32)
        rarity[seen > max(1.0, self.config.common_share * known)] = 0.0
        queries.data = queries.data * rarity
        queries.eliminate_zeros()
        return queries

    def _best(self, rows: Integers, scores: Values, most: int) -> pd.DataFrame:
        """Return the best of every row's scores, of which only those of strictly earlier documents count."""
        earlier = np.searchsorted(self.times, self.times[rows])
        late = int(earlier[0])
        scores[:, late:][np.arange(late, scores.shape[1]) >= earlier[:, None]] = 0.0
        fading = np.subtract.outer(self.days[rows], self.days[: scores.shape[1]])
        fading /= -np.float32(self.config.recency_days)
        np.minimum(fading, 0.0, out=fading)
        np.exp(fading, out=fading)
        fading *= np.float32(self.config.recency)
        fading += 1.0
        scores *= fading
        scores /= np.float32(1.0 + self.config.recency)
        kept = min(most, scores.shape[1])
        chosen = np.argpartition(scores, scores.shape[1] - kept, axis=1)[:, -kept:]
        # Of equal scores the newest first.
        chosen = np.sort(chosen, axis=1)[:, ::-1]
        of_chosen = np.take_along_axis(scores, chosen, axis=1)
        order = np.argsort(-of_chosen, axis=1, kind="stable")
        table = pd.DataFrame(
            {
                "row": np.repeat(rows, kept),
                "other": np.take_along_axis(chosen, order, axis=1).ravel(),
                "score": np.take_along_axis(of_chosen, order, axis=1).ravel(),
                "rank": np.tile(np.arange(1, kept + 1), len(rows)),
            }
        )
        return table[table["score"] > 0]


def _dense_product(left: sparse.csr_matrix, right: sparse.csr_matrix) -> Values:
    product: Values = (left @ right).toarray()
    return product


def _blocks(n: int, most: int) -> Iterator[tuple[int, int]]:
    """Split n rows into blocks that at most double what came before, so that early ones know something."""
    start = 0
    while start < n:
        stop = min(n, start + most, max(16, 2 * start))
        yield start, stop
        start = stop


def _counts(heads: pd.Series, bodies: pd.Series, config: SimilarityConfig) -> sparse.csr_matrix:
    """Count words and, side by side, the character n-grams within them; shape (n, words + buckets in use)."""
    texts = [column.fillna("").astype(str).str.slice(0, config.characters) for column in (heads, bodies)]
    counter = CountVectorizer(token_pattern=r"(?u)\b\w+\b", dtype=np.float32)
    try:
        both = counter.fit_transform(pd.concat(texts))
    except ValueError:  # not a word in any text
        return sparse.csr_matrix((len(heads), 1), dtype=np.float32)
    words = (both[: len(heads)] * config.head_weight + both[len(heads) :]).tocsr()
    # A text's n-grams are those of its words: counting them once per word of the vocabulary instead of once
    # per occurrence is ten times faster.
    grams = HashingVectorizer(
        analyzer="char", ngram_range=(config.gram, config.gram), n_features=2**20,
        alternate_sign=False, norm=None, dtype=np.float32,
    ).transform(f" {word} " for word in counter.get_feature_names_out())  # fmt: skip
    counts = sparse.hstack([words, words @ grams], format="csr", dtype=np.float32)
    # Of the buckets only those that something is in: what is done per block is done for each of them.
    used = np.bincount(counts.indices, minlength=counts.shape[1]) > 0
    columns = (np.cumsum(used) - 1)[counts.indices]
    return sparse.csr_matrix((counts.data, columns, counts.indptr), shape=(len(heads), used.sum()))
