"""The words of texts: counted once per process, since many tasks read the same texts."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import HashingVectorizer

# Counts that are kept, about 160 MB; where texts have more words, nothing is kept.
_MOST = 20_000_000
# By number of buckets: the row of every text that was read, and the rows.
_KEPT: dict[int, tuple[dict[bytes, int], sparse.csr_matrix]] = {}


def word_counts(texts: Sequence[str], buckets: int) -> sparse.csr_matrix:
    """Return how often each hashed word and pair of words is in every text, shape (n, buckets)."""
    rows, counts = _KEPT.get(buckets) or ({}, sparse.csr_matrix((0, buckets), dtype=np.float32))
    names = [blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest() for text in texts]
    new = {name: text for name, text in zip(names, texts, strict=True) if name not in rows}
    if new:
        hasher = HashingVectorizer(
            ngram_range=(1, 2), n_features=buckets, alternate_sign=False, norm=None, dtype=np.float32
        )
        rows = rows | {name: len(rows) + number for number, name in enumerate(new)}
        counts = sparse.vstack([counts, hasher.transform(list(new.values()))], format="csr")
        if counts.nnz <= _MOST:
            _KEPT[buckets] = rows, counts
        else:
            _KEPT.pop(buckets, None)
    return counts[[rows[name] for name in names]].astype(np.float64)
