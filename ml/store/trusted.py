"""Fitted models as files, loaded only with known bytes and known types; pickle is never read."""

from __future__ import annotations

import importlib
import re
import zipfile
from typing import Any, TypeVar

from ml.errors import DamagedFileError

# Types of others, beyond skops' own defaults, that a model file may hold.
OTHERS = (
    "collections.OrderedDict",
    "collections.defaultdict",
    "sklearn.tree._tree.Tree",
    "lightgbm.basic.Booster",
    "lightgbm.sklearn.LGBMRegressor",
    "lightgbm.sklearn.LGBMClassifier",
    "xgboost.core.Booster",
    "xgboost.sklearn.XGBRegressor",
    "xgboost.sklearn.XGBClassifier",
)
_OWN = re.compile(r"ml(\.[a-z]\w*)+\.[A-Z]\w*", re.ASCII)
_loadable: set[str] = set()

AnyType = TypeVar("AnyType", bound=type)


def loadable(cls: AnyType) -> AnyType:
    """Mark a class of `ml` as one that a model file may hold."""
    _loadable.add(f"{cls.__module__}.{cls.__qualname__}")
    return cls


def dump_trusted(model: Any) -> bytes:
    """Serialise a fitted estimator with skops."""
    import skops.io

    return skops.io.dumps(model)


def load_trusted(data: bytes, name: str) -> Any:
    """Load an estimator from the bytes of a skops file.

    Parameters
    ----------
    data : bytes
    name : str
        What the sentences call it.

    Raises
    ------
    DamagedFileError
        When it cannot be read.
    ValueError
        When it holds a type that is neither marked with `loadable` nor one of `OTHERS`.
    """
    import skops.io

    try:
        found = skops.io.get_untrusted_types(data=data)
        unknown = sorted(kind for kind in found if kind not in OTHERS and not _is_loadable(kind))
        if unknown:
            raise ValueError(
                f"The model file {name} holds the untrusted types {unknown}: it is not loaded; "
                "train the model again."
            )
        return skops.io.loads(data, trusted=found)
    except (KeyError, OSError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise DamagedFileError(
            f"The model file {name} is damaged ({error}): train the model again."
        ) from error


def _is_loadable(kind: str) -> bool:
    """Say whether a class is marked: its own module marks it when imported, and only `ml`'s are."""
    if kind not in _loadable and _OWN.fullmatch(kind):
        try:
            importlib.import_module(kind.rpartition(".")[0])
        except ImportError:
            return False
    return kind in _loadable
