"""All issues of a repository, by creation. Issues that change meanwhile are the next increment's."""

from orchestration.domains.tickets.sources.github.errors import GitHubError
from orchestration.domains.tickets.sources.github.probe import Identity
from orchestration.domains.tickets.sources.github.queries import CREATED
from orchestration.domains.tickets.sources.github.state import Known, Run
from orchestration.domains.tickets.sources.github.walk.paging import Progress, fetch_pages
from orchestration.domains.tickets.sources.github.wire.transport import Transport


def backfill(transport: Transport, run: Run, repository: Identity, known: Known, progress: Progress) -> Known:
    """Fetch what is left of a backfill; the watermark becomes the time at which it started.

    Raises
    ------
    GitHubError
        If it cannot go on, or if in the end issues are missing.
    """
    fetch_pages(transport, run, repository, CREATED, progress)
    if run.totals:
        # Issues deleted on the way are in the first total and not in the last one.
        expected = min(run.totals[0], run.totals[-1]) - len(run.dead_letters)
        if len(run.landed) < expected:
            # Without a watermark the next run begins from the start, rather than at this same end.
            run.finish(known, None)
            raise GitHubError(
                f"GitHub promised {expected:,} issues and gave {len(run.landed):,}: run again, the backfill"
                " starts anew."
            )
    return run.finish(known, run.facts["started_at"])
