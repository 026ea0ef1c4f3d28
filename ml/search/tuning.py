"""The search for parameters: Optuna's TPE with a fixed seed, within a budget of trials and of seconds."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.models import ModelSpec, Params, Validation
from ml.tasks.duration_model import log_prediction

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class TuningData:
    """Encoded rows with log1p(hours): what a trial is fitted on and what it is scored on.

    The validation weights stand for slow rows whose end was not seen yet when the test part began;
    without them the search would prefer whatever promises too early.
    """

    x: NDArray[np.generic]
    y: NDArray[np.float64]
    weight: NDArray[np.float64]
    x_validation: NDArray[np.generic]
    y_validation: NDArray[np.float64]
    weight_validation: NDArray[np.float64]

    @property
    def validation(self) -> Validation:
        """The validation rows as early stopping takes them."""
        return self.x_validation, self.y_validation, self.weight_validation


@dataclass(frozen=True)
class TuningResult:
    """The best parameters, their validation MAE of log hours, and how many trials were run."""

    params: Params
    value: float
    trials: int
    stopped_by_clock: bool


def tune(spec: ModelSpec, data: TuningData, trials: int, seconds: float, seed: int) -> TuningResult:
    """Return the parameters with the lowest validation MAE of log hours.

    The defaults are the first trial, so that a search never ends below them. The same seed and data
    give the same parameters as long as the number of trials ends the search; when the clock does, the
    log says so.

    Parameters
    ----------
    spec : ModelSpec
    data : TuningData
    trials : int
        Number of trials; 0 for the defaults.
    seconds : float
        No trial starts after this time.
    seed : int
    """
    import optuna

    if not spec.is_searched or trials < 1:
        return TuningResult({}, float("nan"), 0, False)
    optuna.logging.set_verbosity(optuna.logging.WARNING)

    def objective(trial: optuna.Trial) -> float:
        # The first trial is the defaults as they stand; it is known to Optuna by no parameter.
        params = {**spec.defaults, **(spec.search_space(trial) if trial.number else {})}
        estimator = spec.build(params, seed, "absolute")
        spec.fit(estimator, data.x, data.y, data.weight, data.validation)
        predicted = log_prediction(estimator, data.x_validation, float(data.y.max()))
        trial.set_user_attr("params", params)
        return float(np.average(np.abs(predicted - data.y_validation), weights=data.weight_validation))

    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=min(5, trials), multivariate=True)
    study = optuna.create_study(direction="minimize", sampler=sampler)
    study.optimize(objective, n_trials=trials, timeout=seconds)
    done = len(study.trials)
    if done < trials:
        logger.warning(
            "The clock (%g s) ended the search of %s after %d of %d trials: "
            "another run may choose other parameters.",
            seconds, spec.name, done, trials,
        )  # fmt: skip
    return TuningResult(study.best_trial.user_attrs["params"], study.best_value, done, done < trials)
