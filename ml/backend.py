"""Where independent fits run: in this process, in processes of this machine, or on a Dask cluster.

A backend spreads whole fits, never the rows of one: every fit has one thread and sees the same arrays, so the
results are the same everywhere, to the last digit. What spreads them is joblib. `dask_rows` is the exception
that is asked for: a family that can spreads the rows of each of its fits, which no worker holds all of then.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
logger = logging.getLogger(__name__)

BACKENDS = ("local", "processes", "dask", "dask_rows")
_ROOT = str(Path(__file__).resolve().parents[1])
# What a worker holds beside the arrays that all share: the libraries, and the model that it fits.
WORKER_BYTES = 1_000_000_000
# A scheduler that has not answered by then is not there.
CONNECT_SECONDS = 20


@dataclass(frozen=True)
class TrainingBackend:
    """Where fits run.

    Parameters
    ----------
    name : {"local", "processes", "dask", "dask_rows"}
    workers : int
        Processes; 0 for one per core, as far as the free memory goes. A cluster that runs has its own.
    scheduler : str
        Address of a Dask scheduler; empty for a cluster on this machine.
    """

    name: str = "local"
    workers: int = 0
    scheduler: str = ""

    def __post_init__(self) -> None:
        if self.name not in BACKENDS:
            raise ValueError(
                f"There is no training backend {self.name!r}: choose from {', '.join(BACKENDS)}."
            )
        if self.workers < 0:
            raise ValueError(f"The number of workers must be 0 (as many as fit) or more, not {self.workers}.")

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Run what `each` is given on this backend for as long as the block lasts.

        Raises
        ------
        ValueError
            Dask is not installed, or no scheduler answers at the address.
        """
        if self.name != "local" and _ROOT not in sys.path:
            # Workers are told this process's path, and its loader may have taken the folder off again.
            sys.path.append(_ROOT)
        if self.name in ("dask", "dask_rows"):
            self.cluster()
        before = _IN_FORCE.set(self)
        try:
            yield
        finally:
            _IN_FORCE.reset(before)

    def cluster(self) -> Any:
        """Return the connection to the Dask cluster, a `distributed.Client`."""
        return _client(self.scheduler, self.workers or workers_that_fit())

    def spread(self, function: Callable[..., T], jobs: Sequence[tuple[Any, ...]]) -> list[T]:
        """Run the jobs where the backend says; joblib's own settings are touched for no longer than that.

        They would reach into scikit-learn, which then adds up in another order.
        """
        import joblib

        workers = self.workers or workers_that_fit()
        if self.name in ("local", "dask_rows") or (self.name == "processes" and workers == 1):
            return [function(*job) for job in jobs]
        if self.name == "dask":
            where = joblib.parallel_config("dask")
        else:
            _dismiss_at_exit()
            where = joblib.parallel_config("loky", n_jobs=workers, inner_max_num_threads=1, mmap_mode="r")
        with where:
            return list(joblib.Parallel()(joblib.delayed(_alone)(function, job) for job in jobs))


_IN_FORCE: ContextVar[TrainingBackend | None] = ContextVar("backend", default=None)
# Processes that share the cores.
_sharing = 1


def _alone(function: Callable[..., T], job: tuple[Any, ...]) -> T:
    """Run a job in a worker as it would run at home: in one thread, and what it spreads itself in turn."""
    import joblib
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"), joblib.parallel_config("sequential"):
        return function(*job)


@cache
def _dismiss_at_exit() -> None:
    """A process that multiprocessing started waits at its end for its children, and these for more work."""
    from joblib.externals.loky import get_reusable_executor

    Finalize(None, lambda: get_reusable_executor(reuse=True).shutdown(kill_workers=True), exitpriority=1)


def cluster_of_rows() -> Any:
    """Return the cluster that the rows of a fit are to be spread over, None where they stay together."""
    backend = _IN_FORCE.get()
    return backend.cluster() if backend and backend.name == "dask_rows" else None


def workers_that_fit() -> int:
    """One worker per core, fewer where the free memory would not do for them, and at least one."""
    import psutil

    return max(1, min(cores(), psutil.virtual_memory().available // WORKER_BYTES) // _sharing)


def share_cores(processes: int) -> None:
    """Say how many processes, this one and those that are forked from it, share the cores from now on."""
    global _sharing
    _sharing = processes


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def each(function: Callable[..., T], jobs: Iterable[tuple[Any, ...]]) -> list[T]:
    """Return ``function(*job)`` for every job, in their order, wherever the backend in force runs them.

    A job of a worker that died is tried once more.

    Raises
    ------
    ValueError
        Workers died twice.
    """
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    waiting, backend = list(jobs), _IN_FORCE.get() or TrainingBackend()
    try:
        return backend.spread(function, waiting)
    except TerminatedWorkerError:
        logger.warning("A worker was killed: its fits are made again.")
    try:
        return backend.spread(function, waiting)
    except TerminatedWorkerError as error:
        raise ValueError(
            "Workers that fit models were killed twice, as happens without enough memory: give fewer of them."
        ) from error


@cache
def _client(address: str, workers: int) -> Any:
    """The connection to a cluster, opened once: joblib finds it by itself."""
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise ValueError(
            "This training backend needs Dask, which is not installed: make setup-cluster does it."
        ) from error
    if not address:
        cluster = LocalCluster(
            n_workers=workers, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
        )
        client = Client(cluster)
        atexit.register(cluster.close)
    else:
        try:
            # By itself, for a client waits for ever for one that takes the call and says nothing.
            asyncio.run(_knock(address))
            client = Client(address, timeout=CONNECT_SECONDS)
        except (OSError, TimeoutError, ValueError, TypeError) as error:  # of tls:// without certificates
            raise ValueError(
                f"No Dask scheduler answers at {address!r} within {CONNECT_SECONDS} s: "
                "start it, correct its address, or leave it empty for a cluster on this machine."
            ) from error
    atexit.register(_close, client)
    return client


async def _knock(address: str) -> None:
    from distributed.comm.core import connect

    async with asyncio.timeout(CONNECT_SECONDS):
        comm = await connect(address, timeout=CONNECT_SECONDS)
        await comm.close()


def _close(client: Any) -> None:
    with suppress(Exception):
        client.close()
