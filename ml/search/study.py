"""A search for parameters that can be interrupted, resumed and shared by processes: Optuna on one journal.

What a trial is scored by is an `Objective`; see `ml.search.objectives`.
"""

from __future__ import annotations

import json
import logging
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml.search.objectives import Objective, SearchRequest, objective_for
from ml.store.files import write_atomically

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class SearchResult:
    """The outcome of a search, as the YAML file holds it."""

    model_type: str
    best_params: dict[str, Any]
    search_space: dict[str, Any]
    best_value: float
    trials: int
    seed: int

    def to_yaml(self) -> str:
        """Return the file's text; the same result is the same text."""
        import yaml

        return yaml.safe_dump(vars(self), sort_keys=True, allow_unicode=True)


def search(
    request: SearchRequest,
    trials: int,
    journal: Path,
    processes: int = 1,
    progress: Progress | None = None,
    plots_dir: Path | None = None,
) -> SearchResult:
    """Run trials until ``trials`` have ended, counting those that the journal holds already.

    Parameters
    ----------
    request : SearchRequest
        What is searched, on which data, with which seed.
    trials : int
    journal : Path
        The log of the search; the processes share it, and a later call goes on where it ends. A search on
        other data or with another seed does not see its trials.
    processes : int
        With one, the same seed gives the same trials, interrupted or not.
    progress : callable (done, trials) or None
    plots_dir : Path or None
        Folder of ``optimization_history.html`` and ``param_importances.html``, which need no network.
    """
    if trials < 1 or processes < 1:
        raise ValueError(f"trials and processes must be at least 1, not {trials} and {processes}.")
    objective = objective_for(request)
    journal.parent.mkdir(parents=True, exist_ok=True)
    with _quiet():
        study = _open(journal, objective)
        _give_up_interrupted(study)
        if processes == 1:
            _work(study, objective, request.seed, trials, progress)
        else:
            _work_in_processes(study, request, trials, journal, processes, progress)
        study = _open(journal, objective)
        result = _result(study, request)
        if plots_dir is not None:
            write_plots(study, plots_dir, request.seed)
    return result


def write_plots(study: Any, folder: Path, seed: int) -> None:
    """Draw the history of the search and the importance of its parameters as self-contained pages."""
    import optuna
    from optuna.importance import FanovaImportanceEvaluator

    pages = {"optimization_history": optuna.visualization.plot_optimization_history(study)}
    done = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    if len({trial.value for trial in done}) > 1:
        pages["param_importances"] = optuna.visualization.plot_param_importances(
            study, evaluator=FanovaImportanceEvaluator(seed=seed)
        )
    for name, figure in pages.items():
        page = figure.to_html(include_plotlyjs=True, full_html=True, div_id=name)
        write_atomically(folder / f"{name}.html", page)
    if "param_importances" not in pages:
        page = "<!doctype html><title>param_importances</title><p>Importance needs trials that differ.</p>"
        write_atomically(folder / "param_importances.html", page)


def _work(study: Any, objective: Objective, seed: int, trials: int, progress: Progress | None) -> None:
    """Run trials in this process until enough have ended in the journal."""
    import optuna

    while (done := len(_ended(study))) < trials:
        if progress is not None:
            progress(done, trials)
        # One sampler per trial, seeded by its number: an interrupted search goes on as it would have.
        study.sampler = optuna.samplers.TPESampler(
            seed=(seed * 1_000_003 + done) % 2**32, n_startup_trials=10, multivariate=True
        )
        study.optimize(objective.score, n_trials=1)
    if progress is not None:
        progress(len(_ended(study)), trials)


def _work_in_processes(
    study: Any, request: SearchRequest, trials: int, journal: Path, processes: int, progress: Progress | None
) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=_worker, args=(request, trials, journal, number), daemon=True)
        for number in range(processes)
    ]
    for worker in workers:
        worker.start()
    try:
        while any(worker.is_alive() for worker in workers):
            workers[0].join(0.5)
            for worker in workers[1:]:
                worker.join(0.05)
            if progress is not None:
                progress(min(trials, len(_ended(study))), trials)
    finally:
        for worker in workers:
            if worker.is_alive():
                worker.terminate()
    failed = [worker.exitcode for worker in workers if worker.exitcode]
    if failed:
        raise ValueError(f"{len(failed)} of {processes} processes of the search failed: see their messages.")


def _worker(request: SearchRequest, trials: int, journal: Path, number: int) -> None:
    objective = objective_for(request)
    with _quiet():
        study = _open(journal, objective)
        _work(study, objective, request.seed + 7919 * (number + 1), trials, None)


def _open(journal: Path, objective: Objective) -> Any:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    return optuna.create_study(
        study_name=objective.name,
        storage=JournalStorage(JournalFileBackend(str(journal))),
        direction=objective.direction,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=10, n_warmup_steps=1),
        load_if_exists=True,
    )


def _ended(study: Any) -> list[Any]:
    from optuna.trial import TrialState

    return list(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED)))


def _give_up_interrupted(study: Any) -> None:
    """Close trials that a killed process left open: they would be taken for running ones."""
    from optuna.trial import TrialState

    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)


def _result(study: Any, request: SearchRequest) -> SearchResult:
    ended = _ended(study)
    space: dict[str, Any] = {}
    for trial in ended:
        for name, distribution in trial.distributions.items():
            space[name] = _plain_distribution(distribution)
    best = study.best_trial
    return SearchResult(
        model_type=request.model_type,
        best_params=json.loads(json.dumps(best.user_attrs["params"])),
        search_space=space,
        best_value=round(float(best.value), 10),
        trials=len(ended),
        seed=request.seed,
    )


def _plain_distribution(distribution: Any) -> dict[str, Any]:
    kind = type(distribution).__name__.replace("Distribution", "").lower()
    values = {k: v for k, v in vars(distribution).items() if k in ("low", "high", "log", "step", "choices")}
    if isinstance(values.get("choices"), Sequence):
        values["choices"] = list(values["choices"])
    own = distribution._asdict() if hasattr(distribution, "_asdict") else values
    merged = {**own, **values}
    if isinstance(merged.get("choices"), tuple):
        merged["choices"] = list(merged["choices"])
    return {"type": kind, **merged}


@contextmanager
def _quiet() -> Iterator[None]:
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    logging.getLogger("optuna").setLevel(logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
