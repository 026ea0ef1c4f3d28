"""The training set that the harness reads: items, labels and the domain's settings, checked on entry.

Nothing here splits, encodes or trains.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import InitVar, asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ml.data.columns import Kind, kind_of
from ml.data.content import content_id
from ml.data.contract import KEY_COLUMNS, SLICE, Misfit, conform, conform_items, is_feature
from ml.data.domain import DomainConfig
from ml.data.leaks.copies import refuse_copies, refuse_outcome_names
from ml.store.files import sha256_of_file, write_atomically
from ml.store.key import key_of

ITEMS, LABELS, SETTINGS, SEAL = "train.parquet", "label.parquet", "domain.json", "checked.txt"


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
    known_as : str
        The hash of the content, of rows that were checked when it was made.

    Raises
    ------
    ValueError
        In one sentence, when the frames break the contract or a label is among the features.
    """

    items: pd.DataFrame
    labels: pd.DataFrame
    config: DomainConfig = field(default_factory=DomainConfig)
    known_as: InitVar[str] = ""

    def __post_init__(self, known_as: str) -> None:
        items, labels = conform(self.items, self.labels)
        object.__setattr__(self, "items", items)
        object.__setattr__(self, "labels", labels)
        if known_as:
            self.__dict__["snapshot_id"] = known_as
            return
        if not self.features:
            raise ValueError("The items have no feature column: add at least one beside keys and slices.")
        refuse_outcome_names(self.features, list(labels.columns))
        self.config.check_columns(self.slices, self.kinds(), KEY_COLUMNS)
        self.refuse_copies_of(self.row_labels()["y"].to_numpy(float))

    @classmethod
    def from_dir(cls, directory: str | Path) -> Self:
        """Read ``train.parquet``, ``label.parquet`` and, when present, ``domain.json`` of a folder.

        What is sealed there, by this code, is not checked again.
        """
        return cls(*read_training_set(directory), known_as=_sealed(Path(directory)))

    def seal(self, directory: str | Path) -> None:
        """Say beside the files that this was read from what they hold, and that it was checked."""
        folder = Path(directory)
        if _sealed(folder) != self.snapshot_id:
            write_atomically(folder / SEAL, f"{self.snapshot_id} {_hash_of(folder)}")

    @cached_property
    def snapshot_id(self) -> str:
        """The hash of the content: of the items, the labels and all settings of the domain."""
        return content_id(self.items, self.labels, asdict(self.config))

    @property
    def features(self) -> list[str]:
        """Names of the feature columns, in the order of the frame."""
        return [c for c in self.items.columns if is_feature(c)]

    @property
    def slices(self) -> list[str]:
        """Names of the slice columns."""
        return [c for c in self.items.columns if c.startswith(SLICE)]

    def kinds(self) -> dict[str, Kind]:
        """Say for each feature whether it is a number, a category or a text."""
        return {name: kind_of(self.items[name]) for name in self.features}

    def row_labels(self) -> pd.DataFrame:
        """Return the labels aligned to the rows of ``items`` (one row each, same order)."""
        return self._row_labels.copy(deep=False)

    @cached_property
    def _row_labels(self) -> pd.DataFrame:
        position = pd.Index(self.labels["item_id"]).get_indexer(pd.Index(self.items["item_id"]))
        return self.labels.iloc[position].reset_index(drop=True)

    def first_times(self) -> NDArray[np.datetime64]:
        """Return for every row the first observation time of its item: the item's start."""
        return self._first_times.copy()

    @cached_property
    def _first_times(self) -> NDArray[np.datetime64]:
        return self.items.groupby("item_id")["event_at"].transform("min").to_numpy("datetime64[us]")

    def groups(self, column: str | None) -> NDArray[np.object_]:
        """Return the group name of every row; one common group when ``column`` is None."""
        return group_names(self.items, column)

    def refuse_copies_of(self, target: NDArray[np.float64]) -> None:
        """Refuse a feature that gives ``target`` away, a value per row; see `ml.data.leaks.copies`."""
        columns = dict.fromkeys(("group_id", "entity_id", self.config.timeline, self.config.weight_by))
        groups = [self.groups(column) for column in columns if column is not None]
        refuse_copies(self.items, self.kinds(), target, self.first_times(), groups)

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


