"""The weight that gives groups of different size a like say."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def group_weights(group: NDArray[np.object_], power: float = 1.0) -> NDArray[np.float64]:
    """Return the weight of each row, (N / (groups x size of its group)) to the ``power``.

    Parameters
    ----------
    group : ndarray, shape (n,)
    power : float
        1 gives every group the same total weight, 0 every row; between them the weights are tempered.
    """
    code, _ = pd.factorize(group, use_na_sentinel=False)
    size = np.bincount(code)
    return (len(group) / (len(size) * size[code])) ** power
