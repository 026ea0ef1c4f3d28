"""How a gap develops: slices against the other rows, by the month in which the items ended."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.bias.config import BiasConfig
from ml.bias.estimates.cells import Floats
from ml.bias.estimates.comparison import compare_rows
from ml.bias.slices.membership import Membership


def ended_at(event_at: pd.Series, hours: NDArray[np.float64]) -> pd.Series:
    """Time at which each item ended: its observation time and the hours that it then took."""
    return pd.to_datetime(event_at).reset_index(drop=True) + pd.to_timedelta(pd.Series(hours), unit="h")


def gap_over_time(
    membership: Membership,
    shown: NDArray[np.intp],
    error: Floats,
    clusters: NDArray[np.intp],
    ended: pd.Series,
    config: BiasConfig,
) -> pd.DataFrame:
    """Effect of each shown slice against the other rows of the month, with a closed-form interval.

    Every month with a row of the slice is listed; it is assessable when the slice and the other rows each
    have ``min_slice_size`` rows in it, and only then has it an interval.

    Notes
    -----
    Items that are quick are over-represented among those that ended early in a test period, and slow ones
    among those that ended late: compare slices within a month rather than months with each other.
    """
    months = ended.to_numpy().astype("datetime64[M]")
    names, shown_rows = [str(s) for s in shown], membership.matrix[shown]
    parts = []
    for month in np.unique(months):
        rows = np.flatnonzero(months == month)
        matrix = shown_rows[:, rows].tocsr()
        compared = compare_rows(Membership.of_masks(names, matrix), error[rows], clusters[rows])
        n = np.diff(matrix.indptr)
        assessable = (
            (n >= config.min_slice_size)
            & (len(rows) - n >= config.min_slice_size)
            & ~np.isnan(compared.p_value)
        )
        low, high = compared.ratio_interval(config.confidence)
        columns = {
            "dimension": membership.dimension[shown],
            "slice": membership.slice[shown],
            "month": np.full(len(n), str(month), dtype=object),
            "n": n,
            "n_rest": len(rows) - n,
            "mae_log": compared.inside,
            "rest_mae_log": compared.outside,
            "effect": np.expm1(compared.difference),
            "ci_low": np.where(assessable, low, np.nan),
            "ci_high": np.where(assessable, high, np.nan),
            "assessable": assessable,
        }
        parts.append({name: values[n > 0] for name, values in columns.items()})
    if not parts:
        return pd.DataFrame()
    table = pd.DataFrame({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})
    return table.sort_values(["dimension", "slice", "month"], kind="stable", ignore_index=True)
