"""The command line: train models on a folder of the contract, and read the bias reports of a run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ml.cli import bias as commands_bias
from ml.cli import scoring as commands_ranking

RUNS_DIR = "warehouse/models"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code. Bad input is one sentence on standard error and code 1."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (ValueError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ml", description="Train and inspect models.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    train = commands.add_parser("train", help="train models on DIR/train.parquet and DIR/label.parquet")
    train.add_argument("-m", "--models", nargs="+", metavar="MODEL", help="models to train (default: all)")
    train.add_argument(
        "-r", "--run", required=True, metavar="RUN", dest="run_name", help="name of its folder"
    )
    train.add_argument("--data-dir", required=True, type=Path, metavar="DIR")
    train.add_argument("--runs-dir", default=RUNS_DIR, type=Path, metavar="DIR")
    train.add_argument("--trials", type=int, default=None, help="trials of the search per model")
    train.add_argument("--seconds", type=float, default=None, help="no trial starts later than this")
    train.add_argument("--subset-size", type=int, default=None, metavar="N", help="train on N rows at most")
    train.add_argument("--seed", type=int, default=None)
    train.set_defaults(run=_train)

    commands_bias.register(commands, RUNS_DIR, _run_folder)
    commands_ranking.register(commands)
    return parser


def _train(options: argparse.Namespace) -> int:
    from tqdm import tqdm

    from ml.data.dataset import Dataset
    from ml.models import find, registry
    from ml.reports.bias import write_bias_reports
    from ml.runs.card import leaderboard_text
    from ml.runs.train import TrainingConfig, train_models

    folder = _run_folder(options.runs_dir, options.run_name)
    names = list(dict.fromkeys(options.models or registry()))
    for name in names:
        find(name)
    given = {k: getattr(options, k) for k in ("trials", "seconds", "subset_size", "seed")}
    config = TrainingConfig(**{k: v for k, v in given.items() if v is not None})
    dataset = Dataset.from_dir(options.data_dir)

    stages = ("prepare", "tune", "fit", "evaluate", "done")
    with tqdm(total=len(names) * len(stages), file=sys.stderr, unit="stage") as bar:

        def show(model: str, stage: str) -> None:
            bar.set_description(f"{model}: {stage}")
            done = names.index(model) * len(stages)
            bar.n = done + (len(stages) if stage in ("done", "skipped") else stages.index(stage))
            bar.refresh()

        evaluations = train_models(dataset, names, folder, config, show)
    write_bias_reports(dataset, evaluations, folder)
    print(leaderboard_text(evaluations))
    return 0


def _run_folder(runs_dir: Path, run: str) -> Path:
    if not run or run.startswith(".") or Path(run).name != run:
        raise ValueError(f"The run name {run!r} is no plain folder name: use letters, digits, '-' and '_'.")
    return runs_dir / run


if __name__ == "__main__":
    sys.exit(main())
