"""What a process and all that it starts cost, looked at from outside or from a thread of its own."""

import threading
import time
from types import TracebackType

import numpy as np
import psutil

# Between two looks.
SECONDS = 0.25


class Watch:
    """Looks at a process and its descendants for as long as a block runs.

    Parameters
    ----------
    pid : int
    """

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        #: Seconds since 1970, seconds of processor so far, MB; one look each.
        self.looks: list[tuple[float, float, float]] = []

    def __enter__(self) -> "Watch":
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Look no more."""
        self._is_over.set()
        self._thread.join()

    @property
    def peak(self) -> float:
        """The largest sum of memory, MB."""
        return max((memory for *_, memory in self.looks), default=0.0)

    def between(self, start: float, end: float) -> tuple[float, float]:
        """Seconds of processor, and the peak in MB, between two moments in seconds since 1970."""
        looks = np.array(self.looks)
        used = np.interp([start, end], looks[:, 0], looks[:, 1])
        within = looks[(looks[:, 0] >= start - SECONDS) & (looks[:, 0] <= end + SECONDS), 2]
        return float(used[1] - used[0]), float(within.max(initial=0.0))

    def _look(self) -> None:
        while not self._is_over.wait(SECONDS):
            used, memory = 0.0, 0.0
            try:
                for one in (self._process, *self._process.children(recursive=True)):
                    # Those of children that have ended are the parent's.
                    used += sum(one.cpu_times()[:4])
                    full = one.memory_full_info()
                    # Shared pages count once.
                    memory += getattr(full, "pss", full.rss)
            except psutil.Error:
                continue
            self.looks.append((time.time(), used, memory / 2**20))
