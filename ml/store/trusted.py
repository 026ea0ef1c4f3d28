"""Fitted models as files, loaded only with known bytes and known types; pickle is never read."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from ml.store.files import sha256_of

# Types beyond skops' own defaults that a model file may hold. Anything else is refused on loading.
TRUSTED_TYPES = (
    "ml.mitigation.models.AdjustedModel",
    "ml.mitigation.models.MixtureRegressor",
    "ml.models.median.GroupMedian",
    "ml.models.forest.MedianForest",
    "ml.models.sgd.ScaledRegressor",
    "ml.tasks.duration_model.DurationModel",
    "ml.tasks.scoring_model.ScoringModel",
    "ml.encoding.tree.GapKeepingNumbers",
    "ml.tasks.duration_model.TimingHead",
    "ml.tasks.calibration.HorizonCalibration",
    "ml.tasks.calibration.ResidualIntervals",
    "ml.encoding.encoders.CategoryEncoder",
    "ml.encoding.encoders.GroupSelector",
    "ml.encoding.encoders.ItemEncoder",
    "ml.encoding.encoders.NumberEncoder",
    "ml.encoding.encoders.TextEncoder",
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
