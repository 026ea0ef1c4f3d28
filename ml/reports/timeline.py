"""A picture of when the items of a training set began, and which part they are in."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ml.data.dataset import Dataset
from ml.data.parts.splits import split_by_groups, split_by_time
from ml.reports.style import COLOURS, png, sheet

_PARTS = ("train", "validation", "test")


def timeline(dataset: Dataset, most: int = 60) -> bytes:
    """Draw from when to when the parts of every timeline reach, as trainings split them by default.

    Parameters
    ----------
    dataset : Dataset
    most : int
        Timelines shown at most, those with the most rows.

    Returns
    -------
    bytes
        A PNG picture.

    Raises
    ------
    TooLittleDataError
        There is too little to split.
    """
    from matplotlib.ticker import MaxNLocator

    line = dataset.config.timeline
    split = split_by_time(dataset) if line else split_by_groups(dataset)
    began = dataset.items["event_at"].to_numpy("datetime64[us]")
    rows = pd.DataFrame(
        {
            "line": dataset.groups(line),
            "part": np.select([split.rows(part) for part in _PARTS], _PARTS, default=""),
            "year": 1970 + (began - np.datetime64(0, "us")) / np.timedelta64(1, "D") / 365.2425,
        }
    )
    sizes = rows["line"].value_counts(sort=True)
    names = list(sizes.index[:most])[::-1]
    reach = rows[rows["line"].isin(names)].groupby(["part", "line"])["year"].agg(["min", "max"])
    figure, (axes,) = sheet(9.0, 1.4 + 0.22 * len(names))
    for part, colour in zip(_PARTS, COLOURS, strict=False):
        if part in reach.index:
            own = reach.loc[part].reindex(names)
            axes.barh(
                np.arange(len(names)), own["max"] - own["min"], left=own["min"], color=colour, label=part
            )
    axes.set_yticks(np.arange(len(names)), [f"{name} ({sizes[name]:,})" for name in names], fontsize=8)
    axes.set(xlabel="year of the observation", title=f"{dataset.config.name}: parts in time")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylim(-0.7, len(names) - 0.3)
    axes.legend(fontsize=8, loc="lower left")
    return png(figure)
