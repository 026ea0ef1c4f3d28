"""`python -m orchestration run`: Dagster materialises, its log goes to a file, the terminal gets the gist."""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from orchestration.environment import environment_with
from orchestration.failures import tell_failure
from orchestration.settings import PROJECT_ROOT, Settings
from orchestration.terminal.durations import earlier_durations
from orchestration.terminal.progress import Progress
from orchestration.terminal.voice import Voice

_POLL_SECONDS = 0.1
# Dagster passes on what a run says until the run ends, the last lines or not; it waits as long as this says.
TAIL_WAIT = "DAGSTER_COMPUTE_LOG_TAIL_WAIT_AFTER_FINISH"
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
    loudness = command.add_mutually_exclusive_group()
    loudness.add_argument("--quiet", action="store_true", help="what came out alone, no line per stage")
    loudness.add_argument("--verbose", action="store_true", help="every line of the log, too")
    loudness.add_argument("--json", action="store_true", help="what came out as one JSON object, and no more")
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    # DuckDB is not needed for following a run.
    from orchestration.terminal.changes import changes, facts

    settings = Settings.from_environment()
    log = _new_log(settings)
    before = facts(settings)
    voice = Voice(sys.stdout, earlier_durations(log.parent))
    is_silent = options.quiet or options.json
    if not is_silent:
        for name, value in settings.described().items():
            voice.say(f"{name.capitalize():<12} {value}")

    def say(line: str) -> None:
        if not is_silent:
            voice.say(line, "red" if line.endswith("failed") else "")

    progress = Progress(say, voice.begin if not is_silent else lambda stage: None, voice.end)
    command = [sys.executable, "-m", "dagster", "asset", "materialize", "-m", "orchestration.definitions"]
    command += ["--select", options.select]
    command += ["--config-json", options.config_json] if options.config_json else []
    code = _follow(command, log, progress, voice, options.verbose)
    voice.still()
    for check in progress.checks if not options.json else ():
        voice.say(f"  warning: {check}", "yellow")
    if code:
        reasons = [f"{stage}: {why}" if stage else why for stage, why in _told(progress).items()]
        reasons = reasons or ["the run ended without a word."]
        tell_failure(settings, f"make run, {log.name}", "; ".join(reasons))
        raise RunFailedError("\n".join([*reasons, f"The log: {log}"]))
    from orchestration.terminal.summary import summary

    told = [*summary(settings), *changes(before, facts(settings)), ("Log", str(log))]
    if options.json:
        print(json.dumps(_as_json(told, progress), indent=1, ensure_ascii=False))
        return
    voice.say("")
    told.append(("Next", "make dev: the assets with their numbers and pictures, on http://127.0.0.1:3000"))
    for heading, sentence in told:
        voice.say(f"{voice.coloured(f'{heading:<12}', 'bold')} {sentence}")


def _as_json(told: Sequence[tuple[str, str]], progress: Progress) -> dict[str, Any]:
    """What came out by its headings; several sentences under one of them are a list."""
    result: dict[str, Any] = {}
    last = ""
    for heading, sentence in told:
        last = heading or last
        result.setdefault(last.lower().replace(" ", "_"), []).append(sentence)
    known = {name: said[0] if len(said) == 1 else said for name, said in result.items()}
    return {**known, "stages": progress.stages, "warnings": progress.checks}


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


def _follow(command: list[str], log: Path, progress: Progress, voice: Voice, is_verbose: bool) -> int:
    """Run a command whose every word goes to `log`, and follow it there; its exit code.

    A file and no pipe: what follows may die, and the run goes on.
    """
    environment = environment_with(**{TAIL_WAIT: "0.2"})
    with (
        log.open("w") as written,
        subprocess.Popen(
            command, cwd=PROJECT_ROOT, env=environment, stdout=written, stderr=subprocess.STDOUT
        ) as process,
    ):
        for line in _lines(log, process, voice.tick):
            if is_verbose:
                voice.say(line.rstrip("\n"))
            progress.feed(line)
    return process.returncode


def _lines(log: Path, process: "subprocess.Popen[bytes]", tick: Callable[[], None]) -> Iterator[str]:
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
            tick()
            time.sleep(_POLL_SECONDS)


def _told(progress: Progress) -> dict[str, str]:
    """Why stages failed; what stopped the run outside of a stage only when no stage did."""
    stages = {stage: why for stage, why in progress.failures.items() if stage}
    return stages or progress.failures
