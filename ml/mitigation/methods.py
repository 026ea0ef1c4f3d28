"""The ways to fit a model again so that it serves the groups of one slice column more alike.

Each takes the rows that it may learn from and what was known of them; none sees a later row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.bias import OTHER_GROUPS, BiasMitigator, fit_bounded_group_loss, pool_groups
from ml.data.dataset import Dataset
from ml.data.outcomes import Outcomes
from ml.mitigation.models import MixtureRegressor, main_slices, slices_by_size
from ml.models import ModelSpec
from ml.tasks.duration.fit import Mask, Workbench

SAMPLE_WEIGHTS = "sample_weights"
RESAMPLING = "resampling"
ADJUSTMENT = "prediction_adjustment"
CONSTRAINED = "exponentiated_gradient"
METHODS = (SAMPLE_WEIGHTS, RESAMPLING, ADJUSTMENT, CONSTRAINED)
# The reduction fits a few dozen times: fewer and, where they build on each other, bolder trees.
_CHEAP_BOOSTED, _CHEAP_BAGGED, _CHEAP_RATE = 60, 15, 0.15
# A smaller group of the drawn rows has no loss worth a constraint.
_MIN_GROUP_ROWS = 30


@dataclass(frozen=True, eq=False)
class Target:
    """The slice column that is mitigated: every row's group, and the groups by size in the training part."""

    column: str
    order: list[str]
    groups: NDArray[np.object_]

    @classmethod
    def of(cls, dataset: Dataset, column: str, rows: Mask) -> Target:
        """Read a column of the items; ``rows``, the training part, decide the order."""
        order = slices_by_size(dataset.items.loc[rows, column])
        return cls(column, order, main_slices(dataset.items[column], order))


@dataclass(frozen=True, eq=False)
class Fitted:
    """A regressor of log1p(hours), the largest one that it saw, and what it cost."""

    regressor: Any
    log_limit: float
    n_fits: int = 1
    note: str = ""


@dataclass(frozen=True, eq=False)
class Fitting:
    """Everything that the methods share: the rows, the family with its parameters, and the target.

    Parameters
    ----------
    bench : Workbench
    spec : ModelSpec
    params : mapping
    target : Target
    constrained_rows : int
        Rows that each fit of the reduction sees at most.
    max_groups : int
        Groups of the reduction at most; smaller ones are pooled.
    """

    bench: Workbench
    spec: ModelSpec
    params: Mapping[str, Any]
    target: Target
    constrained_rows: int
    max_groups: int

    def by(self, method: str, rows: Mask, outcomes: Outcomes) -> Fitted | None:
        """Fit by one method; None when the rows hold nothing that it could even out."""
        fits: dict[str, Callable[[Mask, Outcomes], Fitted | None]] = {
            SAMPLE_WEIGHTS: self._weighted,
            RESAMPLING: self._resampled,
            CONSTRAINED: self._constrained,
        }
        if method not in fits:
            raise ValueError(f"There is no way to fit by {method!r}: choose from {', '.join(fits)}.")
        return fits[method](rows, outcomes)

    def _weighted(self, rows: Mask, outcomes: Outcomes) -> Fitted | None:
        learners = self._learners(rows, outcomes)
        if learners["group"].nunique() < 2:
            return None
        weight = BiasMitigator.compute_sample_weights(learners, "group")
        return self._fit_with(learners.index, weight.to_numpy(), rows, outcomes)

    def _resampled(self, rows: Mask, outcomes: Outcomes) -> Fitted | None:
        learners = self._learners(rows, outcomes)
        if learners["group"].nunique() < 2:
            return None
        drawn = BiasMitigator.resample_underrepresented(
            learners.assign(row=learners.index, split="train"), "group", seed=self.bench.seed
        )
        # A row drawn k times weighs k: copies of a hundred small groups would not fit into memory.
        times = np.bincount(drawn["row"], minlength=len(rows))[learners.index]
        return self._fit_with(learners.index, times.astype(float), rows, outcomes)

    def _constrained(self, rows: Mask, outcomes: Outcomes) -> Fitted | None:
        """Bounded group loss on rows drawn by their weights, which the reduction has no place for."""
        known = np.flatnonzero(rows & outcomes.known)
        weight = self.bench.regressor_weights(self.spec, rows, outcomes)[known]
        rng = np.random.default_rng(self.bench.seed)
        drawn = np.sort(rng.choice(known, min(self.constrained_rows, len(known)), p=weight / weight.sum()))
        groups = self.target.groups[drawn]
        sizes = pd.Series(groups, dtype=object).value_counts()
        large = set(sizes.index[sizes >= _MIN_GROUP_ROWS])
        groups = np.array([name if name in large else OTHER_GROUPS for name in groups], dtype=object)
        groups = pool_groups(groups, self.max_groups)
        if min(pd.Series(groups, dtype=object).value_counts().to_numpy()) < 2:
            keep = groups != OTHER_GROUPS
            drawn, groups = drawn[keep], groups[keep]
        if len(set(groups)) < 2:
            return None
        logs = np.log1p(outcomes.hours)
        found = fit_bounded_group_loss(
            self.spec.build(_cheap(self.params), self.bench.seed, "absolute"),
            np.asarray(self.bench.x[drawn]),
            logs[drawn],
            groups,
            max_groups=self.max_groups,
            max_iter=6,
        )
        worst = max(found.group_losses, key=lambda name: found.group_losses[name])
        verdict = "met" if found.satisfied else f"not met by {worst} ({found.group_losses[worst]:.3f})"
        return Fitted(
            MixtureRegressor(list(found.predictors), found.weights.tolist()),
            float(logs[drawn].max()),
            found.n_fits,
            f"bound {found.upper_bound:.3f} on the training rows {verdict}",
        )

    def _learners(self, rows: Mask, outcomes: Outcomes) -> pd.DataFrame:
        known = np.flatnonzero(rows & outcomes.known)
        return pd.DataFrame({"group": self.target.groups[known]}, index=known)

    def _fit_with(
        self, learners: pd.Index, weight: NDArray[np.float64], rows: Mask, outcomes: Outcomes
    ) -> Fitted:
        extra = np.ones(len(rows))
        extra[learners] = weight
        weighting = self.bench.weighting
        if self.target.column == self.bench.dataset.config.weight_by:
            # The column is tempered already; both together would overshoot.
            weighting = replace(weighting, group_power=0.0)
        bench = replace(self.bench, extra_weight=extra, weighting=weighting)
        return Fitted(*bench.fit_regressor(self.spec, self.params, rows, outcomes))


def _cheap(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a family for one of the reduction's many fits."""
    cheap = dict(params)
    most = _CHEAP_BOOSTED if "learning_rate" in cheap else _CHEAP_BAGGED
    if "n_estimators" in cheap:
        cheap["n_estimators"] = min(int(cheap["n_estimators"]), most)
    if "learning_rate" in cheap:
        cheap["learning_rate"] = max(float(cheap["learning_rate"]), _CHEAP_RATE)
    return cheap
