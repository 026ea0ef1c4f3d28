"""The models that are current and say something of open tickets."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestration.defs.resources import Project
from orchestration.defs.runs import find_current_runs
from orchestration.domains.tickets.leaderboard import TASK
from orchestration.domains.tickets.tasks import LATE_SCORER, REMAINING, TICKETS, TRIAGE_RANKER
from orchestration.store.promotions import champion, follow_promotions

if TYPE_CHECKING:
    from ml.tasks.duration.model import DurationModel
    from ml.tasks.remaining.model import RemainingModel
    from ml.tasks.scoring.model import ScoringModel


@dataclass(frozen=True)
class Served:
    """What is current; None for what was skipped, refused or never trained.

    Parameters
    ----------
    remaining, hours : (model, version) or None
        The champions of the remaining time, and of the hours as seen from the creation.
    triage, late : model or None
    late_days : float
        Days after which the late scorer calls a ticket late.
    """

    remaining: "tuple[RemainingModel, str] | None" = None
    hours: "tuple[DurationModel, str] | None" = None
    triage: "ScoringModel | None" = None
    late: "ScoringModel | None" = None
    late_days: float = 0


def served_models(project: Project) -> Served:
    """Load what is current."""
    from ml.store.run_folder import RunFolder

    alone = {
        one.model: (RunFolder(run.folder).model(one.model), one.settings)
        for run in find_current_runs(project, TICKETS.name, ["binary", "ranking"])
        for one in run.evaluations
    }
    triage, _ = alone.get(TRIAGE_RANKER.name, (None, {}))
    late, settings = alone.get(LATE_SCORER.name, (None, {}))
    return Served(
        remaining=load_champion(project, REMAINING.name),
        hours=load_champion(project, TICKETS.name),
        triage=triage,
        late=late,
        late_days=settings.get("horizon_days", 0),
    )


def load_champion(project: Project, training_set: str) -> tuple[Any, str] | None:
    """The champion of what is learned from a training set, and its version."""
    from ml.store.promotions import kept_folder
    from ml.store.run_folder import RunFolder

    runs_dir = project.settings().runs_dir
    with project.database() as database:
        promoted = follow_promotions(database, runs_dir, training_set, TASK)
        best = champion(database, training_set, TASK)
    if best is None:
        return None
    folder = kept_folder(runs_dir, best.model_version) if promoted else RunFolder(runs_dir / best.run_id)
    return folder.model(best.model), best.model_version
