"""Which issues are gone: a pass over all numbers, then one probe for each that is missing."""

import logging

from orchestration.domains.tickets.sources.github.errors import GitHubError
from orchestration.domains.tickets.sources.github.pages import page_of
from orchestration.domains.tickets.sources.github.probe import Identity, ask_for_issue, tombstone
from orchestration.domains.tickets.sources.github.queries import CREATED, NUMBERS, PAGE_SIZE, query_hash
from orchestration.domains.tickets.sources.github.state import Known, Run
from orchestration.domains.tickets.sources.github.walk.paging import Progress, guard, page_variables
from orchestration.domains.tickets.sources.github.walk.single import fetch_issue
from orchestration.domains.tickets.sources.github.wire.transport import Transport

logger = logging.getLogger(__name__)

# More than that are no stragglers: fetching them one by one would cost more than fetching everything.
_MAX_STRAGGLERS = 200


def sweep(transport: Transport, run: Run, repository: Identity, known: Known, progress: Progress) -> Known:
    """Give each issue that vanished a tombstone, and fetch the issues that no run brought (dead letters).

    Raises
    ------
    GitHubError
        If it cannot go on, or if far more issues are there than landed.
    """
    while not run.is_last_page_here:
        variables = page_variables(run, repository, CREATED, PAGE_SIZE)
        answer = transport.graphql(NUMBERS, variables, is_shrinkable=False)
        guard(answer, run, repository)
        request = {"query": query_hash(NUMBERS), "variables": variables}
        run.add(page_of("numbers", request, run.facts, answer))
        progress(run)
    for number in sorted(known.alive - run.seen - run.tombstones.keys()):
        answer, reason = ask_for_issue(transport, repository, number)
        note = {"tombstones": tombstone(number, reason, answer)} if reason else {}
        run.add(page_of("probe", {"url": answer.url}, run.facts, answer, note=note))
    missing = sorted(run.seen - known.alive - run.landed)
    if len(missing) > _MAX_STRAGGLERS:
        raise GitHubError(
            f"{len(missing):,} issues of {repository.name} never landed: run with full_refresh."
        )
    for number in missing:
        run.add(fetch_issue(transport, repository, number, run.facts, {}))
    return run.finish(known, None)
