"""What a saved model says of items, whatever task it learned: one table for all of them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from ml.data.contract import is_feature
from ml.data.dataset import read_items
from ml.encoding.encoders import ItemEncoder
from ml.encoding.misfit import misfit
from ml.store.run_folder import RunFolder

KEYS = ["item_id", "event_at", "group_id"]


def score(folder: RunFolder, model: str, items: pd.DataFrame | Path) -> pd.DataFrame:
    """Score items with a model of a run folder; nothing is trained, and no label is read.

    Parameters
    ----------
    folder : RunFolder
    model : str
        Name of the model in it; its file must be whole.
    items : DataFrame or Path
        As `ml.data.dataset.read_items` gives them, or the folder that it reads.

    Returns
    -------
    DataFrame
        One row per item and observation time, in their order: ``item_id, event_at, group_id``, what the task
        answers, and ``model_version``. Of durations the answers are ``predicted_hours, p10, p90`` (hours) and
        ``p_within_{h}d``, of remaining times the same from the observation on; of scorers and rankers
        ``score, probability, rank`` (within the rows given of a group, 1 first) and ``reasons``, a list of
        feature and contribution, the strongest first.

    Raises
    ------
    ValueError
        When the items lack columns of the model, have some that it does not know, or of another type, or
        break the contract: one sentence about all of it.
    """
    version, fitted = folder.evaluation(model).model_version, folder.model(model)
    encoder = _encoder_of(fitted)
    if isinstance(items, Path):
        items = read_items(items, partial(_misfit, encoder))
    elif wrong := _misfit(encoder, items, set()):
        raise ValueError(wrong)
    answers = fitted.predict(items).rename(columns={"y_pred": "predicted_hours"})
    answers["model_version"] = version
    return pd.concat([items[KEYS].reset_index(drop=True), answers], axis=1)


def _misfit(encoder: Any, items: pd.DataFrame, refused: set[str]) -> str | None:
    if not isinstance(encoder, ItemEncoder):
        return None
    kinds = encoder.kinds()
    unknown = [name for name in items.columns if is_feature(name) and name not in kinds.keys() | refused]
    return misfit(items, {name: kind for name, kind in kinds.items() if name not in refused}, unknown)


def _encoder_of(fitted: Any) -> Any:
    # What mitigation makes of a model holds the model.
    return fitted.encoder if hasattr(fitted, "encoder") else _encoder_of(fitted.model)
