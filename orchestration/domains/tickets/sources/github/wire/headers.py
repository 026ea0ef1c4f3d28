"""What the headers of an answer say about time and quota; their names in small letters."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# The quota is renewed every hour; a reset further away than that is a mistake of one of the two clocks.
MAX_RESET_SECONDS = 3700.0
_MINUTE = 60.0
# Longer than any run may take, and still a time that a clock can show.
MAX_WAIT_SECONDS = 366 * 86400.0


def is_used_up(headers: Mapping[str, str]) -> bool:
    """Whether nothing is left of the hour's quota."""
    try:
        return int(headers.get("x-ratelimit-remaining", "1")) <= 0
    except ValueError:
        return False


def seconds_to_reset(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds until the quota is renewed, a second to spare; None when the header says nothing usable."""
    try:
        reset = float(headers.get("x-ratelimit-reset", ""))
    except ValueError:
        return None
    if reset > 1e11:
        reset /= 1000.0
    seconds = reset - now.timestamp()
    return min(seconds + 1.0, MAX_RESET_SECONDS) if seconds > 0 else None


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that the header asks to wait, a minute where it cannot be understood; None without it."""
    if "retry-after" not in headers:
        return None
    value = headers["retry-after"].strip()
    if value.isascii() and value.isdigit():
        return min(max(float(value), 1.0), MAX_WAIT_SECONDS)
    date = _http_date(value)
    return min(max((date - now).total_seconds(), 1.0), MAX_WAIT_SECONDS) if date else _MINUTE


def server_time(headers: Mapping[str, str]) -> datetime | None:
    """The server's clock, as its `Date` header tells it."""
    return _http_date(headers.get("date"))


def _http_date(value: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(value or "")
        return date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
