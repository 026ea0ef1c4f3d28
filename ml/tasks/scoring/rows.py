"""Rows of a scorer or ranker, encoded for a family: with their truths, groups and weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ml.data.dataset import Dataset
from ml.encoding.encoders import ItemEncoder
from ml.encoding.matrix import PreprocessingConfig, fit_and_encode, new_encoder
from ml.models import Rows, ScoringFamily

Mask = NDArray[np.bool_]


def encoded_rows(
    dataset: Dataset,
    target: NDArray[np.float64],
    family: ScoringFamily,
    seed: int,
    fitted_on: Mask,
    wanted: Mask | None = None,
) -> tuple[ItemEncoder, Rows]:
    """Return an encoder that learned from ``fitted_on`` alone, and all rows by it.

    With ``wanted``, the other rows are left empty.
    """
    encoder = new_encoder(dataset, family.inputs, PreprocessingConfig(seed=seed))
    # More threads would add up products in another order: other last digits, other trees.
    with threadpool_limits(1, user_api="blas"):
        x = fit_and_encode(encoder, dataset.items, fitted_on, wanted)
    rows = Rows(
        x=x,
        y=target,
        groups=dataset.groups("group_id"),
        weight=dataset.row_labels()["weight"].fillna(1.0).to_numpy(float),
        names=[str(name) for name in encoder.get_feature_names_out()],
    )
    return encoder, rows
