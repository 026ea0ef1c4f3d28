"""What changed since the watermark, open and closed: else a reopened issue would stay closed for ever."""

from datetime import datetime, timedelta

from orchestration.domains.tickets.sources.github.probe import Identity
from orchestration.domains.tickets.sources.github.queries import UPDATED
from orchestration.domains.tickets.sources.github.state import Known, Run
from orchestration.domains.tickets.sources.github.walk.paging import Progress, fetch_pages
from orchestration.domains.tickets.sources.github.wire.transport import Transport

# GitHub's replicas lag behind: what changed shortly before the watermark may not have been visible then.
_OVERLAP = timedelta(minutes=10)


def since(watermark: str) -> str:
    """From when on to ask, given the watermark (both ISO 8601 in UTC)."""
    return f"{datetime.fromisoformat(watermark) - _OVERLAP:%Y-%m-%dT%H:%M:%SZ}"


def increment(
    transport: Transport, run: Run, repository: Identity, known: Known, progress: Progress
) -> Known:
    """Fetch what is left of an increment; the watermark moves when its last page is durable."""
    fetch_pages(transport, run, repository, UPDATED, progress)
    return run.finish(known, run.facts["started_at"])
