"""Where the steps of a run are executed, by setting; no asset knows."""

import importlib
from typing import Any

import dagster as dg

from orchestration.settings import Settings

# One process at a time can hold the pipeline's DuckDB file: steps that work on it carry this tag, and of
# these an executor with several processes runs one at a time; training opens no database. Not a pool: its
# slots outlive a run that was killed.
HOLDS_DATABASE = {"holds": "pipeline"}


def chosen_executor() -> dg.ExecutorDefinition:
    """The executor that `RUN_EXECUTOR` names; settings that cannot be meant are told by the run itself.

    Raises
    ------
    ValueError
        If there is no such executor.
    """
    try:
        name = Settings.from_environment().run_executor
    except ValueError:
        name = "in_process"
    if name == "in_process":
        return dg.in_process_executor
    if name == "multiprocess":
        (tag,) = HOLDS_DATABASE.items()
        limit = {"key": tag[0], "value": tag[1], "limit": 1}
        # One process loads the definitions, and each step's is forked from it: a start takes no seconds.
        started: dict[str, Any] = {"forkserver": {}}
        return dg.multiprocess_executor.configured(
            {"tag_concurrency_limits": [limit], "start_method": started}
        )
    package, _, attribute = name.partition(":")
    try:
        executor = getattr(importlib.import_module(package), attribute)
    except (ImportError, AttributeError):
        executor = None
    if not isinstance(executor, dg.ExecutorDefinition):
        raise ValueError(f"RUN_EXECUTOR is {name!r}: there is no such executor; is its package installed?")
    return executor
