"""A search for parameters that can be interrupted, resumed and shared by processes: Optuna on one journal.

What a trial is scored by is the `Objective` of a task; see `ml.tasks.task`.
"""

from __future__ import annotations

import hashlib
import json
import logging
import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ml.data.dataset import Dataset
from ml.models import registry
from ml.search.journal import OWNER, SharedJournal, is_dead, own_name
from ml.search.trial import run_trial
from ml.store.files import write_atomically
from ml.tasks import DURATION, TASKS
from ml.tasks.duration.task import TrainingConfig
from ml.tasks.scoring.settings import ScoringConfig
from ml.tasks.task import Objective

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class SearchRequest:
    """What is searched: a model type, the folder of its training set, the seed and the settings.

    Parameters
    ----------
    model_type : str
        "scorer", "ranker", "cluster", or a family that learns durations.
    data_dir : Path
    seed : int or None
        None for the seed of the settings.
    config : ScoringConfig
        Of scorers and rankers.
    rows : int or None
        Scorers and rankers are searched on about so many rows, whole groups of them; None for all.
    family : str or None
        The family that learns scores; None for the task's own.
    """

    model_type: str
    data_dir: Path
    seed: int | None = None
    config: ScoringConfig = field(default_factory=ScoringConfig)
    rows: int | None = None
    family: str | None = None

    def __post_init__(self) -> None:
        if self.rows is not None and self.rows < 1:
            raise ValueError(f"rows must be at least 1, not {self.rows}.")

    @property
    def own_seed(self) -> int:
        """The seed of the sampler and of the fits."""
        return self.config.seed if self.seed is None else self.seed


@dataclass(frozen=True, eq=False)
class NamedObjective:
    """An objective with its study's name, which hashes everything that decides it."""

    name: str
    objective: Objective


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


def model_types() -> list[str]:
    """Return everything that can be searched."""
    scored = [kind for kind in TASKS if kind != DURATION.kind]
    return [*scored, *(name for name, spec in registry().items() if spec.is_searched)]


def objective_for(request: SearchRequest) -> NamedObjective:
    """Return the objective of a request; an unknown model type raises ValueError."""
    known, config = model_types(), request.config
    if request.model_type not in known:
        raise ValueError(f"There is no model type {request.model_type!r}: choose from {', '.join(known)}.")
    dataset = Dataset.from_dir(request.data_dir)
    if request.model_type in TASKS:
        bench = TASKS[request.model_type].prepare(dataset, config, request.family, rows=request.rows)
    elif not (config.horizon_days is request.rows is request.family is None):
        raise ValueError(
            f"The model type {request.model_type!r} learns durations: it is a family itself, and takes "
            "neither a horizon nor a number of rows; leave these out."
        )
    else:
        bench = DURATION.prepare(dataset, TrainingConfig(seed=request.own_seed), request.model_type)
    objective = bench.objective()
    decides = [
        dataset.snapshot_id, request.model_type, request.own_seed, request.rows, request.family,
        asdict(config),
        objective.metric, objective.defaults,
    ]  # fmt: skip
    digest = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:12]
    return NamedObjective(f"{request.model_type}-{digest}", objective)


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
        _give_up_dead(study)
        if processes == 1:
            _work(study, objective.objective, request.own_seed, trials, progress)
        else:
            _work_in_processes(study, request, trials, journal, processes, progress)
        study = _open(journal, objective)
        result = _result(study, request)
        if plots_dir is not None:
            write_plots(study, plots_dir, request.own_seed)
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
    from optuna.trial import TrialState

    while (done := len(_ended(study))) < trials:
        if progress is not None:
            progress(done, trials)
        others = len(study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)))
        position = done + others
        # One sampler per trial, seeded by its place: an interrupted search goes on as it would have.
        study.sampler = optuna.samplers.TPESampler(
            seed=(seed * 1_000_003 + position) % 2**32, n_startup_trials=10, multivariate=True
        )
        study.optimize(_owned(objective, position == 0), n_trials=1)
    if progress is not None:
        progress(len(_ended(study)), trials)


def _owned(objective: Objective, is_first: bool) -> Callable[[Any], float]:
    def score(trial: Any) -> float:
        trial.set_user_attr(OWNER, own_name())
        return run_trial(objective, trial, is_first)

    return score


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
        _work(study, objective.objective, request.own_seed + 7919 * (number + 1), trials, None)


def _open(journal: Path, objective: NamedObjective) -> Any:
    import optuna
    from optuna.storages import JournalStorage

    return optuna.create_study(
        study_name=objective.name,
        storage=JournalStorage(SharedJournal(journal)),
        direction=objective.objective.direction,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=10, n_warmup_steps=1),
        load_if_exists=True,
    )


def _ended(study: Any) -> list[Any]:
    from optuna.trial import TrialState

    return list(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED)))


def _give_up_dead(study: Any) -> None:
    """Close trials that a killed process left open; those of living processes go on."""
    from optuna.trial import TrialState

    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if is_dead(trial.user_attrs.get(OWNER)):
            study.tell(trial.number, state=TrialState.FAIL)


def _result(study: Any, request: SearchRequest) -> SearchResult:
    from optuna.distributions import distribution_to_json

    ended = _ended(study)
    space = {
        name: json.loads(distribution_to_json(distribution))
        for trial in ended
        for name, distribution in trial.distributions.items()
    }
    best = study.best_trial
    return SearchResult(
        model_type=request.model_type,
        best_params=json.loads(json.dumps(best.user_attrs["params"])),
        search_space=space,
        best_value=round(float(best.value), 10),
        trials=len(ended),
        seed=request.own_seed,
    )


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
