"""The environment as it was given, before Dagster laid `.env` over it. It knows no setting."""

import os
from collections.abc import Mapping
from pathlib import Path

import psutil


def given_environment() -> Mapping[str, str]:
    """The variables that whoever started this program set.

    Dagster's commands write `.env` over their environment, and so over that of every process they start,
    before any of our code runs: in `os.environ` the file has won. But the system keeps what each process was
    started with, and the outermost of Dagster's commands was started with what was truly given.
    """
    try:
        process = psutil.Process()
        commands = [one for one in (process, *process.parents()) if _is_dagster(one)]
        return commands[-1].environ() if commands else os.environ
    except psutil.Error:
        # The system does not tell; then what this process sees has to do.
        return os.environ


def environment_with(**defaults: str) -> Mapping[str, str]:
    """The environment for a process to be started, with values for what is not set in it."""
    return {**defaults, **os.environ}


def _is_dagster(process: psutil.Process) -> bool:
    """Whether it runs `dagster`, `dagster-webserver`, `python -m dagster`, …"""
    try:
        arguments = process.cmdline()[1:]
    except psutil.Error:
        return False
    program = next((argument for argument in arguments if not argument.startswith("-")), "")
    name = Path(program).name
    return name == "dg" or name.startswith("dagster")
