"""A search within one training: Optuna's TPE in memory, within a budget of trials and of seconds."""

from __future__ import annotations

import logging
import time

from ml.backend import each
from ml.models import Params
from ml.search.trial import params_of, run_trial
from ml.tasks.task import Objective

# Trials that are drawn at random, the defaults among them, before the others follow what was good.
STARTUP = 5
logger = logging.getLogger(__name__)


def tune(objective: Objective, trials: int, seconds: float, seed: int) -> Params:
    """Return the parameters with the best score.

    The same seed and data give the same parameters as long as the number of trials ends the search; when
    the clock does, the log says so.

    Parameters
    ----------
    objective : Objective
    trials : int
        Number of trials, the defaults among them; 0 for the defaults untried.
    seconds : float
        No trial starts after this time.
    seed : int
    """
    import optuna

    if objective.space is None or trials < 1:
        return {}
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    drawn = min(STARTUP, trials)
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=drawn, multivariate=True)
    study = optuna.create_study(
        direction=objective.direction, sampler=sampler, pruner=optuna.pruners.NopPruner()
    )
    started = time.monotonic()
    # The first trials are drawn whatever the others are worth: they are run beside each other.
    first = [study.ask() for _ in range(drawn if seconds > 0 else 0)]
    chosen = [params_of(objective, trial, trial.number == 0) for trial in first]
    for trial, value in zip(first, each(objective.score, [(one, _unheard) for one in chosen]), strict=True):
        study.tell(trial, value)
    study.optimize(
        lambda trial: run_trial(objective, trial, trial.number == 0),
        n_trials=trials - len(first),
        timeout=max(0.0, seconds - (time.monotonic() - started)),
    )
    done = len(study.trials)
    if done < trials:
        logger.warning(
            "The clock (%g s) ended a search after %d of %d trials: another run may choose other parameters.",
            seconds, done, trials,
        )  # fmt: skip
    return dict(study.best_trial.user_attrs["params"])


def _unheard(value: float, step: int) -> None:
    """Nothing listens to a trial on its way."""
