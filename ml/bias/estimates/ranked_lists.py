"""Predictions of a ranker, list by list, and which dimension tells lists apart and which rows of a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from ml.bias.estimates.cells import Floats
from ml.bias.estimates.concentration import Work
from ml.bias.estimates.exposure import attention
from ml.bias.slices.membership import Dimension
from ml.stats.rank_metrics import Grouping


@dataclass(frozen=True)
class RankedLists:
    """The rows of one model and split whose grade is known, list by list.

    Attributes
    ----------
    constant : list of Dimension
        Over the lists.
    varying : list of Dimension
        Over the rows.
    """

    rows: pd.DataFrame
    grouping: Grouping
    clusters: NDArray[np.object_]
    constant: list[Dimension]
    varying: list[Dimension]

    @classmethod
    def of(cls, part: pd.DataFrame, position: NDArray[np.intp], dimensions: list[Dimension]) -> RankedLists:
        """The lists of ``part``; ``position`` is that of its rows in the encoded dimensions."""
        # Sums of floating numbers depend on the order of the rows: it must not be the input's.
        part = part.assign(position=position)[part["y_true"].notna()]
        rows = part.sort_values(["list_id", "item_id"], kind="stable", key=lambda names: names.astype(str))
        grouping = Grouping(rows["list_id"])
        member = sparse.csr_array(
            (np.ones(len(rows), dtype=np.int64), (grouping.codes, np.arange(len(rows))))
        )
        constant: list[Dimension] = []
        varying: list[Dimension] = []
        for dimension in dimensions:
            own = dimension.matrix[rows["position"].to_numpy()].astype(np.int64)
            count = (member @ own).tocsr()
            is_constant = (count.data == np.repeat(grouping.sizes, np.diff(count.indptr))).all()
            count.data[:] = 1
            matrix = count if is_constant else own
            (constant if is_constant else varying).append(
                Dimension(dimension.name, dimension.categories, matrix, dimension.overlapping)
            )
        clusters = rows["cluster" if "cluster" in rows else "list_id"].to_numpy(dtype=object)
        return cls(rows, grouping, clusters, constant, varying)

    def column(self, name: str) -> Floats:
        """One column of the rows."""
        return self.rows[name].to_numpy(dtype=float)

    @property
    def relevant(self) -> NDArray[np.bool_]:
        """Whether a list has something relevant, shape (lists,)."""
        return self.grouping.sums((self.column("y_true") > 0).astype(float)) > 0

    def work(self, baselines: Sequence[str]) -> Work:
        """Who is ranked first by the model and by the baselines, and who truly was."""
        orders = {"ranked_first": "score", **{f"first_by_{name}": name for name in baselines}}
        # Rows that come first together share the place: neither their order nor their names decide.
        given = {who: attention(self.grouping, self.column(name), 1) for who, name in orders.items()}
        given["relevant"] = (self.column("y_true") > 0).astype(float)
        entities, _ = pd.factorize(self.rows["entity_id"], use_na_sentinel=False)
        clusters = self.clusters[self.grouping.first_rows]
        return Work(self.grouping.codes, entities, given, clusters, self.constant)
