"""The bias of a run folder's scorers and rankers as files: tables, and a text per model and dimension."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.bias.config import BiasConfig
from ml.bias.rankers import RankerTables, RankingConfig, exposure_metrics, measure_rankers
from ml.bias.report.texts import BiasReport
from ml.bias.scorers import ScorerTables, measure_scorers
from ml.data.dataset import Dataset
from ml.reports.bias import bias_config, write_table
from ml.store.files import write_atomically
from ml.store.record import Evaluation
from ml.tasks.scoring import order_by

BOTH = ("summary", "distribution")
SCORED = ("slice_metrics", "score_metrics")
RANKED = ("ranking_metrics", "ranking_exposure", "ranking_concentration")
TASKS = ("binary", "ranking")


def scoring_bias_tables(evaluations: Sequence[Evaluation]) -> tuple[str, ...]:
    """Names of the tables that the tasks of some models have."""
    tasks = {evaluation.task for evaluation in evaluations}
    return (*BOTH, *(SCORED if "binary" in tasks else ()), *(RANKED if "ranking" in tasks else ()))


def write_scoring_bias(
    dataset: Dataset,
    evaluations: Sequence[Evaluation],
    run_dir: Path,
    config: BiasConfig | None = None,
    ranking: RankingConfig | None = None,
) -> dict[str, pd.DataFrame] | None:
    """Measure scorers and rankers per slice; write ``bias_{table}.parquet`` and the texts.

    Parameters
    ----------
    dataset : Dataset
        The snapshot that the models were trained on; its ``slice_*`` columns are the dimensions.
    evaluations : sequence of Evaluation
        Models of the tasks "binary" and "ranking" in one run folder.
    run_dir : Path
    config : BiasConfig or None
    ranking : RankingConfig or None

    Returns
    -------
    dict of str to DataFrame, or None
        `scoring_bias_tables`, with ``run_id`` and ``domain``; None when the items have no slices.

    Raises
    ------
    ValueError
        If a model is of another task.
    """
    odd = [f"{e.model} ({e.task})" for e in evaluations if e.task not in TASKS]
    if odd:
        raise ValueError(f"{', '.join(odd)} is no scorer and no ranker: measure it with ml.reports.bias.")
    if not dataset.slices or not evaluations:
        return None
    config = config or bias_config(dataset.config)
    slices = dataset.items[["item_id", "event_at", "group_id", *dataset.slices]]
    found: list[ScorerTables | RankerTables] = []
    scorers, rankers = ([e for e in evaluations if e.task == task] for task in TASKS)
    if scorers:
        predictions = _predictions(dataset, scorers, run_dir).drop(columns="group_id")
        predictions = predictions.rename(columns={"cluster": "group_id"})
        found.append(measure_scorers(predictions, slices, replace(config, task="binary")))
    if rankers:
        orders = {name: order_by(dataset, c) for name, c in dataset.config.baselines.items()}
        predictions = _predictions(dataset, rankers, run_dir, orders).rename(columns={"group_id": "list_id"})
        ranking = ranking or RankingConfig(groups_are_questions=dataset.config.groups_are_questions)
        found.append(
            measure_rankers(predictions, slices, replace(config, task="ranking"), ranking, list(orders))
        )
    tables = {
        name: write_table(_together(found, name), name, run_dir, evaluations[0])
        for name in scoring_bias_tables(evaluations)
    }
    _write_texts(tables, run_dir, dataset.config.note)
    return tables


def _predictions(
    dataset: Dataset,
    evaluations: Sequence[Evaluation],
    run_dir: Path,
    orders: Mapping[str, NDArray[np.float64]] | None = None,
) -> pd.DataFrame:
    """The predictions of several models with each one's threshold, and what the dataset knows of the rows."""
    rows = [
        pd.read_parquet(run_dir / f"predictions_{e.model}.parquet").assign(
            model=e.model,
            threshold=json.loads((run_dir / f"report_{e.model}.json").read_text())["threshold"],
        )
        for e in evaluations
    ]
    known = dataset.items[["item_id", "event_at", "entity_id"]].assign(cluster=dataset.clusters())
    for name, order in (orders or {}).items():
        known[name] = order
    return pd.concat(rows, ignore_index=True).merge(known, on=["item_id", "event_at"], validate="m:1")


def _together(found: Sequence[ScorerTables | RankerTables], name: str) -> pd.DataFrame:
    own = [getattr(tables, name) for tables in found if hasattr(tables, name)]
    # How the items are spread is the same for every task.
    return own[0] if name == "distribution" else pd.concat(own, ignore_index=True)


def _write_texts(tables: Mapping[str, pd.DataFrame], run_dir: Path, note: str) -> None:
    head = f"NOTE: {note}\n\n" if note else ""
    long = [tables[name] for name in ("score_metrics", "ranking_metrics") if name in tables]
    if "ranking_exposure" in tables:
        long.append(exposure_metrics(tables["ranking_exposure"]))
    summary = tables["summary"]
    for metrics in long:
        measured = metrics.loc[metrics["split"] == "test", ["model", "dimension"]].drop_duplicates()
        for model, dimension in measured.itertuples(index=False):
            text = BiasReport.generate_metric_report(metrics, summary, model, dimension)
            write_atomically(run_dir / f"bias_{model}_{dimension}.txt", head + text)
