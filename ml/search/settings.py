"""The settings of a scorer or ranker from a file: written by hand, or by a search."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from ml.data.settings import read_settings
from ml.tasks.scoring.settings import ScoringConfig


def read_config(path: Path | None, **given: Any) -> ScoringConfig:
    """Return the settings of a YAML file with what else is given over them.

    The file holds fields of `ml.tasks.scoring.settings.ScoringConfig`, or the result of ``tune``, whose
    ``best_params`` become the parameters.

    Raises
    ------
    ValueError
        When the file cannot be read or has an unknown field.
    """
    values: dict[str, Any] = {}
    if path is not None:
        if not path.is_file():
            raise ValueError(f"There is no configuration {path}: give an existing YAML file.")
        try:
            loaded = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
            raise ValueError(f"{path} is no YAML ({error}): correct it.") from error
        is_result = isinstance(loaded, dict) and "best_params" in loaded
        # Read by itself first: what is wrong in the file is no fault of what else is given.
        values = vars(read_settings(ScoringConfig, loaded, str(path))) if not is_result else {}
        values = {"params": loaded["best_params"]} if is_result else {k: values[k] for k in loaded}
    values = values | {name: value for name, value in given.items() if value is not None}
    return read_settings(ScoringConfig, values, "The settings")
