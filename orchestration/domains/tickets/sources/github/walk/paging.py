"""The loop over issues that backfill and increment share: every page lands whole, or says why not."""

from collections.abc import Callable
from typing import Any

from orchestration.domains.tickets.sources.github.drift import check_nodes, issues_connection
from orchestration.domains.tickets.sources.github.errors import GitHubError, PageTooLargeError
from orchestration.domains.tickets.sources.github.pages import Page, page_of
from orchestration.domains.tickets.sources.github.probe import Identity
from orchestration.domains.tickets.sources.github.queries import ISSUES, NUMBERS, PAGE_SIZE, query_hash
from orchestration.domains.tickets.sources.github.state import Run
from orchestration.domains.tickets.sources.github.walk.lists import BATCH, finish_lists
from orchestration.domains.tickets.sources.github.walk.single import fetch_issue
from orchestration.domains.tickets.sources.github.wire.transport import Answer, Transport

_GOOD_PAGES_TO_GROW = 10
# What decide() makes of the attempts is a pause; a page that shrinks seven times must not run out of them.
_MAX_PAUSE_ATTEMPT = 3

Progress = Callable[[Run], None]


class PageSize:
    """How many issues to ask for: halved when GitHub cannot cope, doubled again after ten good pages."""

    def __init__(self) -> None:
        self.value = PAGE_SIZE
        self.shrinks = 0
        self._good = 0

    def grow(self) -> None:
        """A page came."""
        self.shrinks = 0
        self._good += 1
        if self._good >= _GOOD_PAGES_TO_GROW and self.value < PAGE_SIZE:
            self.value, self._good = min(2 * self.value, PAGE_SIZE), 0

    def shrink(self) -> None:
        """A page was too large."""
        self.value, self.shrinks, self._good = max(1, self.value // 2), self.shrinks + 1, 0


def fetch_pages(
    transport: Transport, run: Run, repository: Identity, order: dict[str, str], progress: Progress
) -> None:
    """Fetch what is left of a run, page by page, each durable before the next is asked for.

    Raises
    ------
    GitHubError
        If it cannot go on; the run goes on at the same page the next time.
    """
    size = PageSize()
    while not run.is_last_page_here:
        try:
            page = _fetch_page(transport, run, repository, order, size)
        except PageTooLargeError:
            if size.value > 1:
                size.shrink()
                continue
            page = _fetch_alone(transport, run, repository, order)
        run.add(page)
        size.grow()
        progress(run)
        if len(run.pending) >= BATCH:
            finish_lists(transport, run)
    while run.pending:
        finish_lists(transport, run)
        progress(run)


def page_variables(run: Run, repository: Identity, order: dict[str, str], size: int) -> dict[str, Any]:
    """Variables of the issues query and of the numbers query for the next page of a run."""
    owner, _, name = repository.name.partition("/")
    since = run.facts.get("since")
    return {
        "owner": owner,
        "name": name,
        "size": size,
        "after": run.cursor,
        "order": order,
        "filter": {"since": since} if since else None,
    }


def guard(answer: Answer, run: Run, repository: Identity) -> dict[str, Any]:
    """The list of issues of an answer, unless it leads in circles.

    Raises
    ------
    GitHubError
        If the same cursor comes twice, or an empty page promises more; or there is no such repository.
    """
    if answer.skipped:
        raise GitHubError(f"GitHub: {repository.name}: {answer.skipped}")
    connection = issues_connection(answer.document)
    info = connection["pageInfo"]
    if info["hasNextPage"]:
        if not connection["nodes"]:
            raise GitHubError("GitHub: the pages go in circles: an empty page that promises more")
        if not info.get("endCursor") or info["endCursor"] in run.cursors:
            raise GitHubError("GitHub: the pages go in circles: the same cursor came twice")
    return connection


def _fetch_page(
    transport: Transport, run: Run, repository: Identity, order: dict[str, str], size: PageSize
) -> Page:
    variables = page_variables(run, repository, order, size.value)
    answer = transport.graphql(
        ISSUES, variables, is_shrinkable=True, attempt=min(size.shrinks, _MAX_PAUSE_ATTEMPT)
    )
    nodes = guard(answer, run, repository)["nodes"]
    reasons = {
        int(problem.path[3]): problem.reason
        for problem in answer.problems
        if isinstance(problem.path[3], int)
    }
    reasons = {index: "null without a reason" for index, node in enumerate(nodes) if not node} | reasons
    letters = [
        {"node": index, "number": (nodes[index] or {}).get("number"), "after": run.cursor, "reason": reason}
        for index, reason in sorted(reasons.items())
    ]
    drift = check_nodes(node for index, node in enumerate(nodes) if index not in reasons)
    note = {"dead_letters": letters, "drift": dict(drift)}
    return page_of(
        "issues", {"query": query_hash(ISSUES), "variables": variables}, run.facts, answer, note=note
    )


def _fetch_alone(transport: Transport, run: Run, repository: Identity, order: dict[str, str]) -> Page:
    """One issue that GraphQL cannot give: find out which it is, and take it from REST."""
    answer = transport.graphql(NUMBERS, page_variables(run, repository, order, 1), is_shrinkable=False)
    connection = guard(answer, run, repository)
    info = connection["pageInfo"]
    note = {"cursor": info["endCursor"] or run.cursor, "is_last_page": not info["hasNextPage"]}
    if not connection["nodes"]:
        # It was the last one, and it is gone.
        return page_of("probe", {"query": query_hash(NUMBERS)}, run.facts, answer, note=note)
    return fetch_issue(transport, repository, connection["nodes"][0]["number"], run.facts, note)
