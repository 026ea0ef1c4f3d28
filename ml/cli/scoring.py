"""The commands that train one scorer or ranker, and that search for parameters."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ml.cli.runs import beside
from ml.store.run_folder import RunFolder

FAMILY = "the family of models that learns scores; the task's own if left out"
HORIZON = "labels are those settled N days after an item's start; as given if left out"


def register(commands: Any) -> None:
    """Add ``train-scorer``, ``train-ranker`` and ``tune`` to the command line."""
    scorer = commands.add_parser("train-scorer", help="train a scorer of 0/1 labels")
    _common(scorer)
    scorer.add_argument("--eval-metric", choices=["auc", "average_precision"], default=None)
    scorer.add_argument("--cv-folds", type=int, default=None, metavar="N", help="group folds; 0 for none")
    scorer.add_argument(
        "--late",
        dest="task",
        action="store_const",
        const="late",
        default="scorer",
        help="the chance to be late: not ended within --horizon-days",
    )
    scorer.set_defaults(run=_train)

    ranker = commands.add_parser("train-ranker", help="train a ranker of groups by graded relevance")
    _common(ranker)
    ranker.add_argument("--ndcg-at", type=int, nargs="+", default=None, metavar="K")
    ranker.add_argument("--cv-folds", type=int, default=None, metavar="N", help="group folds; 0 for none")
    ranker.set_defaults(run=_train, task="ranker")

    tune = commands.add_parser("tune", help="search for a model's best parameters")
    tune.add_argument(
        "--model-type", required=True, metavar="TYPE", help="scorer, late, ranker, cluster, forest, …"
    )
    tune.add_argument("--data-dir", required=True, type=Path, metavar="DIR")
    tune.add_argument("--trials", type=int, default=100)
    tune.add_argument("--output", required=True, type=Path, metavar="FILE.yaml")
    tune.add_argument("--processes", type=int, default=1, metavar="N")
    tune.add_argument("--seed", type=int, default=None)
    tune.add_argument("--config", type=Path, default=None, metavar="FILE.yaml")
    tune.add_argument("--rows", type=int, default=None, metavar="N", help="search on about N rows")
    tune.add_argument("--horizon-days", type=float, default=None, metavar="N", help=HORIZON)
    tune.add_argument("--family", default=None, metavar="NAME", help=FAMILY)
    tune.set_defaults(run=_tune)


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--forward-cuts",
        type=int,
        default=None,
        metavar="N",
        help="judge the order at N earlier cuts in time, too: fitted on the past, scored on what came next",
    )
    parser.add_argument("--data-dir", required=True, type=Path, metavar="DIR")
    parser.add_argument("--output", required=True, type=Path, metavar="FILE.txt")
    parser.add_argument("--config", type=Path, default=None, metavar="FILE.yaml")
    parser.add_argument("--horizon-days", type=float, default=None, metavar="N", help=HORIZON)
    parser.add_argument("--validation-groups", type=float, default=None, metavar="N")
    parser.add_argument("--test-groups", type=float, default=None, metavar="N")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--family", default=None, metavar="NAME", help=FAMILY)


def _train(options: argparse.Namespace) -> int:
    from ml.data.dataset import Dataset
    from ml.runs.card import cuts_text, figures_text, folds_text
    from ml.runs.train import train_models
    from ml.search.settings import read_config
    from ml.store.outputs import check_output_file
    from ml.tasks import task_of

    names = (
        "horizon_days", "eval_metric", "cv_folds", "forward_cuts", "ndcg_at", "validation_groups",
        "test_groups", "seed",
    )  # fmt: skip
    check_output_file(options.output)
    if options.output.suffix in (".json", ".run"):
        raise ValueError(f"{options.output} would be overwritten by its own report: name the model FILE.txt.")
    config = read_config(options.config, **{name: getattr(options, name, None) for name in names})
    dataset = Dataset.from_dir(options.data_dir)
    model, folder = options.family or options.task, beside(options.output)
    (trained,) = train_models(dataset, [model], folder.path, config, task=task_of(options.task))
    written = _write_model(options.output, folder, model)
    report = folder.report(model)
    texts = [figures_text(trained.metrics), cuts_text(trained.metrics), folds_text(report)]
    print("\n".join(filter(None, texts)))
    print(f"model: {options.output}\nreport: {written}\nto score with: --model {options.output}")
    return 0


def _write_model(path: Path, folder: RunFolder, model: str) -> Path:
    """Write the learner's native file to ``path`` and the report beside it; return the report's path."""
    from ml.store.files import json_text, write_atomically

    report, native = path.with_suffix(".json"), folder.model(model).learner.native()
    if native is None:
        raise ValueError(f"The family {model!r} has no file of its own: its model is in {folder.path}.")
    write_atomically(path, native[1])
    write_atomically(report, json_text(folder.report(model)))
    return report


def _tune(options: argparse.Namespace) -> int:
    from tqdm import tqdm

    from ml.search.settings import read_config
    from ml.search.study import SearchRequest, search
    from ml.store.files import write_atomically
    from ml.store.outputs import check_output_file

    check_output_file(options.output)
    journal = options.output.with_suffix(".journal")
    if journal == options.output:
        raise ValueError(f"{journal} is the search's own journal: name the output FILE.yaml.")
    config = read_config(options.config, seed=options.seed, horizon_days=options.horizon_days)
    request = SearchRequest(
        options.model_type, options.data_dir, options.seed, config, options.rows, options.family
    )
    with tqdm(total=options.trials, file=sys.stderr, unit="trial") as bar:

        def show(done: int, trials: int) -> None:
            bar.n = done
            bar.refresh()

        plots = options.output.parent / "plots"
        result = search(request, options.trials, journal, options.processes, show, plots)
    write_atomically(options.output, result.to_yaml())
    print(f"{result.model_type}: {result.best_value:.4f} after {result.trials} trials: {options.output}")
    return 0
