"""What a saved model says of items, whatever task it learned: one table for all of them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ml.data.contract import is_feature
from ml.encoding.encoders import ItemEncoder
from ml.encoding.misfit import refuse_misfit
from ml.store.run_folder import RunFolder

KEYS = ["item_id", "event_at", "group_id"]


def score(folder: RunFolder, model: str, items: pd.DataFrame) -> pd.DataFrame:
    """Score items with a model of a run folder; nothing is trained, and no label is read.

    Parameters
    ----------
    folder : RunFolder
    model : str
        Name of the model in it; its file must be whole.
    items : DataFrame
        As `ml.data.dataset.read_items` gives them.

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
        When the items lack columns of the model, have some that it does not know, or of another type.
    """
    version, fitted = folder.evaluation(model).model_version, folder.model(model)
    encoder = _encoder_of(fitted)
    if isinstance(encoder, ItemEncoder):
        kinds = encoder.kinds()
        unknown = [name for name in items.columns if is_feature(name) and name not in kinds]
        refuse_misfit(items, kinds, unknown)
    answers = fitted.predict(items).rename(columns={"y_pred": "predicted_hours"})
    answers["model_version"] = version
    return pd.concat([items[KEYS].reset_index(drop=True), answers], axis=1)


def _encoder_of(fitted: Any) -> Any:
    # What mitigation makes of a model holds the model.
    return fitted.encoder if hasattr(fitted, "encoder") else _encoder_of(fitted.model)
