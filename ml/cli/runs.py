"""The options of every command that names a run, or a model in one."""

from __future__ import annotations

import argparse
from pathlib import Path

from ml.store.run_folder import RunFolder

RUNS_DIR = "warehouse/models"
CHAMPION = "champion"


def add_run(command: argparse.ArgumentParser, *flags: str) -> None:
    """Let a command name a run and the folder of all runs."""
    command.add_argument(*flags, required=True, metavar="RUN", dest="run_name", help="name of its folder")
    command.add_argument("--runs-dir", default=RUNS_DIR, type=Path, metavar="DIR")


def named_run(options: argparse.Namespace) -> RunFolder:
    """Return the run that is named; ValueError when the name cannot be a folder's."""
    name = str(options.run_name)
    if not name or name.startswith(".") or Path(name).name != name:
        raise ValueError(f"The run name {name!r} is no plain folder name: use letters, digits, '-' and '_'.")
    return RunFolder(options.runs_dir / name)


def beside(output: Path) -> RunFolder:
    """Return the run folder that a command which writes one model to ``output`` leaves beside it."""
    return RunFolder(output.with_suffix(".run"))


def named_model(name: str, runs_dir: Path) -> tuple[RunFolder, str]:
    """Return the run folder and the name of a model.

    Parameters
    ----------
    name : str
        ``RUN/NAME`` below ``runs_dir``, or a path: of a run folder, of a model in it or of its file, or of
        the output that has its run folder beside it. ``champion`` stands for the model that a run chose; by
        itself for that of the newest run with one.
    runs_dir : Path

    Raises
    ------
    ValueError
        When there is no such model; the sentence says what there is.
    """
    if name == CHAMPION:
        return _newest_champion(runs_dir)
    for path in (Path(name), runs_dir / name):
        if path.is_dir():
            return _model_of(RunFolder(path), None)
        if beside(path).models():
            return _model_of(beside(path), None)
        folder = RunFolder(path.parent)
        for model in folder.models():
            if path.name in (model, folder.model_file(model).name):
                return folder, model
        if path.name and folder.models():
            return _model_of(folder, path.name)
    raise ValueError(f"There is no model {name!r}, here or in {runs_dir}: name it RUN/NAME.")


def _model_of(folder: RunFolder, name: str | None) -> tuple[RunFolder, str]:
    """Return the model called ``name``, or the champion, or the only one of a folder."""
    models = folder.models()
    chosen = folder.best() if name in (None, CHAMPION) else name
    if chosen is None and len(models) == 1:
        chosen = models[0]
    if chosen not in models:
        has = f"it has {', '.join(models)}" if models else "it has none"
        which = "chosen model" if chosen is None else f"model {chosen!r}"
        raise ValueError(f"The run {folder.path} has no {which} ({has}): name one, as RUN/NAME.")
    return folder, chosen


def _newest_champion(runs_dir: Path) -> tuple[RunFolder, str]:
    runs = [RunFolder(path) for path in sorted(runs_dir.glob("*")) if path.is_dir()]
    chosen = [(run, best) for run in runs if (best := run.best()) is not None and best in run.models()]
    if not chosen:
        raise ValueError(f"No run in {runs_dir} has chosen a champion: name a model, as RUN/NAME.")
    return max(chosen, key=lambda one: one[0].evaluation(one[1]).finished_at)
