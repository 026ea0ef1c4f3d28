"""The leaderboard of the hours: which models stand on it, and what a training changes of that."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import duckdb

from ml.store.key import key_of
from ml.store.run_folder import original_name
from orchestration.store.results import load_training, retire_models

if TYPE_CHECKING:
    from ml.store.record import Evaluation
    from orchestration.defs.runs import Run

TASK = "regression"


def is_mitigated(model: str) -> bool:
    """Whether a model is another one after mitigation."""
    return original_name(model) != model


def join(standing: Sequence["Evaluation"], trained: Sequence["Evaluation"]) -> list["Evaluation"]:
    """The leaderboard after a training.

    On the snapshot of those that stand there, a model takes the place of its namesake from another run only
    if its error over the origins is lower; the rest of the leaderboard stays. A new snapshot, on which
    nothing can be compared with what was, takes over when all that stand there were trained on it. Mitigated
    models stay beside the very model that they were made of.

    Parameters
    ----------
    standing, trained : sequence of Evaluation
        Originals and mitigated models.
    """
    from ml.runs.select import is_better

    if not standing:
        return list(trained)
    if standing[0].snapshot_id != trained[0].snapshot_id:
        needed = {one.model for one in standing if not is_mitigated(one.model)}
        return list(trained) if needed <= {one.model for one in trained} else list(standing)
    best: dict[str, Evaluation] = {}
    for one in (*standing, *trained):
        if is_mitigated(one.model):
            continue
        held = best.get(one.model)
        if held is None or held.run_id == one.run_id or is_better(one, held):
            best[one.model] = one
    for one in (*standing, *trained):
        original = original_name(one.model)
        if is_mitigated(one.model) and original in best and best[original].run_id == one.run_id:
            best[one.model] = one
    return list(best.values())


def version_of(board: Sequence["Evaluation"]) -> str:
    """A hash of what stands on a leaderboard, which no training decides alone."""
    return key_of("store", board=sorted([one.run_id, one.model_version] for one in board))


def seat(
    database: duckdb.DuckDBPyConnection,
    domain: str,
    board: Sequence["Evaluation"],
    trained: "Run",
) -> list[str]:
    """Bring a run into the history, and what of it is on the leaderboard into `ml`; names of the latter."""
    seated = [one.model for one in board if one.run_id == trained.folder.name]
    others = [one.model for one in trained.evaluations if one.model not in seated]
    if seated:
        load_training(database, trained.folder, seated)
    if others:
        load_training(database, trained.folder, others, is_current=False)
    retire_models(database, domain, TASK, [one.model for one in board])
    return seated
