"""`python -m orchestration run`: Dagster materialises, its log goes to a file, the terminal gets the gist."""

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from orchestration.failures import tell_failure
from orchestration.settings import PROJECT_ROOT, Settings
from orchestration.terminal.progress import Progress

_POLL_SECONDS = 0.1
# Nothing of a run reads what a search found unless it is told to.
EVERYTHING = "not group:tuning"


class RunFailedError(ValueError):
    """The run failed; the message says why and where the log is."""


def register(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser("run", help="run the pipeline, with a line per stage and a summary")
    command.add_argument(
        "--select",
        default=EVERYTHING,
        metavar="ASSETS",
        help="as `dagster asset materialize` takes it; default all but the searches for parameters",
    )
    command.add_argument("--config-json", metavar="JSON", help="configuration, as Dagster takes it")
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    settings = Settings.from_environment()
    log = _new_log(settings)
    for name, value in settings.described().items():
        print(f"{name.capitalize():<12} {value}", flush=True)
    progress = Progress(lambda line: print(line, flush=True))
    command = [sys.executable, "-m", "dagster", "asset", "materialize", "-m", "orchestration.definitions"]
    command += ["--select", options.select]
    command += ["--config-json", options.config_json] if options.config_json else []
    code = _follow(command, log, progress)
    for check in progress.checks:
        print(f"  warning: {check}")
    if code:
        reasons = [f"{stage}: {why}" if stage else why for stage, why in _told(progress).items()]
        reasons = reasons or ["the run ended without a word."]
        tell_failure(settings, f"make run, {log.name}", "; ".join(reasons))
        raise RunFailedError("\n".join([*reasons, f"The log: {log}"]))
    print()
    # DuckDB is not needed for following a run.
    from orchestration.terminal.summary import summary

    for heading, sentence in summary(settings):
        print(f"{heading:<12} {sentence}")
    print(f"{'Log':<12} {log}")
    print(f"{'Next':<12} make dev: the assets with their numbers and pictures, on http://127.0.0.1:3000")


def _new_log(settings: Settings) -> Path:
    folder = settings.warehouse_dir / "logs"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        log = folder / f"run-{datetime.now():%Y%m%d-%H%M%S}.log"
        log.touch()
    except OSError as error:
        raise ValueError(
            f"Cannot write below {settings.warehouse_dir} ({error.strerror}): set WAREHOUSE_DIR to a"
            " folder of yours."
        ) from None
    return log


def _follow(command: list[str], log: Path, progress: Progress) -> int:
    """Run a command whose every word goes to `log`, and follow it there; its exit code.

    A file and no pipe: what follows may die, and the run goes on.
    """
    with (
        log.open("w") as written,
        subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=written, stderr=subprocess.STDOUT) as process,
    ):
        for line in _lines(log, process):
            progress.feed(line)
    return process.returncode


def _lines(log: Path, process: "subprocess.Popen[bytes]") -> Iterator[str]:
    with log.open(errors="replace") as content:
        rest = ""
        while True:
            has_ended = process.poll() is not None
            while line := content.readline():
                rest += line
                if rest.endswith("\n"):
                    yield rest
                    rest = ""
            if has_ended:
                return
            time.sleep(_POLL_SECONDS)


def _told(progress: Progress) -> dict[str, str]:
    """Why stages failed; what stopped the run outside of a stage only when no stage did."""
    stages = {stage: why for stage, why in progress.failures.items() if stage}
    return stages or progress.failures
