"""The training set that the harness reads: items, labels and the domain's settings, checked on entry.

Nothing here splits, encodes or trains.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.data.content import content_id
from ml.data.contract import KEY_COLUMNS, Kind, check_frames, check_leaks, check_values, kind_of


@dataclass(frozen=True)
class DomainConfig:
    """Settings of one domain, as in ``domain.json``.

    Parameters
    ----------
    name : str
        Name of the domain, copied into every result.
    timeline : str or None
        Column whose groups are split each on their own timeline; None for one common timeline.
    weight_by : str or None
        Column whose groups get the same total sample weight, and whose medians are the baseline.
    horizons_days : tuple of float
        Horizons H, in days, of the labels "ended within H".
    outcome_slices : tuple of str
        Slice columns made from the label itself.
    mix_slices : tuple of str
        Slice columns whose mix is held equal when a gap is split into model and mix.
    mitigated_slices : tuple of str or None
        Slice columns that mitigation may act on, preferred ones first: known when a prediction is made.
        None for all that are not made from the label.
    note : str
        What every reader of a result must know of the data, such as that they are synthetic.
    baselines : mapping of str to tuple of str
        What scorers and rankers are compared with, by name: number columns to order by, the first one first,
        larger values first, or smaller ones where the name has a ``-`` before it.
    groups_are_questions : bool
        Every group has an answer, one or more positive rows: a group without one among its rows counts as
        missed, and rows of different groups are not compared.
    block_days : float or None
        Groups of one timeline that begin within the same so many days are drawn together when intervals are
        made; None: each group by itself.
    """

    name: str = "items"
    timeline: str | None = None
    weight_by: str | None = None
    horizons_days: tuple[float, ...] = (1, 7, 30, 90, 365)
    outcome_slices: tuple[str, ...] = ()
    mix_slices: tuple[str, ...] = ()
    mitigated_slices: tuple[str, ...] | None = None
    note: str = ""
    baselines: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    groups_are_questions: bool = False
    block_days: float | None = None

    @classmethod
    def from_mapping(cls, mapping: dict[str, Any]) -> DomainConfig:
        """Read the settings from parsed JSON; unknown names raise ValueError."""
        if not isinstance(mapping, dict):
            raise ValueError("domain.json must hold one JSON object: correct it.")
        # Content is what counts: an identity that a file claims for itself is not even read.
        mapping = {name: value for name, value in mapping.items() if name != "snapshot_id"}
        unknown = sorted(set(mapping) - {f.name for f in fields(cls)})
        if unknown:
            raise ValueError(f"domain.json has the unknown settings {unknown}: remove or rename them.")
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in mapping.items()}
        baselines = values.get("baselines", {})
        if not isinstance(baselines, dict):
            raise ValueError('baselines must name lists of columns, such as {"rules": ["severity"]}.')
        values["baselines"] = {name: tuple(columns) for name, columns in baselines.items()}
        horizons = values.get("horizons_days", cls.horizons_days)
        if not horizons or any(not isinstance(h, int | float) or h <= 0 for h in horizons):
            raise ValueError(f"horizons_days must be positive numbers of days, not {list(horizons)}.")
        return cls(**values)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Items at their observation times, with one label per item.

    Rows are brought into one canonical order (item_id, event_at), so that the order of the input never
    changes a result.

    Parameters
    ----------
    items : DataFrame
        One row per item and observation time: ``item_id, event_at`` (UTC without zone), ``entity_id,
        group_id``, features, and ``slice_*`` columns, which are never features.
    labels : DataFrame
        One row per item: ``item_id, y`` (hours, null when censored), ``is_censored, observed_until,
        relevance, weight, labelled_at``.
    config : DomainConfig

    Raises
    ------
    ValueError
        In one sentence, when the frames break the contract or a label is among the features.
    """

    items: pd.DataFrame
    labels: pd.DataFrame
    config: DomainConfig = field(default_factory=DomainConfig)

    def __post_init__(self) -> None:
        check_frames(self.items, self.labels)
        items, labels = (frame.reset_index(drop=True) for frame in (self.items, self.labels))
        items = items.sort_values(["item_id", "event_at"], kind="stable", ignore_index=True)
        labels = labels.sort_values("item_id", kind="stable", ignore_index=True)
        for frame, times in ((items, ["event_at"]), (labels, ["observed_until", "labelled_at"])):
            for column in times:
                frame[column] = frame[column].astype("datetime64[us]")
        labels["y"] = labels["y"].astype(float)
        labels["is_censored"] = labels["is_censored"].astype(bool)
        object.__setattr__(self, "items", items)
        object.__setattr__(self, "labels", labels)
        check_values(items, labels)
        ordered = [name.removeprefix("-") for names in self.config.baselines.values() for name in names]
        for name in (self.config.timeline, self.config.weight_by, *ordered):
            if name is not None and name not in items:
                raise ValueError(f"The settings name the column {name!r}, which the items do not have.")
        if not self.features:
            raise ValueError("The items have no feature column: add at least one beside keys and slices.")
        check_leaks(self)

    @classmethod
    def from_dir(cls, directory: str | Path) -> Self:
        """Read ``train.parquet``, ``label.parquet`` and, when present, ``domain.json`` of a folder."""
        return cls(*_read(Path(directory)))

    @cached_property
    def snapshot_id(self) -> str:
        """The hash of the content: of the items, the labels and all settings of the domain."""
        return content_id(self.items, self.labels, asdict(self.config))

    @property
    def features(self) -> list[str]:
        """Names of the feature columns, in the order of the frame."""
        return [c for c in self.items.columns if c not in KEY_COLUMNS and not c.startswith("slice_")]

    @property
    def slices(self) -> list[str]:
        """Names of the slice columns."""
        return [c for c in self.items.columns if c.startswith("slice_")]

    def kinds(self) -> dict[str, Kind]:
        """Say for each feature whether it is a number, a category or a text."""
        return {name: kind_of(self.items[name]) for name in self.features}

    def row_labels(self) -> pd.DataFrame:
        """Return the labels aligned to the rows of ``items`` (one row each, same order)."""
        position = pd.Index(self.labels["item_id"]).get_indexer(pd.Index(self.items["item_id"]))
        return self.labels.iloc[position].reset_index(drop=True)

    def first_times(self) -> NDArray[np.datetime64]:
        """Return for every row the first observation time of its item: the item's start."""
        return self.items.groupby("item_id")["event_at"].transform("min").to_numpy("datetime64[us]")

    def groups(self, column: str | None) -> NDArray[np.object_]:
        """Return the group name of every row; one common group when ``column`` is None."""
        return group_names(self.items, column)

    def clusters(self) -> NDArray[np.object_]:
        """Return for every row what is drawn together when intervals are made; see ``block_days``."""
        if self.config.block_days is None:
            return self.groups("group_id")
        start = self.items["event_at"].groupby(self.groups("group_id")).transform("min")
        block = (start - pd.Timestamp(0)) // pd.Timedelta(days=self.config.block_days)
        return self.groups(self.config.timeline) + "|" + block.astype(str).to_numpy(dtype=object)


def group_names(items: pd.DataFrame, column: str | None) -> NDArray[np.object_]:
    """Return the group name of every row of ``items``; one common group when ``column`` is None."""
    if column is None:
        return np.full(len(items), "(all)", dtype=object)
    values = items[column]
    return np.asarray(values.astype(object).where(values.notna(), "(missing)").astype(str), dtype=object)


def snapshot_id_of(directory: str | Path) -> str:
    """Return the identity of the training set in a folder, whether the contract would accept it or not."""
    items, labels, config = _read(Path(directory))
    return content_id(items, labels, asdict(config))


def _read(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame, DomainConfig]:
    paths = [folder / "train.parquet", folder / "label.parquet"]
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise ValueError(f"There is no training set at {', '.join(missing)}: give the folder of both.")
    settings = folder / "domain.json"
    try:
        mapping = json.loads(settings.read_text()) if settings.is_file() else {}
    except ValueError as error:
        raise ValueError(f"{settings} is no JSON ({error}): correct it.") from error
    config = DomainConfig.from_mapping(mapping)
    try:
        items, labels = (pd.read_parquet(path) for path in paths)
    except (OSError, ValueError) as error:
        raise ValueError(f"The training set in {folder} cannot be read: {error}") from error
    return items, labels, config
