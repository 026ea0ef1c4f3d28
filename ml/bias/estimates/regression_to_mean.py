"""What slices made from the outcome look like even for a fair model: regression to the mean.

Items that took long are, for any imperfect model, on average predicted too short, and quick ones too long.
A slice by completion time shows that before it shows anything about the model.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from ml.bias.estimates.cells import Floats
from ml.bias.estimates.errors import RowErrors


def regression_to_the_mean(errors: RowErrors) -> tuple[Floats, Floats]:
    """Expected signed and absolute log error of each row, given only its outcome.

    Returns
    -------
    (signed, absolute) : arrays of shape (rows,)
        Of a model whose log prediction is the same straight line in the log outcome, with the same normal
        scatter, for every row: its mean, and the mean of the folded normal (Leone, Nelson & Nottingham 1961).
    """
    log_y = errors.log_y
    centred = log_y - log_y.mean()
    spread = float(centred @ centred)
    # The slope of the error is the slope of the prediction minus one.
    slope = float(centred @ errors.log_error) / spread if spread > 0 else 0.0
    signed = errors.log_error.mean() + slope * centred
    scatter = float(np.std(errors.log_error - signed))
    if scatter == 0:
        return signed, np.abs(signed)
    z = signed / scatter
    absolute = scatter * math.sqrt(2 / math.pi) * np.exp(-(z**2) / 2) + signed * (1 - 2 * special.ndtr(-z))
    return signed, absolute
