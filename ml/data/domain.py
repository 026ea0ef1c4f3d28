"""The settings of a domain, as in ``domain.json``; nothing here reads files or frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ml.data.settings import Days, check_settings, read_settings, suggestion


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
    horizons_days: tuple[Days, ...] = (1, 7, 30, 90, 365)
    outcome_slices: tuple[str, ...] = ()
    mix_slices: tuple[str, ...] = ()
    mitigated_slices: tuple[str, ...] | None = None
    note: str = ""
    baselines: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    groups_are_questions: bool = False
    block_days: Days | None = None

    def __post_init__(self) -> None:
        check_settings(self)
        if not self.horizons_days:
            raise ValueError("The settings: horizons_days needs one horizon at least; add it.")
        empty = [name for name, columns in self.baselines.items() if not columns]
        if empty:
            raise ValueError(
                f"The settings: the baseline {empty[0]!r} names no column; name one to order by."
            )

    @classmethod
    def from_mapping(cls, mapping: Any, where: str = "The settings") -> DomainConfig:
        """Read the settings from parsed JSON; unknown names and wrong types raise ValueError."""
        if isinstance(mapping, Mapping):
            # Content is what counts: an identity that a file claims for itself is not even read.
            mapping = {name: value for name, value in mapping.items() if name != "snapshot_id"}
        return read_settings(cls, mapping, where)

    def check_columns(self, slices: Sequence[str], kinds: Mapping[str, str], others: Sequence[str]) -> None:
        """Refuse settings that name columns which the items do not have, or of another kind.

        Parameters
        ----------
        slices : sequence of str
            The slice columns.
        kinds : mapping
            The features with what they hold: "number", "category" or "text".
        others : sequence of str
            The key columns.
        """
        for setting in ("timeline", "weight_by"):
            name = getattr(self, setting)
            if name is not None:
                _refuse_unknown(setting, name, [*slices, *others, *kinds])
        for setting in ("outcome_slices", "mix_slices", "mitigated_slices"):
            for name in getattr(self, setting) or ():
                _refuse_unknown(setting, name, slices)
        numbers = [name for name, kind in kinds.items() if kind == "number"]
        for baseline, columns in self.baselines.items():
            for column in columns:
                _refuse_unknown(f"the baseline {baseline!r}", column.removeprefix("-"), numbers, "number ")


def _refuse_unknown(setting: str, name: str, known: Sequence[str], kind: str = "") -> None:
    if name not in known:
        raise ValueError(
            f"The settings: {setting} names the {kind}column {name!r}, which the items do not have: "
            f"{suggestion(name, known)}."
        )
