"""Tasks on tickets beside the hours: which are closed within a horizon, and which come first in a week."""

from pydantic import Field

from orchestration.defs.runs import DOMAIN
from orchestration.defs.scored_assets import model_asset, tuned_parameters_asset
from orchestration.defs.scored_tasks import ScoredTask, SmallTuning, TimelineRun
from orchestration.facts import fact

HORIZON = "Closed within so many days of creation, or not."


class LateRun(TimelineRun):
    """How the late scorer is trained."""

    horizon_days: float = Field(default=7, gt=0, description=HORIZON)


class LateTuning(SmallTuning):
    """How the late scorer is tuned."""

    horizon_days: float = Field(default=7, gt=0, description=HORIZON)


LATE_SCORER = ScoredTask(
    name="late_scorer",
    domain=DOMAIN,
    snapshot="training_snapshot",
    kind="scorer",
    description="The chance that a ticket is closed within the horizon; every ticket that old has a label.",
    run=LateRun,
    tuning=LateTuning,
)
TRIAGE_RANKER = ScoredTask(
    name="triage_ranker",
    domain=DOMAIN,
    snapshot="training_snapshot",
    kind="ranker",
    description="The order of the tickets of a repository's week: those that prove urgent come first.",
    horizon_days=fact("triage_days"),
    # As good on validation as the smaller steps that small batches need, in less than half of the time.
    params={"gain_trees": 200, "learning_rate": 0.03, "n_estimators": 300},
    run=TimelineRun,
    tuning=SmallTuning,
)
TICKET_TASKS = (LATE_SCORER, TRIAGE_RANKER)

ticket_models = [model_asset(task) for task in TICKET_TASKS]
ticket_tuning = [tuned_parameters_asset(task) for task in TICKET_TASKS]
