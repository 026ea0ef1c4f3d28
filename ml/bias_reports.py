"""The bias of a run: every model's predictions measured per slice, as tables and one text per dimension."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ml.artifacts import write_atomically
from ml.bias.config import BiasConfig
from ml.bias.engine import BiasTables, measure_bias
from ml.bias.report import BiasReport
from ml.dataset import Dataset
from ml.evaluation import Evaluation

TABLES = ("slice_metrics", "summary", "distribution")


def write_bias_reports(
    dataset: Dataset, evaluations: Sequence[Evaluation], run_dir: Path, config: BiasConfig | None = None
) -> BiasTables | None:
    """Measure a run's models per slice; write ``bias_{table}.parquet`` and ``bias_{model}_{dimension}.txt``.

    Parameters
    ----------
    dataset : Dataset
        The snapshot that the models were trained on; its ``slice_*`` columns are the dimensions.
    evaluations : sequence of Evaluation
    run_dir : Path
    config : BiasConfig or None
        Thresholds; the outcome slices come from the domain when not given.

    Returns
    -------
    BiasTables or None
        With ``run_id`` and ``domain``; None when the items have no slices.
    """
    if not dataset.slices or not evaluations:
        return None
    config = config or BiasConfig(outcome_slices=dataset.config.outcome_slices)
    predictions = pd.concat(
        [
            pd.read_parquet(run_dir / f"predictions_{e.model}.parquet").assign(model=e.model)
            for e in evaluations
        ],
        ignore_index=True,
    )
    measured = measure_bias(predictions, dataset.items, config)
    name = {"run_id": evaluations[0].run_id, "domain": evaluations[0].domain}
    tables = BiasTables(
        *(
            pd.concat([pd.DataFrame(name, index=frame.index), frame], axis=1)
            for frame in (measured.slice_metrics, measured.summary, measured.distribution)
        )
    )
    for table in TABLES:
        stream = io.BytesIO()
        getattr(tables, table).to_parquet(stream, index=False)
        write_atomically(run_dir / f"bias_{table}.parquet", stream.getvalue())
    for model, dimension in tables.summary[["model", "dimension"]].drop_duplicates().itertuples(index=False):
        text = BiasReport.generate_dimension_report(tables.slice_metrics, tables.summary, model, dimension)
        write_atomically(run_dir / f"bias_{model}_{dimension}.txt", text)
    return tables
