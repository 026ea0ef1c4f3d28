"""What a notebook gets from a folder of the contract in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ml.notebook import Dataset
from tests.unit.ml import synthetic


def test_arrays_for_scikit_learn(tmp_path: Path) -> None:
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import cross_val_score

    items, labels = synthetic.frames(400)
    settings = '{"timeline": "slice_depot"}'
    dataset = Dataset.from_dir(synthetic.write(tmp_path, items, labels, settings))
    x, y, cv_split = dataset.as_sklearn_cv_split(subset_size=20)
    assert x.shape[0] == len(y) == 20
    assert np.isfinite(x).all() and (y >= 0).all()
    again, _, _ = dataset.as_sklearn_cv_split(subset_size=20)
    np.testing.assert_array_equal(x, again)
    x, y, cv_split = dataset.as_sklearn_cv_split()
    assert cv_split.get_n_splits() == 1
    ((train, validation),) = cv_split.split()
    assert len(train) > len(validation) > 0
    assert cross_val_score(Ridge(), x, np.log1p(y), cv=cv_split, scoring="r2")[0] > 0.2
    with pytest.raises(ValueError, match="at least 2"):
        dataset.as_sklearn_cv_split(subset_size=1)
