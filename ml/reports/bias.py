"""The bias of a run as files: tables, a text per model and dimension, and for hours a page and a document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from ml.bias import (
    HOURS,
    SCORES,
    BiasConfig,
    BiasReport,
    BiasTables,
    BiasTask,
    OrderTask,
    RankingConfig,
    bias_json,
    explain_bias,
    measure_bias,
    render_page,
    typed,
)
from ml.data.dataset import Dataset
from ml.data.domain import DomainConfig
from ml.runs.select import Gate, gate_of, ranked
from ml.store.key import key_of
from ml.store.record import Evaluation
from ml.store.run_folder import BIAS_DOCUMENT, BIAS_PAGE, RunFolder
from ml.tasks.scoring.settings import order_by

BOTH = ("summary", "distribution")
EXPLAINED = ("composition", "intersections", "over_time")
LEDGER = "mitigation"


def bias_config(domain: DomainConfig) -> BiasConfig:
    """The measurement's settings for a domain: which slices are outcomes, and which mix is held equal."""
    return BiasConfig(outcome_slices=domain.outcome_slices, mix_slices=domain.mix_slices)


def bias_tables(evaluations: Sequence[Evaluation]) -> tuple[str, ...]:
    """Names of the tables that the tasks of some models have."""
    tasks = {evaluation.task for evaluation in evaluations}
    own = [name for task in _TASKS if task.name in tasks for name in task.tables]
    explained = EXPLAINED if HOURS.name in tasks else ()
    return (*BOTH, *dict.fromkeys(own), *explained)


def write_bias(
    dataset: Dataset, evaluations: Sequence[Evaluation], run_dir: Path, config: BiasConfig | None = None
) -> dict[str, pd.DataFrame] | None:
    """Measure a run's models per slice, each by its task; write every file of the bias report.

    What was measured of the same models on the same data is read, not measured again.

    Parameters
    ----------
    dataset : Dataset
        The snapshot that the models were trained on; its ``slice_*`` columns are the dimensions.
    evaluations : sequence of Evaluation
        Models of the tasks "regression", "binary" and "ranking" in one run folder.
    run_dir : Path
    config : BiasConfig or None
        Thresholds; the slices of a special kind come from the domain when not given.

    Returns
    -------
    dict of str to DataFrame, or None
        `bias_tables`, with ``run_id`` and ``domain``; None when the items have no slices.

    Raises
    ------
    ValueError
        If a model is of another task.
    """
    odd = [f"{e.model} ({e.task})" for e in evaluations if e.task not in {task.name for task in _TASKS}]
    if odd:
        known = ", ".join(task.name for task in _TASKS)
        raise ValueError(f"No bias is measured of {', '.join(odd)}: the tasks are {known}.")
    if not dataset.slices or not evaluations:
        return None
    config, folder = config or bias_config(dataset.config), RunFolder(run_dir)
    key = key_of(
        *("errors.py", "stats", "data", "bias", "reports"),
        snapshot_id=dataset.snapshot_id,
        domain=asdict(dataset.config),
        settings=asdict(config),
        models=[evaluation.model_version for evaluation in evaluations],
    )
    has_page = any(evaluation.task == HOURS.name for evaluation in evaluations)
    if folder.has_bias(key) and (folder.page.is_file() or not has_page):
        return {name: folder.table(name) for name in bias_tables(evaluations)}
    slices = dataset.items[["item_id", "event_at", "group_id", *dataset.slices]]
    frames: dict[str, list[pd.DataFrame]] = {name: [] for name in bias_tables(evaluations)}
    for task in _TASKS:
        own = [evaluation for evaluation in evaluations if evaluation.task == task.name]
        if not own:
            continue
        if task.name == HOURS.name:
            predictions = _read(folder, own)
        else:
            predictions, task = _lists_and_scores(dataset, folder, own, task)
        measured = measure_bias(predictions, slices, config, task)
        found = dict(measured.frames)
        if task.name == HOURS.name:
            found |= explain_bias(predictions, slices, measured["slice_metrics"], config)
        for name, frame in found.items():
            frames[name].append(frame)
        _write_texts(measured, folder, dataset.config.note)
    tables = {
        # How the items are spread is the same for every task.
        name: write_table(own[0] if name == "distribution" else _joined(own), name, folder, evaluations[0])
        for name, own in frames.items()
    }
    if has_page:
        write_bias_page(dataset.config, evaluations, run_dir, config)
    folder.seal_bias(key)
    return tables


