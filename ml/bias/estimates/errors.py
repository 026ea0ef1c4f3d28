"""Errors in hours, row by row: what every figure of a model for hours is made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ml.bias.estimates.cells import Floats
from ml.bias.slices.inputs import prediction_interval


@dataclass(frozen=True)
class RowErrors:
    """Errors of each row with a known outcome; hours, sign = predicted - true.

    A positive error promises too late an end, a negative one too early an end. ``covered`` (1 when the
    outcome lies between p10 and p90) is None when the predictions have no interval.
    """

    y: Floats
    error: Floats
    log_y: Floats
    log_error: Floats
    covered: Floats | None

    @classmethod
    def of(
        cls, y_true: Floats, y_pred: Floats, p10: Floats | None = None, p90: Floats | None = None
    ) -> RowErrors:
        """Errors in hours and in log(1 + hours); a negative prediction counts as zero in the log."""
        log_y = np.log1p(y_true)
        covered = None
        if p10 is not None and p90 is not None:
            covered = ((p10 <= y_true) & (y_true <= p90)).astype(float)
        return cls(y_true, y_pred - y_true, log_y, np.log1p(np.maximum(y_pred, 0)) - log_y, covered)

    @classmethod
    def of_rows(cls, rows: pd.DataFrame) -> RowErrors:
        """Errors of predictions whose outcomes are known."""
        truth, predicted = (rows[name].to_numpy(dtype=float) for name in ("y_true", "y_pred"))
        return cls.of(truth, predicted, *prediction_interval(rows))

    @property
    def size(self) -> Floats:
        """Absolute error of log(1 + hours)."""
        return np.abs(self.log_error)
