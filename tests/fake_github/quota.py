"""The hourly quota: per user and resource, whatever number of tokens the user has."""

from dataclasses import dataclass, field
from math import ceil

from tests.fake_github.clock import SystemClock, VirtualClock

HOUR = 3600


@dataclass
class Quota:
    """Points used in the present hour.

    Parameters
    ----------
    clock : VirtualClock or SystemClock
        Decides when the hour is over.
    limit : int
        Points per hour, resource and user.
    """

    clock: VirtualClock | SystemClock
    limit: int = 5000
    used: dict[tuple[str, str], int] = field(default_factory=dict)
    resets: dict[tuple[str, str], int] = field(default_factory=dict)
    total: dict[str, int] = field(default_factory=dict)

    def take(self, user: str, resource: str, points: int) -> bool:
        """Use points; false when they are not there."""
        key = self._present(user, resource)
        if self.used[key] + points > self.limit:
            return False
        self.used[key] += points
        self.total[resource] = self.total.get(resource, 0) + points
        return True

    def exhaust(self, user: str, resource: str) -> None:
        """Nothing is left in this hour."""
        self.used[self._present(user, resource)] = self.limit

    def state(self, user: str, resource: str) -> dict[str, int]:
        """limit, used, remaining and reset (seconds since 1970)."""
        key = self._present(user, resource)
        used = self.used[key]
        return {
            "limit": self.limit,
            "used": used,
            "remaining": self.limit - used,
            "reset": self.resets[key],
        }

    def headers(self, user: str, resource: str) -> dict[str, str]:
        """The state as headers."""
        state = self.state(user, resource)
        named = {f"X-RateLimit-{name.title()}": str(value) for name, value in state.items()}
        return {**named, "X-RateLimit-Resource": resource}

    def _present(self, user: str, resource: str) -> tuple[str, str]:
        key, now = (user, resource), self.clock.time()
        if now >= self.resets.get(key, 0):
            self.used[key], self.resets[key] = 0, ceil(now) + HOUR
        return key