def write_table(frame: pd.DataFrame, name: str, folder: RunFolder, run: Evaluation) -> pd.DataFrame:
    """Write a table of the bias report with the run's keys; return what was written."""
    keys = pd.DataFrame({"run_id": run.run_id, "domain": run.domain}, index=frame.index)
    table = typed(pd.concat([keys, frame], axis=1), name)
    folder.write_table(name, table)
    return table


def write_bias_page(
    domain: DomainConfig,
    evaluations: Sequence[Evaluation],
    run_dir: Path,
    config: BiasConfig | None = None,
    gate: Gate | None = None,
    model: str | None = None,
) -> Path:
    """Write ``bias.json`` and ``bias.html`` from the tables in the run folder; return the page's path.

    The page is about one model for hours: ``model``, else the one with the lowest validation MAE of log
    hours. The mitigation ledger is shown when the folder has one.
    """
    config, folder = config or bias_config(domain), RunFolder(run_dir)
    frames = {
        name: _of_hours(folder.table(name)).drop(columns=["run_id", "domain"])
        for name in (*BOTH, *HOURS.tables, *EXPLAINED, LEDGER)
        if name != LEDGER or folder.has_table(name)
    }
    chosen = model or ranked([e for e in evaluations if e.task == HOURS.name])[0].model
    verdict = gate_of(chosen, frames["summary"], gate or Gate(), split="test")
    run_id, note = evaluations[0].run_id, domain.note
    document = bias_json(frames, config, run_id=run_id, domain=domain.name, note=note, gate=verdict)
    folder.write(BIAS_DOCUMENT, document)
    links = {"All figures for machines": BIAS_DOCUMENT}
    page = render_page(frames, config, model=chosen, run_id=run_id, note=note, gate=verdict, links=links)
    return folder.write(BIAS_PAGE, page)


_TASKS: tuple[BiasTask, ...] = (HOURS, SCORES, OrderTask())


def _read(folder: RunFolder, evaluations: Sequence[Evaluation]) -> pd.DataFrame:
    predictions = [folder.predictions(e.model).assign(model=e.model) for e in evaluations]
    return pd.concat(predictions, ignore_index=True)


def _lists_and_scores(
    dataset: Dataset, folder: RunFolder, evaluations: Sequence[Evaluation], task: BiasTask
) -> tuple[pd.DataFrame, BiasTask]:
    """Predictions of scorers or rankers with what the dataset knows of the rows; and the domain's task."""
    known = dataset.items[["item_id", "event_at", "entity_id"]].assign(cluster=dataset.clusters())
    is_order = isinstance(task, OrderTask)
    baselines: Mapping[str, Sequence[str]] = dataset.config.baselines if is_order else {}
    for name, columns in baselines.items():
        known[name] = order_by(dataset, columns)
    thresholds = {e.model: folder.report(e.model)["threshold"] for e in evaluations}
    rows = _read(folder, evaluations)
    rows["threshold"] = rows["model"].map(thresholds)
    rows = rows.merge(known, on=["item_id", "event_at"], validate="m:1")
    if not is_order:
        return rows.drop(columns="group_id").rename(columns={"cluster": "group_id"}), task
    ranking = RankingConfig(groups_are_questions=dataset.config.groups_are_questions)
    return rows.rename(columns={"group_id": "list_id"}), OrderTask(ranking, tuple(baselines))


def _joined(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Tables of several tasks as one; an empty one must not decide the others' types."""
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else frames[0]


def _of_hours(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["task"] == HOURS.name] if "task" in frame else frame


def _write_texts(measured: BiasTables, folder: RunFolder, note: str) -> None:
    head = f"NOTE: {note}\n\n" if note else ""
    test = measured.metrics[measured.metrics["split"] == "test"]
    for model, dimension in test[["model", "dimension"]].drop_duplicates().itertuples(index=False):
        text = BiasReport.generate_dimension_report(measured, model, dimension)
        folder.write_text(model, dimension, head + text)
