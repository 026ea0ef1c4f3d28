"""What a domain is, as plain data: its training sets, its tasks, where its rows come from, what it publishes.

The command line, the assets and the tests read these; nothing here runs, and nothing knows a domain by name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import duckdb

    from orchestration.settings import Settings

Kind = Literal["duration", "remaining", "scorer", "late", "ranker", "cluster"]


@dataclass(frozen=True)
class TrainingSet:
    """A training relation and its labels, which one asset freezes.

    Attributes
    ----------
    name : str
        Value of `domain` in every table of results.
    train, label : str
        Relations in the schema `training`.
    snapshot : str
        The asset that freezes them.
    settings : mapping
        Fields of the harness's `DomainConfig`, written as `domain.json`.
    """

    name: str
    train: str
    label: str
    snapshot: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """One model: what is learned from which training set.

    Attributes
    ----------
    name : str
        Of the model, and of its assets `models/{name}` and `tuned_parameters/{name}`.
    learns_from : TrainingSet
    kind : {"duration", "remaining", "scorer", "late", "ranker", "cluster"}
        The type that the harness knows it by. Durations are rivals on one leaderboard, which loads them and
        chooses the champion; each of the others stands alone, and all but the remaining time have an asset
        that searches their parameters.
    description : str
        Of the asset.
    horizon_days : float or None
        When the labels are settled, counted from an item's start; None: they are used as given.
    horizon : str
        What the horizon means, where a run may choose another one; empty where it is fixed.
    params : mapping
        Parameters of the model over the kind's defaults; tuned ones have precedence.
    """

    name: str
    learns_from: TrainingSet
    kind: Kind
    description: str
    horizon_days: float | None = None
    horizon: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def has_rivals(self) -> bool:
        """Whether it stands on a leaderboard."""
        return self.kind == "duration"

    @property
    def priority(self) -> str:
        """Of the models that can be trained, the longest begin first, and those that most waits for."""
        return str({"remaining": 3, "duration": 2}.get(self.kind, 1))

    @property
    def is_searched(self) -> bool:
        """Whether an asset of its own searches its parameters."""
        return self.kind not in ("duration", "remaining")


@dataclass(frozen=True)
class RawInput:
    """Rows as they are delivered.

    Attributes
    ----------
    what : str
        Plural noun, as in "synthetic issues".
    table : str
        `schema.table` with a column `source`, which is `sample` for rows that were made up.
    option : str
        Of the command line, for a folder of such rows; empty where another domain loads the same table.
    load : callable (database, settings, folder) or None
        Brings a folder into the raw tables; ValueError when nothing in it can be loaded.
    """

    what: str
    table: str
    option: str = ""
    load: "Callable[[duckdb.DuckDBPyConnection, Settings, Path], None] | None" = None

    @property
    def note(self) -> str:
        """What every reader of a result must know when the rows were made up."""
        return (
            f"These are synthetic {self.what}: the figures show that the pipeline works, and nothing about "
            "the world."
        )

    def block(self, database: "duckdb.DuckDBPyConnection", training_set: TrainingSet) -> dict[str, Any]:
        """The content of `domain.json` for a training set made of these rows: name, settings and note."""
        query = f"select count(*) > 0 from {self.table} where source = 'sample'"  # noqa: S608 - our own names
        ((is_synthetic,),) = database.execute(query).fetchall()
        note = self.note if is_synthetic else ""
        return {"name": training_set.name, **training_set.settings, "note": note}


@dataclass(frozen=True)
class Domain:
    """A folder below `orchestration.domains`.

    Attributes
    ----------
    name : str
    raw : RawInput
    training_sets : tuple of TrainingSet
    tasks : tuple of Task
    tables : tuple of str
        `schema.table` that it publishes beside the results that every domain has.
    """

    name: str
    raw: RawInput
    training_sets: tuple[TrainingSet, ...]
    tasks: tuple[Task, ...]
    tables: tuple[str, ...] = ()
