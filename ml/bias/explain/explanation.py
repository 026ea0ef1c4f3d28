"""Why is there a gap? Composition, intersections and time, for models already measured by the engine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.bias.config import BiasConfig
from ml.bias.estimates.errors import RowErrors
from ml.bias.explain.composition import adjusted_difference, composition_line, strata_of
from ml.bias.explain.intersections import find_intersections
from ml.bias.explain.over_time import ended_at, gap_over_time
from ml.bias.metrics.hours import HOURS
from ml.bias.slices.inputs import checked_predictions, locate, parts, with_clusters
from ml.bias.slices.membership import Dimension, Membership, build_membership, encode_dimensions
from ml.bias.slices.names import joined
from ml.bias.tables import names
from ml.stats.bootstrap import hashed_half


def explain_bias(
    predictions: pd.DataFrame,
    slices: pd.DataFrame,
    slice_metrics: pd.DataFrame,
    config: BiasConfig | None = None,
    *,
    split: str = "test",
) -> dict[str, pd.DataFrame]:
    """Explain the gaps of every model in one split.

    Parameters
    ----------
    predictions, slices, config
        As given to `ml.bias.measure_bias`. Without ``event_at`` there is nothing over time, without
        ``config.mix_slices`` no composition.
    slice_metrics : DataFrame
        What `measure_bias` made of them: says which slices are assessable and flagged.
    split : str, default "test"

    Returns
    -------
    dict of str to DataFrame
        The tables ``bias.composition``, ``bias.intersections`` and ``bias.over_time``; the caller adds
        ``run_id`` and ``domain``.

    Raises
    ------
    ValueError
        If ``predictions`` has no row of this split.
    """
    config = config or BiasConfig()
    predictions = checked_predictions(predictions, config.model)
    chosen = predictions["split"] == split
    if not chosen.any():
        raise ValueError(f"split {split!r} is not in predictions; it has {sorted(set(predictions['split']))}")
    predictions = predictions[chosen].reset_index(drop=True)
    position = locate(predictions, slices)
    predictions = with_clusters(predictions, slices, position)
    dimensions = encode_dimensions(slices)
    tables: dict[str, list[pd.DataFrame]] = {"composition": [], "intersections": [], "over_time": []}
    for model, _, rows in parts(predictions):
        measured = slice_metrics[(slice_metrics["model"] == model) & (slice_metrics["split"] == split)]
        keys = {"task": HOURS.name, "model": model, "split": split}
        part = _Part.of(predictions.iloc[rows], dimensions, position[rows], measured, config)
        for name, table in part.explained(config).items():
            tables[name].append(table.assign(**keys).reindex(columns=names(name)))
    return {name: _concat(frames) for name, frames in tables.items()}


@dataclass(frozen=True)
class _Part:
    """One model's rows with a known outcome, and what the engine said of their slices."""

    rows: pd.DataFrame
    position: NDArray[np.intp]
    dimensions: list[Dimension]
    membership: Membership
    errors: RowErrors
    clusters: NDArray[np.intp]
    assessable: NDArray[np.bool_]
    flagged: NDArray[np.bool_]
    effect: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        part: pd.DataFrame,
        dimensions: list[Dimension],
        position: NDArray[np.intp],
        measured: pd.DataFrame,
        config: BiasConfig,
    ) -> _Part:
        known = part["y_true"].notna().to_numpy()
        rows = part[known]
        membership = build_membership(dimensions, position, known, config.min_slice_size)
        errors = RowErrors.of(rows["y_true"].to_numpy(dtype=float), rows["y_pred"].to_numpy(dtype=float))
        index = pd.MultiIndex.from_arrays([membership.dimension, membership.slice])
        said = measured.set_index(["dimension", "slice"])[["assessable", "flagged", "effect"]].reindex(index)
        return cls(
            rows=rows,
            position=position[known],
            dimensions=dimensions,
            membership=membership,
            errors=errors,
            clusters=pd.factorize(rows["group_id"], use_na_sentinel=False)[0],
            assessable=said["assessable"].eq(True).to_numpy(dtype=bool),  # null is not true
            flagged=said["flagged"].eq(True).to_numpy(dtype=bool),
            effect=said["effect"].to_numpy(dtype=float),
        )

    def explained(self, config: BiasConfig) -> dict[str, pd.DataFrame]:
        return {
            "composition": self._composition(config),
            "intersections": self._intersections(config),
            "over_time": self._over_time(config),
        }

    def _composition(self, config: BiasConfig) -> pd.DataFrame:
        absolute, lines = self.errors.size, []
        strata = {
            dimension.name: strata_of(self.dimensions, self.position, dimension.name, config.mix)
            for dimension in self.dimensions
        }
        for s in np.flatnonzero(self.assessable):
            name = str(self.membership.dimension[s])
            held = strata[name]
            if held is None:
                continue
            inside = np.zeros(len(absolute), dtype=bool)
            inside[self.membership.matrix[[s]].indices] = True
            adjusted = adjusted_difference(absolute, inside, held, self.clusters)
            line = composition_line(
                adjusted, float(self.effect[s]), bool(self.flagged[s]), config.threshold, config.confidence
            )
            keys = {"dimension": name, "slice": self.membership.slice[s], "n": int(inside.sum())}
            lines.append({**keys, **line, "held_equal": joined((m for m in config.mix if m != name), ", ")})
        return pd.DataFrame(lines)

    def _intersections(self, config: BiasConfig) -> pd.DataFrame:
        search_half = hashed_half(self.rows["group_id"], config.seed)
        if not self.assessable.any() or search_half.all() or not search_half.any():
            return pd.DataFrame()
        return find_intersections(
            self.membership, self.assessable, self.errors.size, self.clusters, search_half, config
        )

    def _over_time(self, config: BiasConfig) -> pd.DataFrame:
        """The flagged slices, and of each dimension the assessable slice furthest above the others."""
        if "event_at" not in self.rows or not self.assessable.any():
            return pd.DataFrame()
        candidates = np.flatnonzero(self.assessable)
        effects = pd.Series(self.effect[candidates], index=candidates)
        worst = effects.groupby(self.membership.dimension[candidates]).idxmax()
        shown = np.union1d(np.flatnonzero(self.flagged), worst.to_numpy(dtype=np.intp))
        ended = ended_at(self.rows["event_at"], self.errors.y)
        return gap_over_time(self.membership, shown, self.errors.size, self.clusters, ended, config)


def _concat(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Join tables, of which some may be empty, without losing the columns or the types of the others."""
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else frames[0]
