"""What notebooks and quick trials take: a training set that gives arrays for scikit-learn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import PredefinedSplit

from ml.data import dataset
from ml.data.parts.splits import split_by_time
from ml.encoding.matrix import PreprocessingConfig, new_encoder


class Dataset(dataset.Dataset):
    """A training set, see `ml.data.dataset.Dataset`, that encodes itself: data cannot know of encoders."""

    def as_sklearn_cv_split(
        self, subset_size: int | None = None, seed: int = 0
    ) -> tuple[NDArray[np.float32], NDArray[np.float64], PredefinedSplit]:
        """Return encoded features, hours and the time split of the known training and validation rows.

        Parameters
        ----------
        subset_size : int or None
            Keep about this many rows, drawn from training and validation in their proportion.
        seed : int
            Seed of the draw and of the encoder.

        Returns
        -------
        x : ndarray of float32, shape (n, d)
        y : ndarray of float64, shape (n,)
            Hours.
        cv_split : PredefinedSplit
            One fold: fitted on training rows, scored on validation rows.

        Raises
        ------
        ValueError
            When ``subset_size`` is too small for a row of each part.
        """
        split = split_by_time(self)
        chosen = np.flatnonzero(split.known & split.rows("train", "validation"))
        if subset_size is not None:
            if subset_size < 2:
                raise ValueError(f"subset_size must be at least 2, one row for each part, not {subset_size}.")
            rng = np.random.default_rng(seed)
            is_train = split.part[chosen] == "train"
            share = min(1.0, subset_size / len(chosen))
            drawn = []
            for members in (chosen[is_train], chosen[~is_train]):
                drawn.append(rng.choice(members, size=max(1, round(share * len(members))), replace=False))
            chosen = np.sort(np.concatenate(drawn))
        is_train = split.part[chosen] == "train"
        encoder = new_encoder(self, config=PreprocessingConfig(seed=seed))
        frame = self.items.iloc[chosen]
        encoder.fit(frame[is_train])
        x = np.asarray(encoder.transform(frame), dtype=np.float32)
        return x, split.outcomes(self).hours[chosen], PredefinedSplit(np.where(is_train, -1, 0))