def _sealed(folder: Path) -> str:
    """Return what the content of a folder was found to be when it was checked; empty when it never was."""
    seal = folder / SEAL
    content, _, files = seal.read_text(errors="replace").partition(" ") if seal.is_file() else ("", "", "")
    return content if files and files == _hash_of(folder) else ""


def _hash_of(folder: Path) -> str:
    """The hash of a folder's files, and of the code that reads and checks them."""
    files = [path for name in (ITEMS, LABELS, SETTINGS) if (path := folder / name).is_file()]
    return key_of("errors.py", "stats", "data", **{path.name: sha256_of_file(path) for path in files})


def snapshot_id_of(directory: str | Path) -> str:
    """Return the identity of the training set in a folder, whether the contract would accept it or not."""
    if sealed := _sealed(Path(directory)):
        return sealed
    items, labels, config = read_training_set(directory)
    return content_id(items, labels, asdict(config))


def read_items(directory: str | Path, misfit: Misfit | None = None) -> pd.DataFrame:
    """Read the items of a folder, ``train.parquet``, for a model to score: no label is needed.

    Parameters
    ----------
    directory : path
    misfit : callable or None
        See `ml.data.contract.conform_items`.

    Raises
    ------
    ValueError
        When they are absent or break the contract.
    """
    path = Path(directory) / ITEMS
    if not path.is_file():
        raise ValueError(f"There are no items at {path}: give the folder of {ITEMS}.")
    return conform_items(_read_table(path), misfit)


def read_training_set(directory: str | Path) -> tuple[pd.DataFrame, pd.DataFrame, DomainConfig]:
    """Return the items, labels and settings of a folder, as they are there.

    Raises
    ------
    ValueError
        When one is absent or cannot be read.
    """
    folder = Path(directory)
    paths = [folder / ITEMS, folder / LABELS]
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise ValueError(f"There is no training set at {', '.join(missing)}: give the folder of both.")
    config = _read_settings(folder / SETTINGS)
    _refuse_what_does_not_fit(paths)
    return _read_table(paths[0]), _read_table(paths[1]), config


def _refuse_what_does_not_fit(paths: Sequence[Path]) -> None:
    """Rows are learned from in memory: what cannot be held there is told before it is read."""
    try:
        found = [pq.read_metadata(path) for path in paths]
    except (OSError, pa.ArrowException):
        return  # whoever reads it says what is wrong
    needed = sum(
        one.row_group(number).total_byte_size for one in found for number in range(one.num_row_groups)
    )
    free = psutil.virtual_memory().available
    if needed > free:
        raise ValueError(
            f"The training set in {paths[0].parent} needs {needed / 1e9:.1f} GB of memory at least, and "
            f"{free / 1e9:.1f} GB are free: train where there is more, or on fewer rows."
        )


def _read_table(path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError, TypeError, KeyError, NotImplementedError) as error:
        raise ValueError(
            f"The training set in {path.parent} cannot be read ({_first(error)}): make it again."
        ) from error


def _read_settings(path: Path) -> DomainConfig:
    if not path.exists():
        return DomainConfig()
    if not path.is_file():
        raise ValueError(f"{path} is no file: put the settings of the domain there, or nothing.")
    try:
        # A byte order mark is what an editor left, and no fault of the settings.
        mapping = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is no JSON ({_first(error)}): correct it.") from error
    return DomainConfig.from_mapping(mapping, str(path))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{twice[0]!r} is there twice")
    return dict(pairs)


def _first(error: Exception) -> str:
    """Return the first line of an error of another library, as a part of a sentence."""
    return " ".join(str(error).split("\n", 1)[0].split())[:200].rstrip(".")
