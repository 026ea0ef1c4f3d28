"""Files of a run: atomic writing, hashes, and models loaded only with known bytes and known types."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Types beyond skops' own defaults that a model file may hold. Anything else is refused on loading.
TRUSTED_TYPES = (
    "ml.mitigated.AdjustedModel",
    "ml.mitigated.MixtureRegressor",
    "ml.models.median.GroupMedian",
    "ml.models.forest.MedianForest",
    "ml.scaled.ScaledRegressor",
    "ml.predictor.DurationModel",
    "ml.scoring_model.ScoringModel",
    "ml.tree_encoder.GapKeepingNumbers",
    "ml.predictor.TimingHead",
    "ml.calibration.HorizonCalibration",
    "ml.calibration.ResidualIntervals",
    "ml.encoders.CategoryEncoder",
    "ml.encoders.GroupSelector",
    "ml.encoders.ItemEncoder",
    "ml.encoders.NumberEncoder",
    "ml.encoders.TextEncoder",
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


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write a whole file or nothing: temporary name in the same folder, fsync, rename.

    Parameters
    ----------
    path : Path
        Its folder is made when absent.
    content : bytes or str
        Text is stored as UTF-8.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode("utf-8") if isinstance(content, str) else content
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def sha256_of(data: bytes) -> str:
    """Return the hexadecimal SHA-256 of ``data``."""
    return hashlib.sha256(data).hexdigest()


def version_of(name: str, *content: str) -> str:
    """Return a model's version: its name and a hash of what it learned from and what it answers.

    Not of its file, which holds the time at which it was written.
    """
    return f"{name}-{sha256_of(' '.join(content).encode())[:12]}"


def json_text(value: Any) -> str:
    """Return JSON with sorted keys; numbers that are not finite become null."""
    return json.dumps(_plain(value), indent=1, sort_keys=True, allow_nan=False) + "\n"


def npy_bytes(array: NDArray[Any]) -> bytes:
    """Return the array in NumPy's file format."""
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()


def dump_trusted(model: Any) -> bytes:
    """Serialise a fitted estimator with skops."""
    import skops.io

    return skops.io.dumps(model)


def load_trusted(path: Path, sha256: str | None = None) -> Any:
    """Load an estimator from a skops file.

    Parameters
    ----------
    path : Path
    sha256 : str or None
        The hash that the file must have, from the evaluation's JSON.

    Raises
    ------
    ValueError
        When the file is absent, was changed, or holds a type that is not in `TRUSTED_TYPES`.
    """
    import skops.io

    if not path.is_file():
        raise ValueError(f"There is no model file {path}: train the model first.")
    data = path.read_bytes()
    if sha256 is not None and sha256_of(data) != sha256:
        raise ValueError(f"The model file {path} is not the one that was evaluated: train it again.")
    try:
        unknown = sorted(set(skops.io.get_untrusted_types(data=data)) - set(TRUSTED_TYPES))
        if unknown:
            raise ValueError(f"The model file {path} holds the untrusted types {unknown}: it is not loaded.")
        return skops.io.loads(data, trusted=list(TRUSTED_TYPES))
    except (KeyError, OSError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"The model file {path} is damaged ({error}): train the model again.") from error


def load_model(run_dir: Path, model: str) -> Any:
    """Load ``{model}.skops`` of a run, verified against the hash in ``eval_{model}.json``."""
    description = run_dir / f"eval_{model}.json"
    if not description.is_file():
        raise ValueError(f"There is no evaluation of {model!r} in {run_dir}: train it there first.")
    files = json.loads(description.read_text())["files"]
    return load_trusted(run_dir / f"{model}.skops", sha256=files[f"{model}.skops"])


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.bool_ | bool):
        return bool(value)
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, np.floating | float):
        return float(value) if np.isfinite(value) else None
    return value
