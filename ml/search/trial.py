"""One trial of any search: the defaults as they stand first, then what the sampler suggests over them."""

from __future__ import annotations

from typing import Any

from ml.models import Params
from ml.tasks.task import Objective


def params_of(objective: Objective, trial: Any, is_first: bool) -> Params:
    """Return the parameters of a trial, and keep them with it."""
    suggested = {} if is_first or objective.space is None else objective.space(trial)
    params: Params = {**objective.defaults, **suggested}
    trial.set_user_attr("params", params)
    return params


def run_trial(objective: Objective, trial: Any, is_first: bool) -> float:
    """Score the defaults in the first trial of a search, so that none ends below them, or suggested ones.

    The parameters are kept with the trial. Optuna knows those of the first trial by no distribution: defaults
    may lie outside of what is searched.

    Raises
    ------
    optuna.TrialPruned
        When the score on the way is below the others'.
    """
    import optuna

    params = params_of(objective, trial, is_first)

    def report(value: float, step: int) -> None:
        trial.report(value, step)
        if trial.should_prune():
            raise optuna.TrialPruned

    return objective.score(params, report)
