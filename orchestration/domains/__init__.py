"""A folder per domain, which knows no other one: what is loaded, what is learned, and how it serves.

Each says what it is in `domain.py`; whoever lists domains reads `registry`, which looks into this package.
"""

import importlib
import pkgutil
from functools import cache

from orchestration.declarations import Domain, RawInput, TrainingSet

__all__ = ["find_training_set", "raw_loader", "registry", "training_sets"]


@cache
def registry() -> dict[str, Domain]:
    """Every domain by name."""
    names = sorted(room.name for room in pkgutil.iter_modules(__path__) if room.ispkg)
    modules = [importlib.import_module(f"{__name__}.{name}.domain") for name in names]
    return {module.DOMAIN.name: module.DOMAIN for module in modules}


def training_sets() -> dict[str, TrainingSet]:
    """Every training set by name."""
    return {one.name: one for domain in registry().values() for one in domain.training_sets}


def find_training_set(name: str) -> tuple[Domain, TrainingSet]:
    """The training set called `name` and its domain; an unknown one raises ValueError."""
    for domain in registry().values():
        for one in domain.training_sets:
            if one.name == name:
                return domain, one
    raise ValueError(f"There is no domain {name!r}: choose from {', '.join(training_sets())}.")


def raw_loader(domain: Domain) -> RawInput:
    """Who loads the raw table that a domain begins with: itself, or the domain it shares the table with.

    Raises
    ------
    ValueError
        The domain that loads it was taken away.
    """
    for other in registry().values():
        if other.raw.table == domain.raw.table and other.raw.load is not None:
            return other.raw
    raise ValueError(f"No domain loads {domain.raw.table}, which {domain.name} begins with.")
