"""Where the steps of a run are executed, by setting; no asset knows."""

import ctypes
import gc
import importlib
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from functools import cache
from typing import Any

import dagster as dg
from dagster._core.execution.retries import RetryMode
from dagster._core.executor.multiprocess import MultiprocessExecutor

from ml.backend import share_cores, workers_that_fit
from ml.store.lock import LockedError
from orchestration.defs.resources import Project
from orchestration.settings import Settings

# One process at a time can hold the pipeline's DuckDB file: steps that work on it carry this tag, and of
# these an executor with several processes runs one at a time; training opens no database. Not a pool: its
# slots outlive a run that was killed.
HOLDS_DATABASE = {"holds": "pipeline"}
_ONE_HOLDS = [{"key": key, "value": value, "limit": 1} for key, value in HOLDS_DATABASE.items()]
PRIORITY = "dagster/priority"
# What many steps import when they begin to work: two seconds that each of them would spend.
_USED_BY_MANY = ("ml.runs.train", "sklearn.pipeline", "skops.io", "matplotlib.pyplot")
_PR_SET_PDEATHSIG = 1


class SideBySide(MultiprocessExecutor):
    """Steps as forks of the run's process, which has loaded what they need.

    Dagster offers processes that load the definitions again, for seconds, before the first step begins. Forks
    do no harm here: the run's own process does no work that they could break off. Of the steps that are ready
    the one of the highest priority begins; one whose priority is negative waits until nothing of a higher one
    is left.
    """

    def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[dg.DagsterEvent]:
        """Hold the warehouse for all steps, and execute the plan."""
        steps = map(execution_plan.get_step_by_key, execution_plan.step_keys_to_execute)
        use_database = any(HOLDS_DATABASE.items() <= step.tags.items() for step in steps)
        with ExitStack() as held:
            # Where another run has the warehouse, the first step says so.
            with suppress(LockedError):
                held.enter_context(Project().around_steps(plan_context.run_id, use_database=use_database))
            yield from self._execute(plan_context, execution_plan)

    def _execute(self, plan_context: Any, execution_plan: Any) -> Iterator[dg.DagsterEvent]:
        """When the first step works that needs another, import what the later ones use."""
        share_cores(min(self._max_concurrent, len(execution_plan.step_keys_to_execute)))
        os.register_at_fork(after_in_child=_end_with_the_run)
        assert self._tag_concurrency_limits is not None
        turns = Turns(execution_plan, self._tag_concurrency_limits)
        needs, is_prepared = execution_plan.get_executable_step_deps(), False
        for event in super().execute(plan_context, execution_plan):
            yield event
            turns.note(event)
            if event.is_step_start and needs[event.step_key] and not is_prepared:
                is_prepared = True
                for module in _USED_BY_MANY:
                    importlib.import_module(module)
                # What is there by now stays: no step looks through it for garbage, and copies it by that.
                gc.freeze()


class Turns:
    """Holds back the steps of negative priority while others are left, by limits that Dagster goes by.

    Parameters
    ----------
    plan : ExecutionPlan
    limits : list of dict
        The limits of the tags; Dagster looks into the list whenever it starts steps.
    """

    def __init__(self, plan: Any, limits: list[dict[str, Any]]) -> None:
        self._needs = plan.get_executable_step_deps()

        @cache
        def turn_of(key: str) -> int:
            own = int(plan.get_step_by_key(key).tags.get(PRIORITY, 0))
            return min([own, *map(turn_of, self._needs[key])])

        # What needs a step that waits is nothing that this one could wait for.
        self._left = {key: turn_of(key) for key in self._needs}
        self._limits, self._own = limits, list(limits)
        self._hold_back()

    def note(self, event: dg.DagsterEvent) -> None:
        """Take notice of what became of a step: of one that failed, those that need it will never run."""
        if event.is_step_failure:
            lost = {event.step_key}
            while more := {key for key in self._left if self._needs[key] & lost} - lost:
                lost |= more
            self._left = {key: value for key, value in self._left.items() if key not in lost}
        elif event.is_step_success or event.is_step_skipped:
            self._left.pop(str(event.step_key), None)
        else:
            return
        self._hold_back()

    def _hold_back(self) -> None:
        turn = max(self._left.values(), default=0)
        later = {value for value in self._left.values() if value < min(turn, 0)}
        self._limits[:] = [*self._own, *({"key": PRIORITY, "value": str(one), "limit": 0} for one in later)]


def _end_with_the_run() -> None:
    """Have the kernel end this step when the process of its run is gone."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@dg.executor(name="side_by_side", requirements=dg.multiple_process_executor_requirements())
def side_by_side(context: dg.InitExecutorContext) -> SideBySide:
    """As many steps beside each other as there are cores, as far as the free memory goes."""
    return SideBySide(RetryMode.DISABLED, workers_that_fit(), list(_ONE_HOLDS), "fork")


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
    if name == "side_by_side" and sys.platform == "linux":
        return side_by_side
    if name in ("in_process", "side_by_side"):
        return dg.in_process_executor
    if name == "multiprocess":
        # One process loads the definitions, and each step's is forked from it: a start takes no seconds.
        started: dict[str, Any] = {"forkserver": {}}
        return dg.multiprocess_executor.configured(
            {"tag_concurrency_limits": _ONE_HOLDS, "start_method": started}
        )
    package, _, attribute = name.partition(":")
    try:
        executor = getattr(importlib.import_module(package), attribute)
    except (ImportError, AttributeError):
        executor = None
    if not isinstance(executor, dg.ExecutorDefinition):
        raise ValueError(f"RUN_EXECUTOR is {name!r}: there is no such executor; is its package installed?")
    return executor
