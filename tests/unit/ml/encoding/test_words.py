"""The counts of words are the library's, however often and in which company a text was read before."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import HashingVectorizer

from ml.encoding import words
from ml.encoding.words import word_counts

TEXTS = ["crash on start", "", "crash on start", "No crash \udc80 at all", "start start", "on a crash", "é"]


@pytest.mark.parametrize("most", [20_000_000, 5])
def test_counts_are_those_of_the_library(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "_MOST", most)
    rng, buckets = np.random.default_rng(0), 2**10
    hasher = HashingVectorizer(ngram_range=(1, 2), n_features=buckets, alternate_sign=False, norm=None)
    for _ in range(5):
        texts = [TEXTS[k] + " again" * rng.integers(2) for k in rng.integers(len(TEXTS), size=6)]
        found, expected = word_counts(texts, buckets), hasher.transform(texts)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found.toarray(), expected.toarray())
        np.testing.assert_array_equal(found.indices, expected.indices)
    assert word_counts([], buckets).shape == (0, buckets)
