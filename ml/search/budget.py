"""A search within one training: Optuna's TPE in memory, within a budget of trials and of seconds."""

from __future__ import annotations

import logging

from ml.models import Params
from ml.search.trial import run_trial
from ml.tasks.task import Objective

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
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=min(5, trials), multivariate=True)
    study = optuna.create_study(
        direction=objective.direction, sampler=sampler, pruner=optuna.pruners.NopPruner()
    )
    study.optimize(
        lambda trial: run_trial(objective, trial, trial.number == 0), n_trials=trials, timeout=seconds
    )
    done = len(study.trials)
    if done < trials:
        logger.warning(
            "The clock (%g s) ended a search after %d of %d trials: another run may choose other parameters.",
            seconds, done, trials,
        )  # fmt: skip
    return dict(study.best_trial.user_attrs["params"])
