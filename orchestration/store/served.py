"""Models without rivals: the runs that each was trained in, and what of them the database holds.

Training works on files alone and leaves a line in a file; whoever holds the database brings it up to them.
A database that was removed, or restored from a copy, comes to hold them again without any training.
"""

import logging
from pathlib import Path

import duckdb

from ml.store.files import file_name, sha256_of_file, write_atomically
from ml.store.run_folder import RunFolder
from orchestration.store.results import load_training
from orchestration.store.steps import Made, StepTable

logger = logging.getLogger(__name__)

_SUFFIX = ".runs"


def runs_file(runs_dir: Path, model: str) -> Path:
    """The file with a line per run that a model was trained in, the current one last."""
    return runs_dir / f"{file_name(model)}{_SUFFIX}"


def serve(run_dir: Path, model: str) -> None:
    """Make the model of a run the current one of its name."""
    file = runs_file(run_dir.parent, model)
    runs = {line.partition(" ")[0]: line for line in _lines(file)}
    before = [line for run, line in runs.items() if run != run_dir.name and (file.parent / run).is_dir()]
    # With the hash of its record: trained again in the same folder it may be another one.
    own = f"{run_dir.name} {sha256_of_file(RunFolder(run_dir).evaluation_file(model))}"
    write_atomically(file, "".join(f"{line}\n" for line in (*before, own)))


def load_served(database: duckdb.DuckDBPyConnection, runs_dir: Path) -> None:
    """Bring the current models into `ml`, and all of them into the history, as far as they are not there."""
    table = StepTable(database)
    versions = table.versions()
    for file in sorted(runs_dir.glob(f"*{_SUFFIX}")):
        # What stands for it among what steps made.
        step, model, lines = f"loaded/{file.stem}", file.stem, _lines(file)
        known = versions.get(step, "").splitlines()
        if not lines or lines == known:
            continue
        current, is_whole = lines[-1], False
        for line in lines:
            if line == current or line not in known:
                folder = RunFolder(runs_dir / line.partition(" ")[0])
                if is_whole := _is_whole(folder, model):
                    load_training(database, folder.path, [model], is_served=True, is_current=line == current)
        if is_whole:
            table.remember(Made(step, "", "\n".join(lines), {}, ""))
        else:
            logger.warning("What %s names last is gone or damaged: materialize models/%s.", file, model)


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8", errors="replace").splitlines() if file.exists() else []


def _is_whole(folder: RunFolder, model: str) -> bool:
    try:
        return folder.is_whole(folder.evaluation(model))
    except (OSError, ValueError):
        return False
