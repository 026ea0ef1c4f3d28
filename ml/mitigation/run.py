"""Mitigation of a run's best models: which slice column, by which methods, and what is kept of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ml.bias.tables import names
from ml.data.dataset import Dataset
from ml.mitigation.methods import CONSTRAINED, METHODS
from ml.mitigation.trial import (
    Benches,
    MitigationConfig,
    Progress,
    Trial,
    mitigated_dimensions,
    slice_column,
)
from ml.models import find, registry
from ml.reports.bias import LEDGER, bias_config, write_table
from ml.runs.select import ranked
from ml.store.files import json_text
from ml.store.key import LEARNING, key_of
from ml.store.record import Evaluation
from ml.store.run_folder import MITIGATION, RunFolder

__all__ = [
    "METHODS",
    "Mitigation",
    "MitigationConfig",
    "accepted_models",
    "mitigate_models",
    "target_dimension",
]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Mitigation:
    """The ledger, with ``run_id`` and ``domain``, and the accepted models, saved in the run folder."""

    ledger: pd.DataFrame
    accepted: list[Evaluation]
    is_new: bool


def mitigate_models(
    dataset: Dataset,
    evaluations: Sequence[Evaluation],
    run_dir: Path,
    config: MitigationConfig | None = None,
    progress: Progress | None = None,
) -> Mitigation:
    """Try every method on a run's best models; keep what is accepted as ``{model}+{method}``.

    All are measured on the same test rows, which neither model nor method has seen: see
    `ml.bias.evaluate_ledger`. Writes ``bias_mitigation.parquet`` and ``mitigation.json``; what was
    tried on the same models with the same settings is read, not tried again.

    Parameters
    ----------
    dataset : Dataset
    evaluations : sequence of Evaluation
        Of the run; mitigated ones are passed over.
    run_dir : Path
        With the models' files and ``bias_summary.parquet``.
    config : MitigationConfig or None
    progress : callable (model, method) or None

    Raises
    ------
    ValueError
        When there is nothing to mitigate, or another process is at work in the folder.
    """
    config, tell = config or MitigationConfig(), progress or (lambda model, method: None)
    originals = [e for e in evaluations if e.model in registry() and not find(e.model).is_floor]
    if not originals:
        raise ValueError("There is no model beside the baseline to mitigate: train one first.")
    chosen = ranked(originals)[: config.best]
    if config.dimension is not None:
        slice_column(dataset, config.dimension)
    folder = RunFolder(run_dir)
    with folder.at_work():
        return _mitigate(dataset, chosen, folder, config, tell)


def _mitigate(
    dataset: Dataset,
    chosen: Sequence[Evaluation],
    folder: RunFolder,
    config: MitigationConfig,
    tell: Progress,
) -> Mitigation:
    key = _key(chosen, config, dataset)
    before = _read_record(folder)
    if before is not None and before["key"] == key:
        return Mitigation(folder.table(LEDGER), folder.evaluations(before["accepted"]), is_new=False)
    from threadpoolctl import threadpool_limits

    summary = folder.table("summary")
    ledgers, accepted = [], []
    with threadpool_limits(1, user_api="blas"):
        benches = Benches(dataset, folder)
        for place, evaluation in enumerate(chosen):
            dimension = config.dimension or target_dimension(dataset, summary, evaluation.model)
            if dimension is None:
                logger.info("%s: no dimension can be assessed, so none is mitigated.", evaluation.model)
                continue
            trial = Trial.of(benches, evaluation, slice_column(dataset, dimension), config)
            skipped = () if place < config.constrained_best else (CONSTRAINED,)
            ledger = trial.ledger([name for name in config.methods if name not in skipped], tell)
            ledgers.append(ledger)
            for method in ledger.loc[ledger["accepted"], "method"]:
                tell(evaluation.model, f"{method} accepted")
                accepted.append(trial.save(method, key))
    joined = pd.concat(ledgers, ignore_index=True) if ledgers else pd.DataFrame(columns=names(LEDGER))
    written = write_table(joined, LEDGER, folder, chosen[0])
    record = {
        "key": key,
        "accepted": [e.model for e in accepted],
        "models": {e.model: e.model_version for e in chosen},
    }
    folder.write(MITIGATION, json_text(record))
    return Mitigation(written, accepted, is_new=True)


def target_dimension(dataset: Dataset, summary: pd.DataFrame, model: str) -> str | None:
    """Return the dimension to mitigate for a model (see `MitigationConfig`); None when none is assessable.

    Chosen on validation; it must be assessable on the test part too, or nothing could be said there.
    """
    allowed = mitigated_dimensions(dataset)
    own = summary[(summary["model"] == model) & summary["dimension"].isin(allowed) & ~summary["is_outcome"]]
    counts = own.pivot_table(index="dimension", columns="split", values="n_assessable", aggfunc="min")
    judged = set(counts.index[(counts.reindex(columns=["validation", "test"]) >= 2).all(axis=1)])
    own = own[(own["split"] == "validation") & own["dimension"].isin(judged)]
    flagged = own[own["flagged"].astype(bool)]
    if len(flagged):
        return str(flagged.sort_values("shrunk_gap", ascending=False, kind="stable")["dimension"].iloc[0])
    return next((name for name in allowed if name in judged), None)


def accepted_models(run_dir: Path) -> list[str]:
    """Return the mitigated models of a run folder whose originals are still the ones that were mitigated."""
    record = _read_record(RunFolder(run_dir))
    return [] if record is None else list(record["accepted"])


def _key(chosen: Sequence[Evaluation], config: MitigationConfig, dataset: Dataset) -> str:
    return key_of(
        *LEARNING,
        "bias",
        "mitigation",
        settings=asdict(config),
        models=[evaluation.model_version for evaluation in chosen],
        bias=asdict(bias_config(dataset.config)),
        snapshot_id=dataset.snapshot_id,
    )


def _read_record(folder: RunFolder) -> dict[str, Any] | None:
    """The record of an earlier mitigation, when all that it tells of is still there and unchanged."""
    text = folder.read(MITIGATION)
    if text is None or not folder.has_table(LEDGER):
        return None
    record: dict[str, Any] = json.loads(text)
    there = {evaluation.model: evaluation for evaluation in folder.evaluations()}
    for name, version in record["models"].items():
        if name not in there or there[name].model_version != version:
            return None
    if all(name in there and folder.is_whole(there[name]) for name in record["accepted"]):
        return record
    return None
