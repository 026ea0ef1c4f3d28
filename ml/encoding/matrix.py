"""The encoded matrix of a dataset: one dense float32 array, made once and shared by all models."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.data.dataset import Dataset
from ml.data.parts.splits import Split
from ml.encoding.encoders import (
    CategoryEncoder,
    FloatMatrix,
    GroupSelector,
    ItemEncoder,
    NumberEncoder,
    TextEncoder,
)
from ml.encoding.text_score import chained_scores
from ml.encoding.tree import tree_encoder
from ml.store.cache import find_entry, keep_entry
from ml.store.files import npy_bytes, sha256_of
from ml.store.key import key_of
from ml.store.trusted import dump_trusted, load_trusted

Inputs = Literal["features", "gaps", "group"]
# The files of what is kept.
ENCODER, MATRIX = "encoder.skops", "matrix.npy"


@dataclass(frozen=True)
class PreprocessingConfig:
    """Sizes of the encoders.

    Parameters
    ----------
    min_level_rows : int
        Categories with fewer training rows become "(other)".
    max_levels : int
        At most this many levels of a category are kept, the most frequent ones.
    text_characters : int
        Only the beginning of a text is read.
    text_buckets : int
        Hash buckets of word 1-2 grams.
    text_components : int
        Components of the truncated SVD per text column.
    seed : int
        Seed of the SVD.
    text_score : bool
        Add what the words say of the items' ends, for labels that are durations.
    """

    min_level_rows: int = 10
    max_levels: int = 60
    text_characters: int = 2000
    text_buckets: int = 2**15
    text_components: int = 64
    seed: int = 0
    text_score: bool = False


def new_encoder(
    dataset: Dataset, inputs: Inputs = "features", config: PreprocessingConfig | None = None
) -> Any:
    """Return the unfitted encoder of a dataset's items; only names and dtypes of its features are read.

    Parameters
    ----------
    dataset : Dataset
    inputs : {"features", "gaps", "group"}
        Everything with gaps filled, everything with gaps left to boosted trees, or only the group of
        ``weight_by``.
    config : PreprocessingConfig or None
    """
    chosen = config or PreprocessingConfig()
    if inputs == "group":
        return GroupSelector(dataset.config.weight_by)
    if inputs == "gaps":
        return tree_encoder(dataset, chosen.min_level_rows, chosen.seed)
    kinds = dataset.kinds()
    named = {k: [name for name in kinds if kinds[name] == k] for k in ("number", "category", "text")}
    encoders: list[Any] = []
    if named["number"]:
        encoders.append(NumberEncoder(named["number"]))
    if named["category"]:
        encoders.append(CategoryEncoder(named["category"], chosen.min_level_rows, chosen.max_levels))
    if named["text"]:
        encoders.append(
            TextEncoder(
                named["text"],
                chosen.text_characters,
                chosen.text_buckets,
                chosen.text_components,
                chosen.seed,
            )
        )
    return ItemEncoder(encoders)


@dataclass(frozen=True, eq=False)
class Prepared:
    """A fitted encoder and the matrix of all rows, shape (n, d), float32 (memory-mapped when cached)."""

    encoder: Any
    matrix: FloatMatrix


def prepare(
    dataset: Dataset, split: Split, config: PreprocessingConfig | None = None, cache_dir: Path | None = None
) -> Prepared:
    """Fit the encoder on training rows and encode all rows, once per snapshot, split and configuration.

    Parameters
    ----------
    dataset, split, config
        What to encode; the training part of ``split`` is what the encoder sees.
    cache_dir : Path or None
        Folder for the result; the newest one replaces earlier ones.
    """
    config = config or PreprocessingConfig()
    key = _cache_key(dataset, split, config)
    if cache_dir is not None and (kept := _kept(cache_dir, key)) is not None:
        return kept
    encoder = new_encoder(dataset, "features", config)
    matrix = fit_and_encode(encoder, dataset.items, split.rows("train"))
    encoder, matrix = with_text_score(dataset, split, config, encoder, matrix)
    if cache_dir is not None:
        keep_entry(cache_dir, key, {ENCODER: dump_trusted(encoder), MATRIX: npy_bytes(matrix)})
    return Prepared(encoder, matrix)


def _kept(cache_dir: Path, key: str) -> Prepared | None:
    entry = find_entry(cache_dir, key)
    if entry is None:
        return None
    try:
        encoder = load_trusted((entry / ENCODER).read_bytes(), str(entry / ENCODER))
        return Prepared(encoder, np.load(entry / MATRIX, mmap_mode="r", allow_pickle=False))
    except FileNotFoundError:  # another process has just put its own in this place
        return None


def with_text_score(
    dataset: Dataset, split: Split, config: PreprocessingConfig, encoder: Any, matrix: FloatMatrix
) -> tuple[Any, FloatMatrix]:
    """Return an encoder and what it made of all rows with the text score behind them, where it is wanted."""
    texts = [name for name, kind in dataset.kinds().items() if kind == "text"]
    if not (config.text_score and texts):
        return encoder, matrix
    words = TextEncoder(texts, config.text_characters, config.text_buckets)
    score, scores = chained_scores(dataset, split, words)
    return ItemEncoder([*encoder.encoders, score]), np.hstack([matrix, scores])


def encode(
    dataset: Dataset,
    split: Split,
    inputs: Inputs,
    config: PreprocessingConfig | None = None,
    cache_dir: Path | None = None,
) -> tuple[Any, NDArray[Any]]:
    """Return the encoder that a family's inputs need, fitted on training rows, and all rows encoded by it."""
    if inputs == "features":
        prepared = prepare(dataset, split, config, cache_dir)
        return prepared.encoder, np.asarray(prepared.matrix)
    encoder = new_encoder(dataset, inputs, config)
    return encoder, fit_and_encode(encoder, dataset.items, split.rows("train"))


def fit_and_encode(
    encoder: Any,
    items: pd.DataFrame,
    learners: NDArray[np.bool_],
    wanted: NDArray[np.bool_] | None = None,
) -> NDArray[Any]:
    """Fit the encoder on ``learners`` and return the rows encoded, shape (n, d).

    All of them, or those that are ``wanted``: the features of the others are NaN then. The learners are
    encoded as they are learned from: counting the words of a text takes most of the time.
    """
    learned = encoder.fit_transform(items[learners])
    x = np.full((len(items), learned.shape[1]), np.nan, dtype=learned.dtype)
    x[learners] = learned
    others = ~learners if wanted is None else wanted & ~learners
    if others.any():
        x[others] = encoder.transform(items[others])
    return x


def _cache_key(dataset: Dataset, split: Split, config: PreprocessingConfig) -> str:
    learners = sha256_of(np.ascontiguousarray(split.rows("train")).tobytes())
    return key_of(data=dataset.snapshot_id, learners=learners, settings=asdict(config))
