"""The bias of a run as files: tables, one text per model and dimension, ``bias.json`` and ``bias.html``."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ml.bias.config import BiasConfig
from ml.bias.engine import BiasTables, measure_bias
from ml.bias.explain.explanation import BiasExplanation, explain_bias
from ml.bias.report.document import bias_json
from ml.bias.report.page import render_page
from ml.bias.report.texts import BiasReport
from ml.data.dataset import Dataset
from ml.data.domain import DomainConfig
from ml.runs.select import Gate, gate_of, ranked
from ml.store.files import write_atomically
from ml.store.record import Evaluation

MEASURED = ("slice_metrics", "summary", "distribution")
EXPLAINED = ("composition", "intersections", "over_time")
TABLES = (*MEASURED, *EXPLAINED)
LEDGER = "mitigation"

_TEXTS = {
    "run_id", "domain", "task", "model", "split", "dimension", "slice", "best_slice", "worst_slice",
    "verdict", "gap_metric", "flagged_slices", "findings", "held_equal", "cause", "intersection", "merged",
    "month", "method", "reason", "note", "metric", "worse", "who",
}  # fmt: skip
_COUNTS = {
    "n", "n_rest", "n_censored", "n_clusters", "n_slices", "n_assessable", "n_flagged", "n_worst", "n_fits",
    "depth", "n_positive", "n_lists", "n_relevant", "n_entities",
}  # fmt: skip
_TRUTHS = {"assessable", "flagged", "pooled", "is_outcome", "accepted"}


def bias_config(domain: DomainConfig) -> BiasConfig:
    """The measurement's settings for a domain: which slices are outcomes, and which mix is held equal."""
    return BiasConfig(outcome_slices=domain.outcome_slices, mix_slices=domain.mix_slices)


def write_bias_reports(
    dataset: Dataset, evaluations: Sequence[Evaluation], run_dir: Path, config: BiasConfig | None = None
) -> BiasTables | None:
    """Measure and explain a run's models per slice; write every file of the bias report.

    Files are ``bias_{table}.parquet`` for each of `TABLES` (with ``run_id`` and ``domain``),
    ``bias_{model}_{dimension}.txt``, ``bias.json`` and ``bias.html``.

    Parameters
    ----------
    dataset : Dataset
        The snapshot that the models were trained on; its ``slice_*`` columns are the dimensions.
    evaluations : sequence of Evaluation
    run_dir : Path
    config : BiasConfig or None
        Thresholds; the slices of a special kind come from the domain when not given.

    Returns
    -------
    BiasTables or None
        With ``run_id`` and ``domain``; None when the items have no slices.
    """
    if not dataset.slices or not evaluations:
        return None
    config = config or bias_config(dataset.config)
    predictions = pd.concat(
        [
            pd.read_parquet(run_dir / f"predictions_{e.model}.parquet").assign(model=e.model)
            for e in evaluations
        ],
        ignore_index=True,
    )
    slices = dataset.items[["item_id", "event_at", "group_id", *dataset.slices]]
    measured = measure_bias(predictions, slices, config)
    explained = explain_bias(predictions, slices, measured.slice_metrics, config)
    written = {
        name: write_table(frame, name, run_dir, evaluations[0])
        for name, frame in {**vars(measured), **vars(explained)}.items()
    }
    tables = BiasTables(*(written[name] for name in MEASURED))
    _write_texts(tables, run_dir, dataset.config.note)
    write_bias_page(dataset.config, evaluations, run_dir, config)
    return tables


def write_table(frame: pd.DataFrame, name: str, run_dir: Path, run: Evaluation) -> pd.DataFrame:
    """Write ``bias_{name}.parquet`` with the run's keys; return what was written."""
    keys = pd.DataFrame({"run_id": run.run_id, "domain": run.domain}, index=frame.index)
    table = typed(pd.concat([keys, frame], axis=1))
    stream = io.BytesIO()
    table.to_parquet(stream, index=False)
    write_atomically(run_dir / f"bias_{name}.parquet", stream.getvalue())
    return table


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Give every column of a bias table its type: an empty or all-null one has none of its own.

    Readers create their tables by the file's columns, so a run that found nothing must not turn a text
    into a number.
    """
    kinds = {
        name: "str"
        if name in _TEXTS
        else "int64"
        if name in _COUNTS
        else "bool"
        if name in _TRUTHS
        else "float64"
        for name in frame.columns
    }
    return frame.astype(kinds)


def write_bias_page(
    domain: DomainConfig,
    evaluations: Sequence[Evaluation],
    run_dir: Path,
    config: BiasConfig | None = None,
    gate: Gate | None = None,
    model: str | None = None,
) -> Path:
    """Write ``bias.json`` and ``bias.html`` from the tables in the run folder; return the page's path.

    The page is about one model: ``model``, else the one with the lowest validation MAE of log hours. The
    mitigation ledger is shown when the folder has one.
    """
    config = config or bias_config(domain)
    frames = {name: _read_table(run_dir, name) for name in TABLES}
    tables = BiasTables(*(frames[name] for name in MEASURED))
    explained = BiasExplanation(*(frames[name] for name in EXPLAINED))
    has_ledger = (run_dir / f"bias_{LEDGER}.parquet").is_file()
    ledger = _read_table(run_dir, LEDGER) if has_ledger else None
    chosen = model or ranked(evaluations)[0].model
    verdict = gate_of(chosen, tables.summary, gate or Gate(), split="test")
    common: dict[str, Any] = {
        "explanation": explained,
        "ledger": ledger,
        "gate": verdict,
        "note": domain.note,
    }
    run_id = evaluations[0].run_id
    document = bias_json(tables, config, run_id=run_id, domain=domain.name, **common)
    page = run_dir / "bias.html"
    write_atomically(run_dir / "bias.json", document)
    write_atomically(page, render_page(tables, config, model=chosen, run_id=run_id, **common))
    return page


def _read_table(run_dir: Path, name: str) -> pd.DataFrame:
    path = run_dir / f"bias_{name}.parquet"
    if not path.is_file():
        raise ValueError(f"There is no {path.name} in {run_dir}: measure the bias of the run first.")
    return pd.read_parquet(path).drop(columns=["run_id", "domain"])


def _write_texts(tables: BiasTables, run_dir: Path, note: str) -> None:
    head = f"NOTE: {note}\n\n" if note else ""
    for model, dimension in tables.summary[["model", "dimension"]].drop_duplicates().itertuples(index=False):
        text = BiasReport.generate_dimension_report(tables.slice_metrics, tables.summary, model, dimension)
        write_atomically(run_dir / f"bias_{model}_{dimension}.txt", head + text)
