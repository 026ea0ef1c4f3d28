"""Where the steps of a run are executed, by setting; no asset knows."""

import ctypes
import gc
import importlib
import os
import resource
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from copy import copy
from functools import cache
from typing import Any

import dagster as dg
import psutil
from dagster._core.execution.context.system import PlanOrchestrationContext
from dagster._core.execution.retries import RetryMode
from dagster._core.executor.multiprocess import MultiprocessExecutor
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData

from ml.backend import WORKER_BYTES, cores, share_cores, workers_that_fit
from ml.store.lock import LockedError
from orchestration.defs.resources import Project
from orchestration.settings import Settings
from orchestration.store.steps import made_from

# Every step has one: by it an executor of several processes counts those that are under way.
PRIORITY = "dagster/priority"
# One process at a time can hold the pipeline's DuckDB file: steps that work on it carry this tag, and of
# these an executor with several processes runs one at a time; training opens no database. Not a pool: its
# slots outlive a run that was killed. They begin first: what needs no database fills the other cores.
HOLDS_DATABASE = {"holds": "pipeline", PRIORITY: "10"}
_ONE_HOLDS = [{"key": "holds", "value": HOLDS_DATABASE["holds"], "limit": 1}]
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
        use_database = any("holds" in step.tags for step in steps)
        with ExitStack() as held:
            # Where another run has the warehouse, the first step says so.
            with suppress(LockedError):
                held.enter_context(Project().around_steps(plan_context.run_id, use_database=use_database))
            yield from self._execute(_for_forks(plan_context), execution_plan)

    def _execute(self, plan_context: Any, execution_plan: Any) -> Iterator[dg.DagsterEvent]:
        """When the first step that needs another has made something new, import what the later ones use."""
        share_cores(min(self._max_concurrent, len(execution_plan.step_keys_to_execute)))
        os.register_at_fork(after_in_child=_end_with_the_run)
        assert self._tag_concurrency_limits is not None
        # The hash of all code, which each step would reckon again. What is there by now stays: no step looks
        # through it for garbage, and copies it by that.
        made_from()
        gc.freeze()
        turns = Turns(execution_plan, self._tag_concurrency_limits)
        needs, is_prepared = execution_plan.get_executable_step_deps(), False
        for event in super().execute(plan_context, execution_plan):
            yield event
            turns.note(event)
            if not is_prepared and _has_made_something(event) and needs[event.step_key] and turns.left > 1:
                is_prepared = True
                for module in _USED_BY_MANY:
                    importlib.import_module(module)
                gc.freeze()


class Turns:
    """Holds back steps by limits that Dagster goes by.

    Those of negative priority wait while others are left, and all while less memory is free than the largest
    step so far took, unless nothing else is under way.

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

    @property
    def left(self) -> int:
        """How many steps have not ended."""
        return len(self._left)

    def note(self, event: dg.DagsterEvent) -> None:
        """Take notice of what became of a step: of one that failed, those that need it will never run."""
        if event.is_step_failure:
            lost = {event.step_key}
            while more := {key for key in self._left if self._needs[key] & lost} - lost:
                lost |= more
            self._left = {key: value for key, value in self._left.items() if key not in lost}
        elif event.is_step_success or event.is_step_skipped:
            self._left.pop(str(event.step_key), None)
        self._hold_back()

    def _hold_back(self) -> None:
        turn = max(self._left.values(), default=0)
        later = {value for value in self._left.values() if value < min(turn, 0)}
        held: list[dict[str, Any]] = [{"key": PRIORITY, "value": str(one), "limit": 0} for one in later]
        largest = 1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        if psutil.virtual_memory().available < max(largest, WORKER_BYTES):
            held.append({"key": PRIORITY, "limit": 1})
        self._limits[:] = [*self._own, *held]


def _for_forks(context: Any) -> PlanOrchestrationContext:
    """A run's context, from which its steps take Dagster's history as it is open here."""
    ref, replaced = context.instance.get_ref(), {}
    if ref.storage_data and ref.storage_data.class_name == DagsterSqliteStorage.__name__:
        replaced["storage_data"] = _named(OpenStorage, ref.storage_data.config_yaml)
    # Of a run that Dagster launched, the UI shows what its steps write. One that was started by hand is read
    # where that was done: Dagster would pass lines on there with a delay, the last ones not.
    if context.dagster_run.remote_job_origin is None:
        replaced["compute_logs_data"] = _named(NoOpComputeLogManager, "{}")
    instance = dg.DagsterInstance.from_ref(ref._replace(**replaced))
    # Opens the file of this run, and that of all runs.
    instance.event_log_storage.get_records_for_run(context.run_id, limit=1)
    instance.get_asset_keys(limit=1)
    data = context.plan_data._replace(instance=instance)
    return PlanOrchestrationContext(data, context.log, context.executor, context.output_capture)


def _named(what: type, config: str) -> ConfigurableClassData:
    return ConfigurableClassData(what.__module__, what.__name__, config)


class OpenStorage(DagsterSqliteStorage):
    """Dagster's own files, opened and found to be of its version once: a tenth of a second for each fork.

    No connection outlives a question, so that forks share none.
    """

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> "OpenStorage":
        """What was opened before a fork is there after it; each instance of Dagster wants its own parts."""
        opened = _opened(config_value["base_dir"])
        own = copy(opened)
        vars(own).update({name: copy(part) for name, part in vars(opened).items()})
        return own


@cache
def _opened(base_dir: str) -> OpenStorage:
    return OpenStorage.from_local(base_dir)


def _has_made_something(event: dg.DagsterEvent) -> bool:
    is_told = event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION
    return is_told and "unchanged" not in event.step_materialization_data.materialization.metadata


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
    if name == "side_by_side" and sys.platform == "linux" and cores() > 1:
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
