"""The current run of a domain, the tickets' unless said otherwise, as the assets after training see it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.defs.resources import Project
from orchestration.store.results import current_run

if TYPE_CHECKING:
    from ml.data.dataset import Dataset
    from ml.store.record import Evaluation

DOMAIN = "tickets"


@dataclass(frozen=True)
class Run:
    """A run folder and what was trained in it."""

    folder: Path
    snapshot: Path
    evaluations: list["Evaluation"]


def read_current_run(project: Project, domain: str = DOMAIN, tasks: Sequence[str] = ("regression",)) -> Run:
    """The run whose results are in the pipeline's database."""
    from ml.store.run_folder import RunFolder

    settings = project.settings()
    with project.database() as database:
        run = current_run(database, domain, tasks)
    folder = settings.runs_dir / run.run_id
    return Run(
        folder,
        settings.snapshots_dir / run.snapshot_id,
        RunFolder(folder).evaluations(run.models),
    )


# Two: what is trained on several domains in turn reads each of them once.
@lru_cache(maxsize=2)
def read_dataset(snapshot: Path) -> "Dataset":
    """The snapshot in memory; read once for all models of a process, since it never changes."""
    from ml.data.dataset import Dataset

    dataset = Dataset.from_dir(snapshot)
    if dataset.snapshot_id != snapshot.name:
        raise ValueError(
            f"The snapshot {snapshot} does not hold what its name says: it was changed, or taken by an "
            "earlier version; take it again with --select '*training_snapshot', or run the whole pipeline."
        )
    return dataset
