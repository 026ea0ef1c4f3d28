"""The command that scores items with a model that exists."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml.cli.runs import RUNS_DIR, named_model

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".csv", ".parquet")


def register(commands: Any) -> None:
    """Add ``score`` to the command line."""
    score = commands.add_parser("score", help="score DIR/train.parquet with a trained model; no labels")
    score.add_argument(
        "--model",
        required=True,
        metavar="MODEL",
        help="RUN/NAME or RUN/champion below --runs-dir, champion for the promoted one, or the path "
        "of a run folder, of a model in it, or of what train-scorer and train-ranker wrote",
    )
    score.add_argument("--runs-dir", default=RUNS_DIR, type=Path, metavar="DIR")
    score.add_argument("--data-dir", required=True, type=Path, metavar="DIR")
    score.add_argument("--output", required=True, type=Path, metavar="FILE.csv|FILE.parquet")
    score.set_defaults(run=_score)


def _score(options: argparse.Namespace) -> int:
    from ml.runs.score import score
    from ml.store.files import write_atomically
    from ml.store.outputs import check_output_file

    check_output_file(options.output)
    if options.output.suffix not in SUFFIXES:
        raise ValueError(f"The output {options.output} is no table: name it FILE{' or FILE'.join(SUFFIXES)}.")
    folder, model = named_model(options.model, options.runs_dir)
    table = score(folder, model, options.data_dir)
    write_atomically(options.output, _content(table, options.output.suffix))
    sys.stdout.write(f"{len(table):,} rows scored by {table['model_version'].iloc[0]}: {options.output}\n")
    return 0


def _content(table: pd.DataFrame, suffix: str) -> bytes:
    from ml.store.files import parquet_bytes

    if suffix == ".parquet":
        return parquet_bytes(table)
    if "reasons" in table:
        table = table.assign(reasons=table["reasons"].map(json.dumps))
    return table.to_csv(index=False).encode()
