"""Time for the fake and its clients: a clock that stands still until somebody sleeps."""

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass
class VirtualClock:
    """A clock that only `sleep` and `advance` move; `slept` keeps every wait."""

    start: datetime = datetime(2026, 3, 2, 9, 0, 0, tzinfo=UTC)
    slept: list[float] = field(default_factory=list)
    _elapsed: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def now(self) -> datetime:
        """The virtual time, with zone UTC."""
        return self.start + timedelta(seconds=self._elapsed)

    def time(self) -> float:
        """Seconds since 1970, as `time.time`."""
        return self.now().timestamp()

    def monotonic(self) -> float:
        """Seconds since the start, as `time.monotonic`."""
        return self._elapsed

    def sleep(self, seconds: float) -> None:
        """Return at once, later; the wait is remembered."""
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass without anybody sleeping."""
        if seconds < 0:
            raise ValueError(f"Time cannot go back by {-seconds} s.")
        with self._lock:
            self._elapsed += seconds


@dataclass
class OffsetClock:
    """A machine whose clock is wrong by `offset` seconds; its sleeps move the true clock."""

    true: VirtualClock
    offset: float

    def now(self) -> datetime:
        """The wrong time."""
        return self.true.now() + timedelta(seconds=self.offset)

    def time(self) -> float:
        """The wrong time in seconds since 1970."""
        return self.now().timestamp()

    def monotonic(self) -> float:
        """Durations are right even so."""
        return self.true.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleep on the true clock."""
        self.true.sleep(seconds)


@dataclass
class SystemClock:
    """The machine's own time, for a fake that serves another process."""

    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        """The time, with zone UTC."""
        return datetime.now(UTC)

    def time(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds since some moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Really wait."""
        self.slept.append(seconds)
        time.sleep(seconds)

    def advance(self, seconds: float) -> None:
        """The machine's time passes by itself."""


def iso(moment: datetime) -> str:
    """A time as GitHub writes it: whole seconds, `Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def normalised(text: str) -> str:
    """A time in any ISO notation, as GitHub writes it; such texts compare like the times.

    Raises
    ------
    ValueError
        If the text is no time.
    """
    moment = datetime.fromisoformat(text)
    return iso(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
